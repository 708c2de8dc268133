"""Conditions now. psutil is faked where the answer depends on the machine."""

from __future__ import annotations

import os
from collections import namedtuple
from types import SimpleNamespace
from typing import TYPE_CHECKING

import psutil
import pytest

from cnnbench.machine.conditions import conditions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Tree = Callable[[dict[str, str]], Path]

Times = namedtuple("Times", "user system idle steal guest")  # noqa: PYI024 - as psutil's
MacTimes = namedtuple("MacTimes", "user system idle")  # noqa: PYI024


def cpus(monkeypatch: pytest.MonkeyPatch, *times: object) -> None:
    """The times that psutil tells of each CPU, all of which this process may use."""
    monkeypatch.setattr(psutil, "cpu_times", lambda percpu: list(times) if percpu else None)
    usable = lambda _: set(range(len(times)))  # noqa: E731
    monkeypatch.setattr(os, "sched_getaffinity", usable, raising=False)


def test_every_condition_of_this_machine_is_a_scalar() -> None:
    assert all(
        isinstance(value, str | int | float | bool | None) for value in conditions().values()
    )


def test_steal_is_a_share_of_all_cpu_time_since_the_earlier_conditions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cpus(monkeypatch, Times(30, 20, 18, 1, 30), Times(20, 0, 10, 1, 10))
    start = conditions()
    assert start["steal_percent"] == pytest.approx(2.0)
    cpus(monkeypatch, Times(34, 21, 18, 1, 33), Times(21, 0, 12, 3, 11))
    end = conditions(since=start)
    assert end["steal_percent"] == pytest.approx(20.0)
    assert (end["cpu_seconds"], end["busy_seconds"], end["steal_seconds"]) == (110, 76, 4)


def test_cpus_that_this_process_may_not_use_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    cpus(monkeypatch, Times(1, 1, 1, 1, 0), Times(90, 0, 0, 9, 0), Times(2, 0, 4, 0, 0))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 2}, raising=False)
    now = conditions()
    assert (now["cpu_seconds"], now["busy_seconds"], now["steal_seconds"]) == (10, 4, 1)


def test_no_time_passed_is_no_share(monkeypatch: pytest.MonkeyPatch) -> None:
    cpus(monkeypatch, Times(50, 20, 28, 2, 40))
    assert conditions(since=conditions())["steal_percent"] is None


def test_kills_for_memory_are_counted_on_host_and_in_the_group(tree: Tree) -> None:
    root = tree(
        {
            "proc/vmstat": "pgfault 9\noom_kill 7",
            "proc/self/cgroup": "0::/",
            "sys/fs/cgroup/memory.events": "oom_kill 2",
        }
    )
    now = conditions(root=root)
    assert (now["oom_kills"], now["oom_kills_cgroup"]) == (7, 2)


def test_swap_is_told_in_bytes_with_its_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "swap_memory", lambda: SimpleNamespace(used=1, sin=2, sout=3))
    now = conditions()
    names = ("swap_used_bytes", "swapped_in_bytes", "swapped_out_bytes")
    assert [now[name] for name in names] == [1, 2, 3]


def test_temperature_is_that_of_the_hottest_cpu_sensor(monkeypatch: pytest.MonkeyPatch) -> None:
    sensors = {
        "coretemp": [SimpleNamespace(current=61.0), SimpleNamespace(current=70.0)],
        "nvme": [SimpleNamespace(current=80.0)],
    }
    monkeypatch.setattr(psutil, "sensors_temperatures", lambda: sensors, raising=False)
    assert conditions()["cpu_celsius"] == 70.0


@pytest.mark.parametrize(("plugged", "expected"), [(True, False), (False, True), (None, None)])
def test_on_battery_is_not_plugged_in(
    monkeypatch: pytest.MonkeyPatch, plugged: object, expected: object
) -> None:
    battery = SimpleNamespace(power_plugged=plugged)
    monkeypatch.setattr(psutil, "sensors_battery", lambda: battery, raising=False)
    assert conditions()["on_battery"] is expected


def test_a_system_that_tells_little_gives_none_and_no_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_frequency() -> None:
        raise FileNotFoundError

    cpus(monkeypatch, MacTimes(1, 2, 3))
    monkeypatch.setattr(psutil, "cpu_freq", no_frequency)
    monkeypatch.delattr(psutil, "sensors_temperatures", raising=False)
    monkeypatch.delattr(psutil, "sensors_battery", raising=False)
    now = conditions(root=tmp_path)
    known = {name for name, value in now.items() if value is not None}
    assert known == {
        "load_1min",
        "load_5min",
        "cpu_seconds",
        "busy_seconds",
        "own_seconds",
        "memory_available_bytes",
        "swap_used_bytes",
        "swapped_in_bytes",
        "swapped_out_bytes",
    }
