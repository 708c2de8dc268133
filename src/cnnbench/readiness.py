"""Before anything is launched: the machine to oneself, and every case ready. Yields events."""

from __future__ import annotations

import functools
import queue
import threading
from typing import TYPE_CHECKING, TypeVar

from cnnbench import events, folders, prepare
from cnnbench.machine import lock

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from contextlib import ExitStack

    from cnnbench.case import Case
    from cnnbench.prepare import NotReady, Own, Ready

T = TypeVar("T")


def exclusive(held: ExitStack) -> Iterator[events.Event]:
    """Take the machine, saying so if somebody else has it: builds disturb a measurement too.

    Args:
        held: What gives it back.
    """
    path = folders.cache() / "measuring.lock"
    try:
        held.enter_context(lock.exclusive(path, wait=False))
    except lock.Busy as busy:
        yield events.Waiting(str(busy))
        held.enter_context(lock.exclusive(path))


def readied(case: Case, own: Own) -> Generator[events.Event, None, Ready | NotReady]:
    """Make a case ready; what the build of its stack says are events."""
    work = functools.partial(prepare.prepare, case, own)
    return (yield from _streamed(case.stack, work))


def _streamed(
    stack: str, work: Callable[[Callable[[str], None]], T]
) -> Generator[events.Event, None, T]:
    """Run work that calls back with lines; yield each as an event, return what the work returns."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    answer: list[T] = []
    trouble: list[BaseException] = []

    def run() -> None:
        try:
            answer.append(work(lines.put))
        except BaseException as error:  # noqa: BLE001  raised again by the caller
            trouble.append(error)
        lines.put(None)

    threading.Thread(target=run, daemon=True).start()
    while (line := lines.get()) is not None:
        yield events.StackLine(stack, line)
    if trouble:
        raise trouble[0]
    return answer[0]
