"""Before anything is launched: the machine to oneself, and every case ready. Yields events."""

from __future__ import annotations

import functools
import queue
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from cnnbench import events, folders, prepare
from cnnbench.convergence import REFERENCES
from cnnbench.machine import lock
from cnnbench.prepare import Ready

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from contextlib import ExitStack

    from cnnbench.case import Case
    from cnnbench.prepare import NotReady, Own

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


def plain_pytorch(case: Case, own: Own) -> Generator[events.Event, None, Ready | NotReady]:
    """Make plain PyTorch ready, in float32: our stack of it, on the device of a case.

    Where that cannot be built, as on a machine without a network, an environment of the user's that
    has PyTorch; without one, why ours could not.
    """
    blank = replace(case, stack=REFERENCES[case.device], precision="float32", recipes=())
    made = yield from readied(blank, own)
    if isinstance(made, Ready) or (name := prepare.plain_environment(own)) is None:
        return made
    return (yield from readied(replace(blank, stack=name), own))


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
