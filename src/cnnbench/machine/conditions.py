"""What changes on this machine from minute to minute: recorded as a launch starts and ends."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psutil

from cnnbench.machine import cgroup, files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cnnbench.record import Scalar

# Kernel drivers whose sensors sit in the CPU; a machine has one of them.
CPU_SENSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal")


def conditions(
    since: Mapping[str, Scalar] | None = None, root: Path = files.ROOT
) -> dict[str, Scalar]:
    """The conditions now; None stands for what cannot be told here.

    Seconds, bytes and kills are counted from the boot of the machine, for differences to be taken;
    `cpu_mhz` is the mean over CPUs, `cpu_celsius` the hottest sensor.

    Args:
        since: Earlier conditions, from which on `steal_percent` counts; without, from the boot.
        root: Of the file system.
    """
    load = os.getloadavg()
    return {
        "load_1min": load[0],
        "load_5min": load[1],
        **_steal(since or {}),
        **_memory(),
        "on_battery": _on_battery(),
        "cpu_mhz": _megahertz(),
        "cpu_celsius": _celsius(),
        "oom_kills": files.field(root, "proc/vmstat", "oom_kill"),
        "oom_kills_cgroup": cgroup.oom_kills(root),
    }


def _steal(since: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Share of the CPUs' time in which a CPU had work and the hypervisor did not let it run."""
    times = psutil.cpu_times()._asdict()
    steal = times.get("steal")
    if steal is None:
        return {"cpu_seconds": None, "steal_seconds": None, "steal_percent": None}
    # Time of guests is inside user and nice already.
    total = sum(value for name, value in times.items() if not name.startswith("guest"))
    spent = total - _seconds(since, "cpu_seconds")
    stolen = steal - _seconds(since, "steal_seconds")
    percent = 100 * max(stolen, 0.0) / spent if spent > 0 else None
    return {"cpu_seconds": total, "steal_seconds": steal, "steal_percent": percent}


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
