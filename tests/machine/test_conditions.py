"""Conditions now. psutil is faked where the answer depends on the machine."""

from __future__ import annotations

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


def test_every_condition_of_this_machine_is_a_scalar() -> None:
    assert all(
        isinstance(value, str | int | float | bool | None) for value in conditions().values()
    )


def test_steal_is_a_share_of_all_cpu_time_since_the_earlier_conditions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(psutil, "cpu_times", lambda: Times(50, 20, 28, 2, 40))
    start = conditions()
    assert start["steal_percent"] == pytest.approx(2.0)
    monkeypatch.setattr(psutil, "cpu_times", lambda: Times(55, 21, 30, 4, 44))
    end = conditions(since=start)
    assert end["steal_percent"] == pytest.approx(20.0)
    assert end["steal_seconds"] == 4


def test_no_time_passed_is_no_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "cpu_times", lambda: Times(50, 20, 28, 2, 40))
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

    monkeypatch.setattr(psutil, "cpu_times", lambda: MacTimes(1, 2, 3))
    monkeypatch.setattr(psutil, "cpu_freq", no_frequency)
    monkeypatch.delattr(psutil, "sensors_temperatures", raising=False)
    monkeypatch.delattr(psutil, "sensors_battery", raising=False)
    now = conditions(root=tmp_path)
    known = {name for name, value in now.items() if value is not None}
    assert known == {
        "load_1min",
        "load_5min",
        "memory_available_bytes",
        "swap_used_bytes",
        "swapped_in_bytes",
        "swapped_out_bytes",
    }
