"""Backends that compute with oneDNN, and the CPU that it finds."""

import os
from typing import Any, Set

BACKENDS = ("torch", "native", "tensorflow")

CPUS = "/proc/cpuinfo"


def refusal(case: Any) -> str:
    """Of backends without oneDNN, and of GPUs."""
    if case["backend"] not in BACKENDS or case["stack"].startswith("keras2"):
        return "%s does not compute with oneDNN" % case["stack"]
    return "" if case["device"] == "cpu" else "oneDNN computes on CPUs"


def instructions() -> Set[str]:
    """What the CPU has, as Linux names it; nothing where the system does not say."""
    if not os.path.exists(CPUS):
        return set()
    with open(CPUS) as told:
        return set(told.read().split())
