"""Seconds to open the data set and, where the method trains from memory, to read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnbench.record import Launch

UNIT, BETTER = "s", "lower"


def of(launch: Launch) -> float | None:
    """Of a launch."""
    return launch.stages.get("data")
