"""Images per second of steady training: images consumed over wall time, ratio of sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench import plan

if TYPE_CHECKING:
    from cnnbench.record import Launch

UNIT, BETTER = "images/s", "higher"


def of(launch: Launch) -> float | None:
    """Over the steady windows of a launch."""
    return plan.speed(launch)
