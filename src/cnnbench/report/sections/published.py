"""What was published in 2018, and what was measured of the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from cnnbench.report import published
from cnnbench.report.page import charts
from cnnbench.report.page.parts import Plot, Table, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnbench.report.page.material import Material
    from cnnbench.report.page.parts import Part
    from cnnbench.report.published import Pair

TITLE = "Published against here"
PLACE = 20
ABOUT = (
    'Rows of "Detailed CNN Benchmark Results" (2018) beside the same cases measured. The machines'
    " are not the same: a ratio says how this one compares, not what changed in the software."
)


def parts(material: Material) -> Iterator[Part]:
    """A plot of the rows that have a number, and the table of those that were measured."""
    results = material.results
    found = [pair for pair in published.side_by_side(results) if pair.result and pair.is_telling]
    if not found:
        return
    places = {id(result): place for place, result in enumerate(results)}
    yield Text(ABOUT)
    if plotted := _plot(found, places):
        yield plotted
    yield Table(
        "Published rows, and what was measured of them",
        published.texts(found),
        [places[id(pair.result)] for pair in found],
    )


def _plot(pairs: Sequence[Pair], places: dict[int, int]) -> Plot | None:
    here: list[dict[str, Any]] = []
    said: list[dict[str, Any]] = []
    for pair in pairs:
        if pair.result is None or (speed := pair.result.images_per_second) is None:
            continue
        shared = {
            "result": places[id(pair.result)],
            "label": f"{pair.row.id}: {pair.row.model}, {pair.row.method}, {pair.row.data_format}",
        }
        said.append({**shared, "speed": pair.row.images_per_second})
        here.append({**shared, "stack": pair.stack, "speed": speed.point})
    if not here:
        return None
    return Plot(
        caption="Images per second (logarithmic); the long stroke is what was published",
        about=(
            f"{len({row['label'] for row in here})} published rows, each with its published speed"
            " and those measured here; the table below has every number."
        ),
        spec=_chart(),
        data={"published": said, "here": here},
    )


def _chart() -> dict[str, Any]:
    x = alt.X("speed:Q", title="images/s", scale=alt.Scale(type="log", nice=False, padding=20))
    y = alt.Y("label:N", title=None, axis=charts.LABELS)
    said = charts.rows("published").mark_tick(thickness=3, size=18, color="#7d7d7d")
    here = charts.rows("here").mark_point(filled=True, size=70, opacity=1)
    colour = alt.Color("stack:N", title=None, legend=alt.Legend(columns=3))
    return charts.spec(
        alt.layer(
            said.encode(x=x, y=y, tooltip=["label:N", "speed:Q"]),
            here.encode(
                x=x,
                y=y,
                color=colour,
                shape=alt.Shape("stack:N", title=None),
                tooltip=["label:N", "stack:N", "speed:Q"],
            ),
        )
    )
