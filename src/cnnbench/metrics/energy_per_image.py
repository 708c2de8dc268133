"""Energy of an image in training: what all GPUs used took, or the CPUs where none is, over images.

Over the windows that were measured, of which a later judgement may call some warm-up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnbench.record import Launch

UNIT, BETTER = "J/image", "lower"


def of(launch: Launch) -> float | None:
    """Of a launch whose windows are long enough for the driver's samples, or whose CPUs tell."""
    where = "gpu" if "gpu_steady_joules" in launch.facts else "cpu"
    joules, images = (launch.facts.get(n) for n in (f"{where}_steady_joules", "metered_images"))
    if not isinstance(joules, int | float) or not isinstance(images, int) or not images:
        return None
    return joules / images
