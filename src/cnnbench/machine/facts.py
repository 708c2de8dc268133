"""What this machine is: the facts that are recorded with every launch."""

from __future__ import annotations

import functools
import hashlib
import hmac
import os
import platform
from typing import TYPE_CHECKING

import cpuinfo
import psutil

from cnnbench.case import digest
from cnnbench.machine import cgroup, files, hypervisor, instance
from cnnbench.machine.gpu import gpus
from cnnbench.version import VERSION

if TYPE_CHECKING:
    from pathlib import Path

    from cnnbench.record import Facts, Scalar

# Instructions that decide how fast a convolution can be: x86 first, then Arm; the fastest last.
FLAGS = ("avx2", "avx_vnni", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "sve", "bf16")
GIB = 2**30


def facts(root: Path = files.ROOT) -> dict[str, Scalar]:
    """The facts of this machine; None stands for what cannot be told here.

    `cpu_quota` is in CPUs, `*_bytes` in bytes, `machine_id` what `machine_id` says of the others.
    The first call takes about a second.
    """
    cpu, flags = _cpu()
    found = {
        "os": _os(),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "cpu": cpu,
        "cpu_flags": " ".join(flag for flag in FLAGS if flag in flags),
        **_processors(root),
        "memory_bytes": psutil.virtual_memory().total,
        "memory_limit_bytes": cgroup.memory_limit(root),
        "virtualisation": hypervisor.vendor(root, flags),
        **instance.facts(root),
        **_cards(),
        "machine_key": _machine_key(root),
        "python": platform.python_version(),
        "cnnbench": VERSION,
    }
    return found | {"machine_id": machine_id(found)}


def machine_id(facts: Facts) -> str:
    """Twelve hexadecimal digits: launches that share them ran on what counts as one machine.

    Kernel, drivers and what changes from minute to minute do not enter. Instructions do: under a
    hypervisor CPUs of several generations may have one name, and a copied image one key.
    """
    names = ["cpu", "cpu_flags", "cpus", "cpus_usable", "cpu_quota", "gpus", "gpu", "machine_key"]
    # Kernels keep different amounts of memory to themselves.
    memory = round(_number(facts, "memory_bytes", 0) / GIB)
    return digest([memory, *(facts.get(name) for name in names)])


def label(facts: Facts) -> str:
    """The machine in a table's first column, like `AMD EPYC (avx2), 2 CPUs, 24 GiB`.

    CPUs and memory are those that this process may use. Where a hypervisor hides the model of the
    CPU, its fastest instructions tell apart what has one name.
    """
    cpu = str(facts.get("cpu") or "unknown CPU")
    flags = str(facts.get("cpu_flags") or "").split()
    fastest = max(set(flags).intersection(FLAGS), key=FLAGS.index, default=None)
    if fastest and not any(map(str.isdigit, cpu)):
        cpu = f"{cpu} ({fastest})"
    cpus = _number(facts, "cpus_usable", 0)
    cpus = min(cpus, _number(facts, "cpu_quota", cpus))
    memory = _number(facts, "memory_bytes", 0)
    memory = min(memory, _number(facts, "memory_limit_bytes", memory)) / GIB
    parts = [cpu, f"{cpus:.3g} CPU{'s' * (cpus != 1)}"]
    parts.append(f"{memory:.0f} GiB" if memory >= 1 else f"{memory * 1024:.0f} MiB")
    count = facts.get("gpus")
    if count:
        parts.append(f"{count} x {facts.get('gpu')}")
    return ", ".join(parts)


@functools.cache
def _cpu() -> tuple[str, frozenset[str]]:
    """Name and flags of the CPU; cached, for py-cpuinfo takes a second."""
    found = cpuinfo.get_cpu_info()
    name = found.get("brand_raw") or platform.processor() or platform.machine()
    return " ".join(name.split()), frozenset(found.get("flags", ()))


def _os() -> str:
    if platform.system() == "Darwin":
        return f"macOS {platform.mac_ver()[0]}"
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()


def _processors(root: Path) -> dict[str, Scalar]:
    cpus = psutil.cpu_count(logical=True)
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cpus
    smt = files.number(root, "sys/devices/system/cpu/smt/active")
    return {
        "cpus": cpus,
        "cores": psutil.cpu_count(logical=False),
        "cpus_usable": usable,
        "cpu_quota": cgroup.cpu_quota(root),
        "governor": _governor(root),
        "turbo": _turbo(root),
        "smt": None if smt is None else smt == 1,
    }


def _governor(root: Path) -> str | None:
    """The governors of all CPUs, each once."""
    paths = root.glob("sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor")
    found = {files.text(root, str(path.relative_to(root))) for path in paths}
    return " ".join(sorted(name for name in found if name)) or None


def _turbo(root: Path) -> bool | None:
    """Whether CPUs may exceed their nominal frequency."""
    forbidden = files.number(root, "sys/devices/system/cpu/intel_pstate/no_turbo")
    if forbidden is not None:
        return forbidden == 0
    boost = files.number(root, "sys/devices/system/cpu/cpufreq/boost")
    return None if boost is None else boost == 1


def _cards() -> dict[str, Scalar]:
    found = gpus()
    return {
        "gpus": len(found),
        "gpu": " + ".join(sorted({card.name for card in found})) or None,
        "gpu_driver": found[0].driver if found else None,
    }


def _machine_key(root: Path) -> str | None:
    """A keyed hash of the machine's own id, which machine-id(5) asks to keep secret."""
    secret = files.text(root, "etc/machine-id")
    if secret is None or secret == "uninitialized":  # noqa: S105 - the word that systemd writes
        return None
    return hmac.new(secret.encode(), b"cnnbench", hashlib.sha256).hexdigest()[:12]


def _number(facts: Facts, name: str, default: float) -> float:
    value = facts.get(name)
    return value if isinstance(value, int | float) else default
