"""The table of training to a goal: how long it took, and whether it converged as the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench.report import grid
from cnnbench.report.table import about, filled, interval, number, reasons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnbench.result import Result

TIME, RANGE = "Time (s)", "95 % interval"
IMAGES, RATIO = "Images", "Of the reference's"


def goals(results: Sequence[Result]) -> list[Result]:
    """Those of the results that are of training to a goal."""
    return [result for result in results if result.case.until is not None]


def rows(results: Sequence[Result]) -> list[dict[str, str]]:
    """One row of texts by column for each result with a goal, in their order."""
    return filled([_row(result) for result in goals(results)], RATIO)


def markdown(results: Sequence[Result]) -> str:
    """The table as Markdown, and under it the reasons of rows without a number; perhaps empty."""
    found = rows(results)
    return f"{grid.markdown(found)}{reasons(goals(results))}" if found else ""


def told(result: Result) -> str:
    """What came of it, in half a line."""
    took = result.metrics.get("time_to_accuracy")
    return f"{number(took.point)} s ({interval(took)})" if took else "no time"


def _row(result: Result) -> dict[str, str]:
    case, held = result.case, result.convergence
    took, images = (result.metrics.get(f"{what}_to_accuracy") for what in ("time", "images"))
    ratio = held.images if held else None
    return {
        **about(result),
        "Accuracy": f"{100 * (case.until or 0):g} %",
        "Launches": str(len(result.launches)),
        TIME: number(took.point) if took else result.verdict,
        RANGE: interval(took),
        IMAGES: number(images.point) if images else "",
        RATIO: f"{ratio.point:.2f} ({ratio.low:.2f} - {ratio.high:.2f})" if ratio else "",
    }
