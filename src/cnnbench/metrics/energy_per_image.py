"""Energy of an image in steady training: what all GPUs used took over images consumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnbench.record import Launch

UNIT, BETTER = "J/image", "lower"


def of(launch: Launch) -> float | None:
    """Over the steady windows of a launch, if they are long enough for the driver's samples."""
    joules = launch.facts.get("gpu_steady_joules")
    images = sum(window.images for window in launch.steady)
    return joules / images if isinstance(joules, int | float) and images else None
