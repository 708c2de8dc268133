"""Energy of a launch: what its GPUs took from start to end, compilation and idling included."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnbench.record import Launch

UNIT, BETTER = "J", "lower"


def of(launch: Launch) -> float | None:
    """Of a launch on GPUs whose driver tells."""
    value = launch.facts.get("gpu_energy_joules")
    return float(value) if isinstance(value, int | float) else None
