"""Seconds of a steady training step: wall time over steps, ratio of sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnbench.record import Launch

UNIT, BETTER = "s", "lower"


def of(launch: Launch) -> float | None:
    """Over the steady windows of a launch."""
    steps = sum(window.steps for window in launch.steady)
    return sum(window.seconds for window in launch.steady) / steps if steps else None
