"""What the plots of the page have in common."""

from __future__ import annotations

from typing import Any

import altair as alt

LABELS = alt.Axis(labelLimit=420)  # in pixels; less where the page is narrow
ROW = 22  # pixels of a label
PART = 14  # pixels of one of the rows that a label has


def rows(name: str = "rows") -> alt.Chart:
    """A chart of the data of this name."""
    return alt.Chart(alt.NamedData(name))


def spec(chart: Any, *, height: int | None = None, row: int = ROW) -> dict[str, Any]:
    """A chart as wide as its place, as Vega-Lite reads it.

    Args:
        chart: Of Altair.
        height: In pixels; without it, `row` for each label.
        row: In pixels; where labels have several rows beside each other, of one of those.
    """
    sized = chart.properties(width="container", height=height or alt.Step(row))
    found: dict[str, Any] = sized.to_dict()
    return found
