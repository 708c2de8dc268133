"""Images trained on until the goal was reached, each as often as it was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench import goal

if TYPE_CHECKING:
    from cnnbench.record import Launch

UNIT, BETTER = "images", "lower"


def of(launch: Launch) -> float | None:
    """Of all devices."""
    return sum(window.images for window in goal.reached(launch.windows, launch.case)) or None
