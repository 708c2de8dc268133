"""Ranks: one process for each device, where the framework wants that; the host sees one guest.

Rank 0 is the guest that the host started. It starts the others alike, gives each of them every
message of the host's, and joins what they say to what it says itself. They live no longer than it:
without it their standard input ends. A rank that fails, or dies, ends the launch with its reason.
"""

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from typing import Any, Callable, Iterator, List, Tuple

from . import wire

VARIABLE = "CNNBENCH_RANK"
HEAR_SECONDS = 2.0


def own() -> int:
    """Of this process; 0 is the one that the host started."""
    return int(os.environ.get(VARIABLE, "0"))


def share(backend: Any, case: Any) -> Tuple[int, int]:
    """This process's rank, and how many processes share a training step."""
    return own(), case["devices"] if getattr(backend, "RANKS", False) else 1


@contextlib.contextmanager
def joined(count: int, order: Any, requests: Any, send: Any) -> Iterator[Tuple[Any, Any]]:
    """How to ask and tell the host, for all ranks at once.

    Args:
        count: Ranks.
        order: The host's `Boot`, which the others are to obey too.
        requests: Gives the host's next message.
        send: Tells the host.
    """
    others = [] if own() else [_Other(rank, order, send) for rank in range(1, count)]

    def ask() -> Any:
        message = requests()
        for other in others:
            other.tell(message)
        return message

    def tell(message: Any) -> None:
        send(_together([message] + [other.hear(type(message)) for other in others]))

    try:
        yield ask, tell
    except Exception:
        if others:
            # What fails here when a rank is gone is the talk with it; its listener knows the cause.
            time.sleep(HEAR_SECONDS)
        raise


class _Other:
    """Another rank, as rank 0 knows it."""

    def __init__(self, rank: int, order: Any, send: Callable[[Any], None]) -> None:
        self._rank = rank
        self._send = send
        self._said = queue.Queue()  # type: queue.Queue[Any]
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-B", sys.argv[0]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(os.environ, **{VARIABLE: str(rank)}),
            universal_newlines=True,
        )
        threading.Thread(target=self._listen, daemon=True).start()
        self.tell(order)

    def tell(self, message: Any) -> None:
        """Pass on a message of the host's."""
        with contextlib.suppress(OSError):  # it is gone, and its listener says so
            self._process.stdin.write(wire.encode(message) + "\n")  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]

    def hear(self, kind: Any) -> Any:
        """Its next message of a kind."""
        while True:
            message = self._said.get()
            if isinstance(message, kind):
                return message

    def _listen(self) -> None:
        stage = "boot"
        for line in self._process.stdout:  # type: ignore[union-attr]
            message = wire.decode(line)
            if isinstance(message, wire.Failed):
                self._end(message)
            stage = message.name if isinstance(message, wire.Stage) else stage
            self._said.put(message)
        status = self._process.wait()
        how = "was killed by signal %d" % -status if status < 0 else "ended with status %d" % status
        text = "the process of device %d %s" % (self._rank, how)
        self._end(wire.Failed(stage=stage, kind="error", message=text, traceback=""))

    def _end(self, failed: Any) -> None:
        """Tell the host why, and leave at once: the first thread may wait for that rank forever."""
        self._send(failed)
        os._exit(1)


def _together(said: List[Any]) -> Any:
    """One message for those of all ranks: the mean of their losses, the sum of their memory.

    Pages that ranks share, as of libraries, are in that sum once for each.
    """
    first = said[0]
    if isinstance(first, wire.Window) and first.loss is not None:
        return first._replace(loss=sum(message.loss for message in said) / len(said))
    if isinstance(first, wire.Finished):
        peak = sum(message.facts["peak_memory_bytes"] for message in said)
        return first._replace(facts=dict(first.facts, peak_memory_bytes=peak))
    return first
