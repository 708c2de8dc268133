"""Which process keeps a campaign, and whether it still lives."""

from __future__ import annotations

import platform
from dataclasses import dataclass

import psutil

from cnnbench.case import digest

# psutil adds the start since boot to a boot time that moves as the clock is disciplined.
SLACK_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process that is never taken for a later one with the same number.

    Attributes:
        host: Digest of the host's name: pids of another machine say nothing here.
        pid: Of the process.
        process_started_at: Seconds since the epoch.
    """

    host: str
    pid: int
    process_started_at: float


def this_process() -> Process:
    """The process that calls."""
    process = psutil.Process()
    return Process(host=_host(), pid=process.pid, process_started_at=process.create_time())


def may_live(process: Process) -> bool:
    """False only where it is certain that the process ended: it ran here and is not here now."""
    if process.host != _host():
        return True
    try:
        found = psutil.Process(process.pid)
        same = abs(found.create_time() - process.process_started_at) < SLACK_SECONDS
        # A killed process keeps its number until its parent asks; it measures no more.
        return same and found.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def _host() -> str:
    return digest(platform.node())
