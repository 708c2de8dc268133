"""Have glibc keep memory that is freed, instead of giving it back to the system.

Training frees and allocates the same arrays in every step. Large ones glibc maps and unmaps one by
one, so that the system has to find and clear all their pages again, step by step. A process so set
never shrinks.
"""

import platform
from typing import Any, Dict

CHANGES = "exact"
SOURCE = "mallopt(3): M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD"
SLOT = "allocator"

VARIABLES = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 40),
    "MALLOC_TOP_PAD_": str(1 << 26),
}


def refusal(case: Any) -> str:  # noqa: ARG001
    """Other allocators know no such variables."""
    return "" if platform.libc_ver()[0] == "glibc" else "it is of glibc's allocator"


def environment(case: Any) -> Dict[str, str]:  # noqa: ARG001
    """The three variables."""
    return dict(VARIABLES)
