"""What the data format and the training method change, all else being equal."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import altair as alt

from cnnbench.report.page import charts
from cnnbench.report.page.labels import labels
from cnnbench.report.page.parts import Plot, Table, Text
from cnnbench.report.tuned import interval
from cnnbench.stats import welch
from cnnbench.stats.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnbench.case import Case
    from cnnbench.report.page.material import Material
    from cnnbench.report.page.parts import Part

TITLE = "Data format and method"
PLACE = 30
ABOUT = (
    "Each ratio is of two results that differ in nothing else, with Welch's 95 % interval on the"
    " logarithms of their launches. They were measured apart, so that what changed between them on"
    " the machine is in the ratio: for a verdict use cnnbench compare."
)
# The value that others are compared with, by axis.
BASELINES = {"data_format": "channels_last", "method": "train_on_batch"}
HEADINGS = {"data_format": "Data format", "method": "Method"}
CONFIDENCE = 0.95


class Effect(NamedTuple):
    """One value of an axis over another, of results that are else equal.

    Attributes:
        place: Of the result among the page's.
        axis: In which they differ.
        what: Value and baseline.
        ratio: Of images per second; without bounds where one of them has a single launch.
    """

    place: int
    axis: str
    what: str
    ratio: Interval


def parts(material: Material) -> Iterator[Part]:
    """A plot and a table for each axis."""
    found = [effect for axis in BASELINES for effect in effects(material, axis)]
    if not found:
        return
    yield Text(ABOUT)
    names = labels([material.results[effect.place] for effect in found])
    for axis, heading in HEADINGS.items():
        own = [(e, name) for e, name in zip(found, names, strict=True) if e.axis == axis]
        if own:
            yield _plot(material, heading, own)
            yield _table(material, heading, own)


def effects(material: Material, axis: str) -> Iterator[Effect]:
    """Every value of an axis over the baseline, where both were measured on one machine."""
    groups: dict[tuple[Case, object], dict[str, int]] = defaultdict(dict)
    for place in material.timed:
        result = material.results[place]
        blank: dict[str, Any] = {axis: ""}
        key = replace(result.case, **blank), result.machine.get("machine_id")
        groups[key][getattr(result.case, axis)] = place
    baseline = BASELINES[axis]
    for group in groups.values():
        for value, place in group.items():
            if value != baseline and baseline in group:
                yield _effect(material, axis, place, group[baseline])


def _effect(material: Material, axis: str, place: int, other: int) -> Effect:
    one, base = material.results[place], material.results[other]
    ratio, low, high = material.timed[place].point / material.timed[other].point, None, None
    own, its = ([math.log(v) for v in material.speeds(result)] for result in (one, base))
    if min(len(own), len(its)) > 1:
        _, reach = welch.difference(own, its, CONFIDENCE, least_noise=welch.LEAST_NOISE)
        low, high = ratio * math.exp(-reach), ratio * math.exp(reach)
    what = f"{getattr(one.case, axis)} over {getattr(base.case, axis)}"
    return Effect(place, axis, what, Interval(ratio, low, high))


def _table(material: Material, heading: str, found: Sequence[tuple[Effect, str]]) -> Table:
    rows = [
        {
            "Model": material.results[effect.place].case.model,
            "Data Set": material.results[effect.place].case.dataset,
            "Result": name,
            heading: effect.what,
            "Ratio": f"{effect.ratio.point:.2f}",
            "95 % interval": interval(effect.ratio),
        }
        for effect, name in found
    ]
    return Table(f"{heading}: ratios of images per second", rows, [e.place for e, _ in found])


def _plot(material: Material, heading: str, found: Sequence[tuple[Effect, str]]) -> Plot:
    rows: list[dict[str, Any]] = []
    for effect, name in found:
        case = material.results[effect.place].case
        rows.append(
            {
                "result": effect.place,
                "label": f"{name} · {case.model} on {case.dataset}",
                "what": effect.what,
                "ratio": effect.ratio.point,
                "low": effect.ratio.low,
                "high": effect.ratio.high,
            }
        )
    rows.sort(key=lambda row: -row["ratio"])
    return Plot(
        caption=f"{heading}: ratio of images per second (1 is no difference)",
        about=f"{len(rows)} ratios, from {rows[-1]['ratio']:.2f} to {rows[0]['ratio']:.2f}.",
        spec=_chart([row["label"] for row in rows]),
        data={"rows": rows},
    )


def _chart(order: Sequence[str]) -> dict[str, Any]:
    scale = alt.Scale(type="log", nice=False, padding=20)
    y = alt.Y("label:N", sort=list(dict.fromkeys(order)), title=None, axis=charts.LABELS)
    shared: dict[str, Any] = {"y": y, "yOffset": alt.YOffset("what:N")}
    shared["color"] = alt.Color("what:N", title=None)
    x: dict[str, Any] = {"title": "ratio", "scale": scale}
    named = charts.rows()
    chart = alt.layer(
        named.mark_rule(strokeWidth=3, opacity=0.55, aria=False).encode(
            x=alt.X("low:Q", **x), x2="high:Q", **shared
        ),
        named.mark_point(filled=True, size=70, opacity=1).encode(
            x=alt.X("ratio:Q", **x), tooltip=["label:N", "what:N", "ratio:Q"], **shared
        ),
        alt.Chart({"values": [{"one": 1}]})
        .mark_rule(strokeDash=[4, 4], color="#7d7d7d", aria=False)
        .encode(x="one:Q"),
    )
    return charts.spec(chart, row=charts.PART)
