"""Seconds of training until the goal was reached: all windows, evaluation left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench import goal

if TYPE_CHECKING:
    from cnnbench.record import Launch

UNIT, BETTER = "s", "lower"


def of(launch: Launch) -> float | None:
    """The first step is among them, and with it what is compiled."""
    return sum(window.seconds for window in goal.reached(launch.windows, launch.case)) or None
