"""Waiting until programs that take turns leave the CPUs to the one whose turn it is."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Threads of OpenMP spin for up to 0.2 s after their work before they sleep.
PATIENCE_SECONDS = 1.0
LOOK_SECONDS = 0.002
QUIET_LOOKS = 2  # in a row
# Where threads cannot be looked at: CPU seconds of an idle process, counted in hundredths.
TICKS_SECONDS, IDLE_SECONDS = 0.05, 0.011

PROC = Path("/proc")


def wait_until_idle(pids: Iterable[int]) -> bool:
    """Wait until no thread of some processes runs, a second at most; whether that came true."""
    watched = list(pids)
    deadline = time.monotonic() + PATIENCE_SECONDS
    quiet = 0
    while time.monotonic() < deadline:
        quiet = 0 if _is_busy(watched) else quiet + 1
        if quiet >= QUIET_LOOKS:
            return True
        time.sleep(LOOK_SECONDS)
    return False


def _is_busy(pids: Sequence[int]) -> bool:
    if PROC.is_dir():
        return any(_runs(stat) for pid in pids for stat in (PROC / f"{pid}/task").glob("*/stat"))
    before = sum(map(_cpu_seconds, pids))
    time.sleep(TICKS_SECONDS)
    return sum(map(_cpu_seconds, pids)) - before > IDLE_SECONDS


def _runs(stat: Path) -> bool:
    """Whether a thread runs or waits for a CPU: the state stands after its name in brackets."""
    with contextlib.suppress(OSError, IndexError):  # it may have ended meanwhile
        return stat.read_text("utf-8", "replace").rpartition(")")[2].split()[0] == "R"
    return False


def _cpu_seconds(pid: int) -> float:
    with contextlib.suppress(psutil.Error):
        used = psutil.Process(pid).cpu_times()
        return float(used.user + used.system)
    return 0.0
