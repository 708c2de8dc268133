"""What more devices and larger batches give."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import altair as alt

from cnnbench.report import scaling
from cnnbench.report.page import charts
from cnnbench.report.page.labels import labels
from cnnbench.report.page.parts import Plot, Table, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnbench.case import Case
    from cnnbench.report.page.material import Material
    from cnnbench.report.page.parts import Part

TITLE = "Devices and batches"
PLACE = 40
ABOUT = (
    "Efficiency is the speed of N devices over N times that of one: weak with the same batch a"
    " device, strong with the same global batch. Virtual devices share the CPUs: 1/N is what they"
    " can reach."
)


def parts(material: Material) -> Iterator[Part]:
    """The table of devices, and the plot and table of batches."""
    if rows := scaling.rows(material.results):
        yield Text(ABOUT)
        yield Table("Several devices against one", rows)
    yield from _batches(material)


def _batches(material: Material) -> Iterator[Part]:
    """Cases that were measured with several batch sizes."""
    groups: dict[tuple[Case, object], list[int]] = defaultdict(list)
    for place in material.timed:
        result = material.results[place]
        key = replace(result.case, batch_size=1), result.machine.get("machine_id")
        groups[key].append(place)
    several = [places for places in groups.values() if len(places) > 1]
    if not several:
        return
    names = labels([material.results[places[0]] for places in several])
    rows = [
        _point(material, place, name)
        for places, name in zip(several, names, strict=True)
        for place in places
    ]
    yield Plot(
        caption="Images per second by batch size",
        about=f"{len(several)} cases, each with several batch sizes; the table has every number.",
        spec=_chart(),
        data={"rows": rows},
    )
    texts = [
        {"Result": row["label"], "Batch Size": str(row["batch"]), "images/s": f"{row['speed']:.4g}"}
        for row in rows
    ]
    yield Table("Batch sizes", texts, [row["result"] for row in rows])


def _point(material: Material, place: int, name: str) -> dict[str, Any]:
    case = material.results[place].case
    return {
        "result": place,
        "label": f"{name} · {case.model} · {case.data_format}",
        "batch": case.global_batch,
        "speed": material.timed[place].point,
    }


def _chart() -> dict[str, Any]:
    return charts.spec(
        charts.rows()
        .mark_line(point=True)
        .encode(
            x=alt.X("batch:Q", title="batch size", scale=alt.Scale(type="log", base=2)),
            y=alt.Y("speed:Q", title="images/s"),
            color=alt.Color("label:N", title=None, legend=alt.Legend(columns=1, labelLimit=420)),
            tooltip=["label:N", "batch:Q", "speed:Q"],
        ),
        height=300,
    )
