"""How fast each case trains: images per second, with their intervals and launches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from cnnbench.report import table
from cnnbench.report.page import charts
from cnnbench.report.page.labels import Subject, subjects
from cnnbench.report.page.parts import Plot, Table, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnbench.report.page.material import Material
    from cnnbench.report.page.parts import Part

TITLE = "Speed"
PLACE = 10
ABOUT = (
    "A point is the geometric mean of the launches that count, its line the 95 % interval across"
    " launches, a thin stroke one launch. A result without a line has a single launch, and no"
    " interval. The button of a row shows its launches and their windows."
)
WIDE = 20.0  # a factor between speeds, beyond which the axis is logarithmic


def parts(material: Material) -> Iterator[Part]:
    """A plot for each model and data set, and one table of all that have a number."""
    places = list(material.timed)
    if not places:
        return
    yield Text(ABOUT)
    for subject in subjects(material.results):
        if plotted := _plot(subject, material):
            yield plotted
    rows = table.rows([material.results[place] for place in places])
    yield Table("Every result that has a number", rows, places)


def _plot(subject: Subject, material: Material) -> Plot | None:
    points: list[dict[str, Any]] = []
    launches: list[dict[str, Any]] = []
    for place, label in zip(subject.places, subject.labels, strict=True):
        result = material.results[place]
        if (speed := result.images_per_second) is None:
            continue
        shared = {
            "result": place,
            "label": label,
            "format": table.FORMATS[result.case.data_format],
        }
        points.append(
            {
                **shared,
                "speed": speed.point,
                "low": speed.low,
                "high": speed.high,
                "interval": table.interval(speed),
                "notes": table.notes(result) or "none",
            }
        )
        launches += [{**shared, "speed": value} for value in material.speeds(result)]
    if not points:
        return None
    points.sort(key=lambda point: -point["speed"])
    fastest, slowest = points[0], points[-1]
    return Plot(
        caption=f"{subject.title} (images/s)",
        about=(
            f"Images per second of {len(points)} results of {subject.title}, the fastest first:"
            f" from {fastest['label']} with {table.number(fastest['speed'])} to"
            f" {slowest['label']} with {table.number(slowest['speed'])}."
        ),
        spec=_chart(points),
        data={"points": points, "launches": launches},
    )


def _chart(points: list[dict[str, Any]]) -> dict[str, Any]:
    order = list(dict.fromkeys(point["label"] for point in points))
    lows = [point["low"] or point["speed"] for point in points]
    highs = [point["high"] or point["speed"] for point in points]
    wide = max(highs) / min(lows) > WIDE
    scale = alt.Scale(type="log", nice=True) if wide else alt.Scale(zero=True)
    y = alt.Y("label:N", sort=order, title=None, axis=charts.LABELS)
    apart = alt.YOffset("format:N")
    colour = alt.Color("format:N", title="Data format")
    tips = ["label:N", "format:N", "speed:Q", "interval:N", "notes:N"]
    shared: dict[str, Any] = {"y": y, "yOffset": apart, "color": colour}
    x = alt.X("speed:Q", title="images/s", scale=scale)
    lines = charts.rows("points").mark_rule(strokeWidth=3, opacity=0.55, aria=False)
    dots = charts.rows("points").mark_point(filled=True, size=70, opacity=1)
    ticks = charts.rows("launches").mark_tick(thickness=1.5, size=11, opacity=0.8, aria=False)
    chart = alt.layer(
        lines.encode(x=alt.X("low:Q", title="images/s", scale=scale), x2="high:Q", **shared),
        ticks.encode(x=x, **shared),
        dots.encode(x=x, tooltip=tips, **shared),
    )
    return charts.spec(chart, row=charts.PART)
