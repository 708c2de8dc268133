"""Seconds of the first training step, with the compilation that it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnbench.record import Launch

UNIT, BETTER = "s", "lower"


def of(launch: Launch) -> float | None:
    """Of a launch."""
    return launch.stages.get("first step")
