"""Peak memory of the guest process: its largest resident set."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnbench.record import Launch

UNIT, BETTER = "bytes", "lower"


def of(launch: Launch) -> float | None:
    """Of a launch that ended as planned."""
    value = launch.facts.get("peak_memory_bytes")
    return float(value) if isinstance(value, int | float) else None
