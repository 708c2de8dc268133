"""Allocate with tcmalloc, which keeps freed memory for the next step.

The library is preloaded; it has to be installed.
"""

from typing import Any, Dict

from . import _preload

CHANGES = "exact"
SOURCE = "gperftools, docs/tcmalloc"
SLOT = "allocator"

LIBRARY, PACKAGE = "libtcmalloc_minimal.so.4", "libtcmalloc-minimal4"


def refusal(case: Any) -> str:  # noqa: ARG001
    """Where it is not installed."""
    return _preload.refusal(LIBRARY, PACKAGE)


def environment(case: Any) -> Dict[str, str]:  # noqa: ARG001
    """What preloads it."""
    return _preload.environment(LIBRARY)


def holds() -> bool:
    """Whether it was loaded."""
    return _preload.is_loaded(LIBRARY)
