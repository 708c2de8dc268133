"""Limits of control groups, in both versions and both at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cnnbench.machine import cgroup

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Tree = Callable[[dict[str, str]], Path]

UNLIMITED_V1 = "9223372036854771712"


def test_version_2_gives_quota_memory_and_kills(tree: Tree) -> None:
    root = tree(
        {
            "proc/self/cgroup": "0::/job",
            "sys/fs/cgroup/job/cpu.max": "150000 100000",
            "sys/fs/cgroup/job/memory.max": "4294967296",
            "sys/fs/cgroup/job/memory.events": "low 0\noom 2\noom_kill 1",
        }
    )
    assert cgroup.cpu_quota(root) == 1.5
    assert cgroup.memory_limit(root) == 4 * 2**30
    assert cgroup.oom_kills(root) == 1


def test_the_smallest_limit_on_the_way_up_counts(tree: Tree) -> None:
    root = tree(
        {
            "proc/self/cgroup": "0::/pod/job",
            "sys/fs/cgroup/pod/cpu.max": "200000 100000",
            "sys/fs/cgroup/pod/job/cpu.max": "max 100000",
            "sys/fs/cgroup/pod/memory.max": "max",
            "sys/fs/cgroup/pod/job/memory.max": "1048576",
        }
    )
    assert cgroup.cpu_quota(root) == 2.0
    assert cgroup.memory_limit(root) == 2**20


def test_version_1_gives_quota_memory_and_kills(tree: Tree) -> None:
    root = tree(
        {
            "proc/self/cgroup": "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n1:name=systemd:/",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824",
            "sys/fs/cgroup/memory/memory.oom_control": "under_oom 0\noom_kill 4",
        }
    )
    assert cgroup.cpu_quota(root) == 0.5
    assert cgroup.memory_limit(root) == 2**30
    assert cgroup.oom_kills(root) == 4


def test_both_versions_at_once_are_read_where_each_is_mounted(tree: Tree) -> None:
    root = tree(
        {
            "proc/self/cgroup": "3:cpu:/\n0::/job",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            "sys/fs/cgroup/unified/job/cpu.max": "300000 100000",
        }
    )
    assert cgroup.cpu_quota(root) == 3.0


@pytest.mark.parametrize(
    "texts",
    [
        {},
        {"proc/self/cgroup": "0::/"},
        {
            "proc/self/cgroup": "0::/",
            "sys/fs/cgroup/cpu.max": "max 100000",
            "sys/fs/cgroup/memory.max": "max",
        },
        {
            "proc/self/cgroup": "2:memory:/\n1:cpu:/",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": UNLIMITED_V1,
        },
    ],
)
def test_no_limit_is_none(tree: Tree, texts: dict[str, str]) -> None:
    root = tree(texts)
    assert cgroup.cpu_quota(root) is None
    assert cgroup.memory_limit(root) is None
    assert cgroup.oom_kills(root) is None
