"""What changes on this machine from minute to minute: recorded as a launch starts and ends."""

from __future__ import annotations

import contextlib
import os
import resource
from typing import TYPE_CHECKING, TypeVar

import psutil

from cnnbench.machine import cgroup, files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cnnbench.record import Scalar

T = TypeVar("T")

# What a CPU with work does; the names are psutil's.
BUSY = ("user", "nice", "system", "irq", "softirq")

# Kernel drivers whose sensors sit in the CPU; a machine has one of them.
CPU_SENSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal")


def conditions(
    since: Mapping[str, Scalar] | None = None, root: Path = files.ROOT
) -> dict[str, Scalar]:
    """The conditions now; None stands for what cannot be told here.

    Seconds, bytes, kills and throttles are counted from the boot of the machine, for differences
    to be taken; seconds are of the CPUs that this process may use, `own_seconds` what cnnbench and
    its guests took of them;
    `cpu_mhz` is the mean over CPUs, `cpu_celsius` the hottest sensor.

    Args:
        since: Earlier conditions, from which on `steal_percent` counts; without, from the boot.
        root: Of the file system.
    """
    load = os.getloadavg()
    return {
        "load_1min": load[0],
        "load_5min": load[1],
        **_cpu_time(since or {}),
        "own_seconds": _own_seconds(),
        "cpu_throttles": _throttles(root),
        **_memory(),
        "on_battery": _on_battery(),
        "cpu_mhz": _megahertz(),
        "cpu_celsius": _celsius(),
        "oom_kills": files.field(root, "proc/vmstat", "oom_kill"),
        "oom_kills_cgroup": cgroup.oom_kills(root),
    }


def _cpu_time(since: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Of the CPUs that this process may use: seconds in all, with work, and with work that waited.

    `steal_percent` is the share of time in which the hypervisor did not let a CPU with work run.
    """
    times = [each._asdict() for each in _usable(psutil.cpu_times(percpu=True))]
    # Time of guests is inside user and nice already.
    total = sum(v for each in times for k, v in each.items() if not k.startswith("guest"))
    busy = sum(each.get(name, 0.0) for each in times for name in BUSY)
    if not all("steal" in each for each in times):
        untold = {"steal_seconds": None, "steal_percent": None}
        return {"cpu_seconds": total, "busy_seconds": busy, **untold}
    steal = sum(each["steal"] for each in times)
    spent = total - _seconds(since, "cpu_seconds")
    stolen = steal - _seconds(since, "steal_seconds")
    percent = 100 * max(stolen, 0.0) / spent if spent > 0 else None
    return {
        "cpu_seconds": total,
        "busy_seconds": busy,
        "steal_seconds": steal,
        "steal_percent": percent,
    }


def _usable(values: Sequence[T]) -> list[T]:
    """Those of the CPUs that this process may use."""
    if not hasattr(os, "sched_getaffinity"):
        return list(values)
    here = os.sched_getaffinity(0)
    return [value for cpu, value in enumerate(values) if cpu in here] or list(values)


def _own_seconds() -> float:
    """CPU time of this process and of all that it ever started, living or not."""
    spent = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        used = resource.getrusage(who)
        spent += used.ru_utime + used.ru_stime
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            used_by = child.cpu_times()
            spent += used_by.user + used_by.system
            spent += used_by.children_user + used_by.children_system
    return spent


def _throttles(root: Path) -> int | None:
    """How often a CPU slowed itself down for heat since the boot; None if that is not counted."""
    pattern = "sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/core_throttle_count"
    paths = (str(path.relative_to(root)) for path in root.glob(pattern))
    counts = [count for path in paths if (count := files.number(root, path)) is not None]
    return sum(counts) if counts else None


def _memory() -> dict[str, Scalar]:
    swap = psutil.swap_memory()
    return {
        "memory_available_bytes": psutil.virtual_memory().available,
        "swap_used_bytes": swap.used,
        "swapped_in_bytes": swap.sin,
        "swapped_out_bytes": swap.sout,
    }


def _on_battery() -> bool | None:
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    if battery is None or battery.power_plugged is None:
        return None
    return not battery.power_plugged


def _megahertz() -> float | None:
    try:
        frequency = psutil.cpu_freq()
    except (AttributeError, NotImplementedError, OSError, RuntimeError):
        return None  # psutil has none of it on some Arm machines and containers
    return frequency.current if frequency and frequency.current > 0 else None


def _celsius() -> float | None:
    if not hasattr(psutil, "sensors_temperatures"):
        return None
    sensors = psutil.sensors_temperatures()
    found = [sensor.current for name in CPU_SENSORS for sensor in sensors.get(name, ())]
    return max(found, default=None)


def _seconds(since: Mapping[str, Scalar], name: str) -> float:
    value = since.get(name)
    return value if isinstance(value, int | float) else 0.0
