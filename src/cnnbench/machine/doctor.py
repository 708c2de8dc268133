"""Is this machine fit to measure on? Pure: from facts and conditions to findings.

Thresholds are where the disturbance reaches the size of what a comparison wants to see, about 1 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cnnbench.probe.recipes.bfloat16_math import INSTRUCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnbench.machine.gpu import Gpu
    from cnnbench.record import Facts

# What slows a card down for a reason that somebody can mend; a power cap is how many are sold.
MENDABLE = ("hardware slowdown", "heat", "power brake")

GIB = 2**30

LOAD_PER_CPU = 0.1
STEAL_PERCENT = 1.0
SWAPPED_SHARE = 0.01
FREE_SHARE = 0.1
FREE_BYTES = 2 * GIB
HOT_CELSIUS = 75


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        level: `ok`, `note` (know it when you read the speeds), `warning` (mend it first).
        what: What was found, in one line.
        advice: What to do, with the command where there is one; empty if nothing.
    """

    level: Literal["ok", "note", "warning"]
    what: str
    advice: str = ""


def check(
    facts: Facts, conditions: Facts, gpus: Sequence[Gpu], gpu_users: str = ""
) -> list[Finding]:
    """The findings on a machine; what cannot be read is told in one note.

    Args:
        facts: Of `machine.facts`.
        conditions: Of `machine.conditions` and `machine.gpu_conditions`, before measuring.
        gpus: Of `machine.gpu`.
        gpu_users: Of `machine.gpu_users`, in words; empty if nobody else uses a GPU.
    """
    return [
        *_governor(facts),
        *_turbo(facts),
        *_siblings(facts),
        *_load(facts, conditions),
        *_steal(conditions),
        *_quota(facts),
        *_swap(facts, conditions),
        *_memory(facts, conditions),
        *_virtual(facts),
        *_bfloat16(facts),
        *_cards(gpus),
        *_shared(gpu_users),
        *_slowed(conditions),
        *_clocks(gpus, conditions),
        *_battery(conditions),
        *_temperature(conditions),
        *_throttles(conditions),
        *_unknown(facts, conditions),
    ]


def _governor(facts: Facts) -> Iterator[Finding]:
    governor = facts.get("governor")
    if governor == "performance":
        yield Finding("ok", "the CPU frequency governor is performance")
    elif governor is not None:
        advice = "sudo cpupower frequency-set --governor performance"
        yield Finding("warning", f"the CPU frequency governor is {governor}", advice)


def _turbo(facts: Facts) -> Iterator[Finding]:
    turbo = facts.get("turbo")
    if turbo is False:
        yield Finding("ok", "turbo is off")
    elif turbo:
        intel, others = "intel_pstate/no_turbo", "cpufreq/boost"
        switch = f"echo 1 > {intel}" if "Intel" in str(facts.get("cpu")) else f"echo 0 > {others}"
        yield Finding(
            "note",
            "turbo is on: speed depends on temperature and on how many cores are busy",
            f"to steady it, as root in /sys/devices/system/cpu: {switch}",
        )


def _siblings(facts: Facts) -> Iterator[Finding]:
    if facts.get("smt") is False:
        yield Finding("ok", "each CPU is a core of its own")
    elif facts.get("smt"):
        yield Finding(
            "note",
            "CPUs share cores (SMT), so twice the CPUs is not twice the speed",
            "to have whole cores: echo off | sudo tee /sys/devices/system/cpu/smt/control",
        )


def _load(facts: Facts, conditions: Facts) -> Iterator[Finding]:
    load, cpus = _number(conditions, "load_1min"), _number(facts, "cpus")
    if load is None or not cpus:
        return
    what = f"load {load:.2f} on {cpus:.0f} CPUs"
    if load <= LOAD_PER_CPU * cpus:
        yield Finding("ok", what)
    else:
        yield Finding("warning", what, "stop what else is running (see: top), or wait a minute")


def _steal(conditions: Facts) -> Iterator[Finding]:
    steal = _number(conditions, "steal_percent")
    if steal is None:
        return
    what = f"the hypervisor took {steal:.1f} % of the CPUs' time"
    if steal < STEAL_PERCENT:
        yield Finding("ok", what)
    else:
        yield Finding("warning", what, "use an instance with CPUs of its own, or a less busy host")


def _quota(facts: Facts) -> Iterator[Finding]:
    quota, usable = _number(facts, "cpu_quota"), _number(facts, "cpus_usable")
    if usable is None:
        return
    if quota is None or quota >= usable:
        yield Finding("ok", f"all of {usable:.0f} usable CPUs may be used all the time")
        return
    yield Finding(
        "warning",
        f"the control group grants {quota:.3g} of {usable:.0f} CPUs: threads are stopped in bursts",
        "pin the container to CPUs (--cpuset-cpus) in place of a quota (--cpus)",
    )


def _swap(facts: Facts, conditions: Facts) -> Iterator[Finding]:
    used, total = _number(conditions, "swap_used_bytes"), _number(facts, "memory_bytes")
    if used is None or total is None:
        return
    if used <= SWAPPED_SHARE * total:
        yield Finding("ok", "swap is not in use")
    else:
        advice = "free memory, then: sudo swapoff -a && sudo swapon -a"
        yield Finding("warning", f"{used / GIB:.1f} GiB are swapped out", advice)


def _memory(facts: Facts, conditions: Facts) -> Iterator[Finding]:
    free, total = _number(conditions, "memory_available_bytes"), _number(facts, "memory_bytes")
    if free is None or total is None:
        return
    # A limit on the control group caps both; what the group uses already is not subtracted.
    limit = _number(facts, "memory_limit_bytes") or total
    free, total = min(free, limit), min(total, limit)
    what = f"{free / GIB:.1f} of {total / GIB:.1f} GiB of memory are free"
    if free >= max(FREE_BYTES, FREE_SHARE * total):
        yield Finding("ok", what)
    else:
        yield Finding("warning", what, "end other programs, or measure small batches only")


def _virtual(facts: Facts) -> Iterator[Finding]:
    vendor = facts.get("virtualisation")
    if vendor == "none":
        yield Finding("ok", "no virtual machine")
    elif vendor is not None:
        yield Finding(
            "note",
            f"a virtual machine ({vendor}): neighbours can slow it down unseen",
            "compare only what was measured interleaved: cnnbench compare",
        )


def _bfloat16(facts: Facts) -> Iterator[Finding]:
    flags = str(facts.get("cpu_flags") or "").split()
    if flags and INSTRUCTIONS.isdisjoint(flags):
        yield Finding(
            "note",
            "this CPU has no instructions for bfloat16: on it frameworks emulate that",
            "its cost: cnnbench compare --arm precision=float32 --arm precision=bfloat16",
        )


def _cards(gpus: Sequence[Gpu]) -> Iterator[Finding]:
    if gpus:
        names = ", ".join(gpu.name for gpu in gpus)
        yield Finding("ok", f"{len(gpus)} GPU{'s' * (len(gpus) > 1)}: {names}")
        if any(gpu.persistence is False for gpu in gpus):
            what = "the NVIDIA driver is unloaded between launches, which then begin slowly"
            yield Finding("note", what, "to keep it: sudo nvidia-smi -pm 1")
    else:
        yield Finding("note", "no GPU: GPU stacks are unsupported here", "nvidia-smi tells why")


def _shared(users: str) -> Iterator[Finding]:
    if users:
        advice = "wait, or name idle cards in CUDA_VISIBLE_DEVICES"
        yield Finding("warning", users, advice)


def _slowed(conditions: Facts) -> Iterator[Finding]:
    reasons = str(conditions.get("gpu_throttle_reasons") or "")
    if any(word in reasons for word in MENDABLE):
        advice = "let it cool down and check fans and power: nvidia-smi -q -d PERFORMANCE"
        yield Finding("warning", f"a GPU is slowed down: {reasons}", advice)


def _clocks(gpus: Sequence[Gpu], conditions: Facts) -> Iterator[Finding]:
    most = min((gpu.max_mhz for gpu in gpus if gpu.max_mhz is not None), default=None)
    if most is None:
        return
    if "clock setting" in str(conditions.get("gpu_throttle_reasons")):
        yield Finding("ok", "the clocks of the GPUs are set")
        return
    now = _number(conditions, "gpu_mhz")
    told = "" if now is None else f", now at {now:.0f} MHz"
    yield Finding(
        "note",
        f"GPU clocks are free up to {most} MHz{told}: speed depends on temperature and power",
        "to steady them, well below that: sudo nvidia-smi --lock-gpu-clocks=MHZ",
    )


def _battery(conditions: Facts) -> Iterator[Finding]:
    if conditions.get("on_battery"):
        yield Finding("warning", "the machine runs on its battery", "plug it in")


def _temperature(conditions: Facts) -> Iterator[Finding]:
    celsius = _number(conditions, "cpu_celsius")
    if celsius is None:
        return
    what = f"the CPU is at {celsius:.0f} °C"
    if celsius < HOT_CELSIUS:
        yield Finding("ok", what)
    else:
        yield Finding("warning", what, "let it cool down before measuring, and check the fans")


def _throttles(conditions: Facts) -> Iterator[Finding]:
    times = _number(conditions, "cpu_throttles")
    if times is None:
        return
    if times == 0:
        yield Finding("ok", "no CPU has slowed itself down for heat since the boot")
    else:
        yield Finding(
            "note",
            f"CPUs slowed themselves down for heat {times:.0f} times since the boot",
            "check fans and dust; a launch in which it happens is measured again",
        )


def _unknown(facts: Facts, conditions: Facts) -> Iterator[Finding]:
    looked = {
        "governor": facts.get("governor"),
        "turbo": facts.get("turbo"),
        "SMT": facts.get("smt"),
        "virtualisation": facts.get("virtualisation"),
        "steal": conditions.get("steal_percent"),
        "temperature": conditions.get("cpu_celsius"),
        "throttling": conditions.get("cpu_throttles"),
    }
    missing = [name for name, value in looked.items() if value is None]
    if missing:
        what = f"cannot be read here: {', '.join(missing)}"
        yield Finding("note", what, "a virtual machine does not see them: ask for its host's")


def _number(values: Facts, name: str) -> float | None:
    value = values.get(name)
    return value if isinstance(value, int | float) else None
