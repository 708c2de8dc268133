"""Exclusive use of this machine: two measurements at once would slow each other down."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil
from filelock import FileLock, Timeout

from cnnbench.errors import CnnbenchError
from cnnbench.machine import files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Seconds between two tries: seldom enough that waiting does not disturb the holder.
POLL_SECONDS = 0.5


class Busy(CnnbenchError):  # noqa: N818 - a state to wait out, hardly an error
    """Another process has the lock; the text names it."""


@contextmanager
def exclusive(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock at `path` while the block runs; the kernel frees it if the holder is killed.

    Args:
        path: Of the lock, in a folder on this machine. The holder's process id lies beside it.
        wait: For as long as it takes, if another process has the lock.

    Raises:
        Busy: Another process has the lock, and `wait` is false.
        CnnbenchError: The lock cannot be made.
    """
    lock = FileLock(path)
    if not _taken(lock, path, timeout=-1 if wait else 0):
        raise Busy(f"waiting for {_name(path)} that is measuring")
    try:
        yield
    finally:
        lock.release()


def holder(path: Path) -> int | None:
    """The process that took the lock last, if it is alive."""
    pid = files.number(path.parent, _pid_file(path).name)
    return pid if pid is not None and psutil.pid_exists(pid) else None


def _taken(lock: FileLock, path: Path, timeout: float) -> bool:
    """Whether the lock was had within `timeout` seconds; -1 waits for as long as it takes."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=timeout, poll_interval=POLL_SECONDS)
        _pid_file(path).write_text(f"{os.getpid()}\n", encoding="utf-8")
    except Timeout:
        return False
    except (OSError, NotImplementedError) as error:
        lock.release()
        raise CnnbenchError(
            f"cannot lock {path} ({error}); choose a cache folder that can be written, "
            "on a disk of this machine"
        ) from error
    return True


def _name(path: Path) -> str:
    pid = holder(path)
    return "another process" if pid is None else f"process {pid}"


def _pid_file(path: Path) -> Path:
    # Not in the lock itself: older versions of filelock empty that file whenever somebody tries it.
    return path.with_suffix(".pid")
