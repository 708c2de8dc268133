"""Whether a stack's loss falls over many steps as the reference's does.

Two right trajectories part: what rounding does in one step grows in the next, and in a deep network
soon decides all. How far they part is seen in trajectories of the reference that are led astray by
as much as rounding may do. A stack is right if its mean loss over the last third of the steps is
no farther from the exact one than a new trajectory of theirs would be.

Source: the prediction interval of Student's t about a known mean (Hahn & Meeker, "Statistical
Intervals", 1991).
"""

from __future__ import annotations

import math
from statistics import mean
from typing import TYPE_CHECKING

from cnnbench.stats.distributions import student_quantile
from cnnbench.verification.checks import Check
from cnnbench.verification.optimizers import HALF_ULP

if TYPE_CHECKING:
    from collections.abc import Sequence

TRAJECTORIES = 6  # that are led astray
FALSE_ALARMS = 1e-4  # the share of right stacks that would be refused


def check(told: Sequence[float], found: Sequence[Sequence[float]]) -> Check:
    """The check of a stack's losses.

    Args:
        told: The loss of each step.
        found: The losses of the exact trajectory, then of each that was led astray.
    """
    exact, *astray = map(late, found)
    spread = math.sqrt(mean((one - exact) ** 2 for one in astray))
    wide = -student_quantile(len(astray), FALSE_ALARMS / 2)
    return Check(
        what="late loss",
        where="",
        step=len(told),
        deviation=abs(late(told) - exact),
        tolerance=wide * spread + 2 * HALF_ULP * abs(exact),
    )


def late(losses: Sequence[float]) -> float:
    """The mean of the last third."""
    return mean(losses[-max(1, len(losses) // 3) :])
