"""Training to a goal: until so many of the held-out images are classified rightly.

Pure. The clock of a goal counts the windows of training, the first step too; evaluation lies
between windows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cnnbench.plan import Request
from cnnbench.record import FIRST_STEP, STEADY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnbench.case import Budget, Case
    from cnnbench.record import Launch, Window

WINDOWS = 5  # in a pass through the images: how finely it is seen when a goal is reached


def next_window(
    windows: Sequence[Window], case: Case, budget: Budget, images: int, *, whole: bool
) -> Request | None:
    """What to ask of a launch that trains to a goal; None once it is there, or gives up.

    Args:
        windows: In order.
        case: What is trained, to which goal.
        budget: When to give up.
        images: In a pass.
        whole: Whether a window has to be a whole pass, as where each begins with the first batch.
    """
    if not windows:
        return Request(FIRST_STEP, 1)
    if reached(windows, case) or sum(w.images for w in windows) >= budget.passes * images:
        return None
    steps = math.ceil(images / case.global_batch)
    return Request(STEADY, steps if whole else math.ceil(steps / WINDOWS))


def is_of(launches: Sequence[Launch]) -> bool:
    """Whether launches of one case train to a goal; False if there are none yet."""
    return bool(launches) and launches[-1].case.until is not None


def needs_launch(launches: Sequence[Launch], budget: Budget) -> bool:
    """Whether a case with a goal should get another launch: as many seeds as were asked for."""
    return len(launches) < budget.launches[0]


def reached(windows: Sequence[Window], case: Case) -> Sequence[Window]:
    """The windows up to the first after which the goal was reached; none if it never was."""
    if case.until is None:
        return ()
    for count, window in enumerate(windows, 1):
        if window.accuracy is not None and window.accuracy >= case.until:
            return windows[:count]
    return ()


def best(launch: Launch) -> float:
    """The highest accuracy of a launch; 0 if none was measured."""
    return max((w.accuracy for w in launch.windows if w.accuracy is not None), default=0.0)
