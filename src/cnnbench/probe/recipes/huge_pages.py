"""Have large arrays lie in pages of 2 MiB, so that the CPU looks up fewer of them.

glibc and PyTorch ask the system for transparent huge pages only when told to.
"""

import platform
from typing import Any, Dict

CHANGES = "exact"
SOURCE = "GNU C Library manual, Memory Allocation Tunables: glibc.malloc.hugetlb"

SETTING = "/sys/kernel/mm/transparent_hugepage/enabled"
SINCE = (2, 35)


def refusal(case: Any) -> str:  # noqa: ARG001
    """Where glibc is too old, or the system has none to give."""
    name, version = platform.libc_ver()
    known = tuple(int(part) for part in version.split(".")[:2]) if name == "glibc" else ()
    if known < SINCE:
        return "it needs glibc %d.%d" % SINCE
    try:
        with open(SETTING) as file:
            chosen = file.read()
    except OSError:
        return "this system has no transparent huge pages"
    return "transparent huge pages are switched off: %s" % SETTING if "[never]" in chosen else ""


def environment(case: Any) -> Dict[str, str]:  # noqa: ARG001
    """What tells glibc, and PyTorch's own allocator."""
    return {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", "THP_MEM_ALLOC_ENABLE": "1"}
