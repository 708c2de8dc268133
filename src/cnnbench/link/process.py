"""A guest process: started alone in its group, read line by line with a deadline, always ended."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from typing import TYPE_CHECKING

from cnnbench.errors import ProbeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

CHUNK = 1 << 16
LONGEST_LINE = 1 << 20
GRACE_SECONDS = 5.0


class Process:
    """A running guest.

    Args:
        command: What to run.
        variables: Its whole environment.
        folder: Its working folder.
        log: File that takes its standard error.

    Raises:
        ProbeError: It could not be started.
    """

    def __init__(
        self, command: Sequence[str], variables: Mapping[str, str], folder: Path, log: Path
    ) -> None:
        try:
            with log.open("wb") as errors:
                self._popen = subprocess.Popen(  # noqa: S603
                    list(command),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env=dict(variables),
                    cwd=folder,
                    start_new_session=True,  # so that its whole group can be killed
                )
        except OSError as error:
            raise ProbeError("died", f"cannot start the stack's Python: {error.strerror}") from None
        assert self._popen.stdin  # noqa: S101
        assert self._popen.stdout  # noqa: S101
        self._stdin = self._popen.stdin
        self._stdout = self._popen.stdout
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._stdout, selectors.EVENT_READ)
        self._pending = b""

    @property
    def pid(self) -> int:
        """Of the guest, and of its group."""
        return self._popen.pid

    def write(self, line: str) -> None:
        """Send one line.

        Raises:
            ProbeError: The guest is gone.
        """
        try:
            self._stdin.write(line.encode() + b"\n")
            self._stdin.flush()
        except OSError:
            raise self._death() from None

    def read(self, seconds: float) -> str:
        """The next line.

        Raises:
            ProbeError: Nothing came in time (`silent`), the line has no end (`garbage`), or the
                guest ended (`died`, `killed`).
        """
        deadline = time.monotonic() + seconds
        while b"\n" not in self._pending:
            if len(self._pending) > LONGEST_LINE:
                raise ProbeError("garbage", "the guest sent a line without end")
            left = deadline - time.monotonic()
            if left <= 0 or not self._selector.select(left):
                raise ProbeError("silent", f"the guest said nothing for {seconds:.0f} s")
            chunk = os.read(self._stdout.fileno(), CHUNK)
            if not chunk:
                raise self._death()
            self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        return line.decode(errors="replace")

    def _death(self) -> ProbeError:
        try:
            code = self._popen.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            return ProbeError("died", "the guest closed its output and hangs")
        if code < 0:
            return ProbeError("killed", f"the guest was killed by {_signal(-code)}")
        return ProbeError("died", f"the guest ended early with status {code}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the guest and everything that it started."""
        if kind is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(GRACE_SECONDS)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        self._selector.close()
        self._stdout.close()
        with contextlib.suppress(OSError):
            self._stdin.close()


def _signal(number: int) -> str:
    """The name of a signal; real-time signals have none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
