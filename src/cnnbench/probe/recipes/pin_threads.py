"""Keep each thread of OpenMP on one CPU.

A thread that the system moves leaves its caches behind.
"""

from typing import Any, Dict

from . import _openmp

CHANGES = "exact"
SOURCE = "OpenMP 5.2, OMP_PROC_BIND and OMP_PLACES"


def refusal(case: Any) -> str:
    """Backends with thread pools of their own."""
    return _openmp.refusal(case)


def environment(case: Any) -> Dict[str, str]:  # noqa: ARG001
    """One place a CPU, threads close to each other."""
    return {"OMP_PROC_BIND": "close", "OMP_PLACES": "threads"}
