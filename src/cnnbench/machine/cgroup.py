"""What the control group of this process allows (Linux cgroup v1, v2, or both at once).

A limit may be set on the group itself or on any group above it, so the smallest one counts. Inside
a container the group's own folder is often not visible, but the mount point then stands for it.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from cnnbench.machine import files

if TYPE_CHECKING:
    from collections.abc import Iterator

# Version 1 spells "no limit" as the largest multiple of a page: nobody has an exbibyte.
NO_LIMIT = 2**60


def cpu_quota(root: Path = files.ROOT) -> float | None:
    """CPUs' worth of time that the group may use, like 1.5; None if unlimited."""
    found = (_quota(root, folder) for folder in _folders(root, "cpu"))
    return min((quota for quota in found if quota is not None), default=None)


def memory_limit(root: Path = files.ROOT) -> int | None:
    """Bytes of memory that the group may use; None if unlimited."""
    names = ("memory.max", "memory.limit_in_bytes")
    folders = _folders(root, "memory")
    found = [files.number(root, f"{folder}/{name}") for folder in folders for name in names]
    return min((limit for limit in found if limit is not None and limit < NO_LIMIT), default=None)


def oom_kills(root: Path = files.ROOT) -> int | None:
    """Processes of the group that were killed for memory so far; None if not counted."""
    for folder in _folders(root, "memory"):
        for name in ("memory.events", "memory.oom_control"):
            count = files.field(root, f"{folder}/{name}", "oom_kill")
            if count is not None:
                return count
    return None


def _quota(root: Path, folder: str) -> float | None:
    words = (files.text(root, f"{folder}/cpu.max") or "").split()
    if len(words) == 2:  # noqa: PLR2004 - quota and period, both in microseconds
        quota, period = files.integer(words[0]), files.integer(words[1])
    else:
        quota = files.number(root, f"{folder}/cpu.cfs_quota_us")
        period = files.number(root, f"{folder}/cpu.cfs_period_us")
    return quota / period if quota and period and quota > 0 else None


def _folders(root: Path, controller: str) -> Iterator[str]:
    """The group's folder and those above it up to the mount point, in each hierarchy."""
    for line in (files.text(root, "proc/self/cgroup") or "").splitlines():
        _, controllers, group = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        mount = f"sys/fs/cgroup/{controller}" if controllers else _unified(root)
        path = PurePosixPath(group.lstrip("/"))
        yield from (str(PurePosixPath(mount, part)) for part in (path, *path.parents))


def _unified(root: Path) -> str:
    hybrid = "sys/fs/cgroup/unified"
    return hybrid if (root / hybrid).is_dir() else "sys/fs/cgroup"
