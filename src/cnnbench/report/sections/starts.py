"""How long it takes until the first step is done, and the memory that training takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from cnnbench.report.page import charts
from cnnbench.report.page.labels import Subject, subjects
from cnnbench.report.page.parts import Plot, Table, Text
from cnnbench.report.table import FORMATS, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnbench.report.page.material import Material
    from cnnbench.report.page.parts import Part
    from cnnbench.result import Result

TITLE = "First step and memory"
PLACE = 50
ABOUT = (
    "Geometric means of the launches that count. None of this is in images per second; a short"
    " training pays it all the same."
)
STAGES = {
    "import_seconds": "Import",
    "data_seconds": "Data",
    "build_seconds": "Build",
    "compile_seconds": "Compile",
    "first_step_seconds": "First step",
}
GIB = 2**30


def parts(material: Material) -> Iterator[Part]:
    """A plot of the stages for each model and data set, and a table of all."""
    places = [place for place, one in enumerate(material.results) if _stages(one)]
    if not places:
        return
    yield Text(ABOUT)
    for subject in subjects(material.results):
        if plotted := _plot(subject, material):
            yield plotted
    yield Table(
        "Seconds until the first step is done, and peak memory",
        [_row(material.results[place]) for place in places],
        places,
    )


def _stages(result: Result) -> dict[str, float]:
    metrics = result.metrics
    return {word: metrics[name].point for name, word in STAGES.items() if name in metrics}


def _row(result: Result) -> dict[str, str]:
    found, case = _stages(result), result.case
    memory = result.metrics.get("peak_memory")
    return {
        "Stack": case.stack,
        "Model": case.model,
        "Data Set": case.dataset,
        "Method": f"`{case.method}`",
        "Batch Size": str(case.global_batch),
        "Data Format": FORMATS[case.data_format],
        **{word: number(found[word]) if word in found else "" for word in STAGES.values()},
        "All (s)": number(sum(found.values())),
        "Memory (GiB)": number(memory.point / GIB) if memory else "",
    }


def _plot(subject: Subject, material: Material) -> Plot | None:
    rows: list[dict[str, Any]] = []
    for place, label in zip(subject.places, subject.labels, strict=True):
        result = material.results[place]
        named = f"{label} · {FORMATS[result.case.data_format]}"
        rows += [
            {"result": place, "label": named, "stage": word, "order": order, "seconds": value}
            for order, (word, value) in enumerate(_stages(result).items())
        ]
    if not rows:
        return None
    whole: dict[str, float] = {}
    for row in rows:
        whole[row["label"]] = whole.get(row["label"], 0.0) + row["seconds"]
    order = sorted(whole, key=lambda label: whole[label])
    return Plot(
        caption=f"{subject.title}: seconds until the first step is done",
        about=(
            f"{len(order)} results, from {number(whole[order[0]])} s of {order[0]} to"
            f" {number(whole[order[-1]])} s of {order[-1]}."
        ),
        spec=_chart(order),
        data={"rows": rows},
    )


def _chart(order: list[str]) -> dict[str, Any]:
    stages = list(STAGES.values())
    return charts.spec(
        charts.rows()
        .mark_bar()
        .encode(
            x=alt.X("seconds:Q", title="seconds", stack="zero"),
            y=alt.Y("label:N", sort=order, title=None, axis=charts.LABELS),
            color=alt.Color("stage:N", title=None, sort=stages),
            order="order:Q",
            tooltip=["label:N", "stage:N", "seconds:Q"],
        )
    )
