"""Allocate with jemalloc, which keeps freed memory for the next step.

The library is preloaded; it has to be installed.
"""

from typing import Any, Dict

from . import _preload

CHANGES = "exact"
SOURCE = "jemalloc(3), TUNING"
SLOT = "allocator"

LIBRARY, PACKAGE = "libjemalloc.so.2", "libjemalloc2"

OPTIONS = "background_thread:true,metadata_thp:auto,dirty_decay_ms:-1,muzzy_decay_ms:-1"


def refusal(case: Any) -> str:  # noqa: ARG001
    """Where it is not installed."""
    return _preload.refusal(LIBRARY, PACKAGE)


def environment(case: Any) -> Dict[str, str]:  # noqa: ARG001
    """What preloads it."""
    return dict(_preload.environment(LIBRARY), MALLOC_CONF=OPTIONS)


def holds() -> bool:
    """Whether it was loaded."""
    return _preload.is_loaded(LIBRARY)
