"""Have threads of OpenMP spin between parallel regions, instead of going to sleep.

A training step has hundreds of short regions; to wake a thread takes longer than some of them. It
helps where nothing else wants the CPUs.
"""

from typing import Any, Dict

from . import _openmp

CHANGES = "exact"
IDLES = False
SOURCE = "OpenMP 5.2, OMP_WAIT_POLICY; Intel oneAPI, KMP_BLOCKTIME"


def refusal(case: Any) -> str:
    """Backends with thread pools of their own."""
    return _openmp.refusal(case)


def environment(case: Any) -> Dict[str, str]:  # noqa: ARG001
    """For any OpenMP, and for Intel's and LLVM's."""
    return {"OMP_WAIT_POLICY": "ACTIVE", "KMP_BLOCKTIME": "infinite"}
