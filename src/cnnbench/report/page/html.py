"""The page as HTML: sections in order, with all data and the plotting library inside."""

from __future__ import annotations

import functools
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import altair as alt
import vl_convert
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cnnbench import catalog
from cnnbench.report import commands, table
from cnnbench.report.inert import inert
from cnnbench.report.page import charts, packed
from cnnbench.report.page.parts import Plot, Table
from cnnbench.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cnnbench.report.page.material import Material
    from cnnbench.report.page.parts import Part
    from cnnbench.result import Result

HERE = Path(__file__).parent
ROWS = 100  # of a table that stand in the page as they are; more would outweigh all else
TITLE = "How fast convolutional networks train"
NUMBER = re.compile(r"[-+±]?[\d,.]+( ?%)?( [-–] [\d,.]+)?$")  # noqa: RUF001
EMBED = "window.vegaEmbed = vegaEmbed;"  # all that the page asks of the library
AXES = {
    "stack": "stack",
    "model": "model",
    "data set": "dataset",
    "method": "method",
    "data format": "data_format",
    "device": "device",
    "precision": "precision",
    "loader": "loader",
}


def page(material: Material, *, live: str = "") -> str:
    """The whole page.

    Args:
        material: What it tells.
        live: Names the state of what it tells, where it is served while that grows.
    """
    plots: list[Plot] = []
    rest: list[str] = []
    sections = [section for section in _sections(material, plots, rest) if section["parts"]]
    launches, times = packed.launches(material)
    results = [_result(result) for result in material.results]
    payload = {
        "results": results,
        "launches": packed.columns(launches),
        "plots": [{"spec": plot.spec, "data": plot.data} for plot in plots],
        "trace": trace(),
        "rest": rest,
    }
    template = _environment().get_template("page.html")
    found: str = template.render(
        title=TITLE,
        summary=_summary(material),
        sections=sections,
        axes=_axes(results),
        live=live,
        version=VERSION,
        theme=_inside("theme.css"),
        library=_library(),
        script=_inside("page.js"),
        payload=packed.text(payload),
        times=packed.binary(times),
    )
    return found


def trace() -> dict[str, Any]:
    """The plot of the windows of a result's launches, which the page fills."""
    named = charts.rows("windows")
    x: dict[str, Any] = {"title": "seconds of training"}
    shaded = named.transform_filter("datum.counts == 'left out'").mark_rect(
        opacity=0.18, color="#7d7d7d", aria=False
    )
    seen = named.mark_point(size=22, filled=True).encode(
        x=alt.X("middle:Q", **x),
        y=alt.Y("speed:Q", title="images/s", scale=alt.Scale(zero=False)),
        color=alt.Color("counts:N", title=None),
        tooltip=["launch:N", "index:Q", "role:N", "steps:Q", "images:Q", "seconds:Q", "speed:Q"],
    )
    line = named.mark_line(strokeWidth=1, opacity=0.5, color="#7d7d7d", aria=False).encode(
        x=alt.X("middle:Q", **x), y="speed:Q"
    )
    layered = alt.layer(
        shaded.encode(x=alt.X("started:Q", **x), x2="end:Q"),
        line.transform_calculate(middle="(datum.started + datum.end) / 2"),
        seen.transform_calculate(middle="(datum.started + datum.end) / 2"),
    ).properties(width=620, height=70)
    found: dict[str, Any] = layered.facet(
        row=alt.Row("launch:N", title=None, header=alt.Header(labelAngle=0, labelAlign="left"))
    ).to_dict()
    return found


def _sections(material: Material, plots: list[Plot], rest: list[str]) -> Iterable[dict[str, Any]]:
    """Sections as the template wants them; plots, and what long tables leave out, go into lists."""
    found = [(catalog.module("report.sections", n), n) for n in catalog.names("report.sections")]
    for module, name in sorted(found, key=lambda pair: pair[0].PLACE):
        parts = []
        for part in module.parts(material):
            parts.append(_part(part, len(plots)))
            if isinstance(part, Table) and len(part.rows) > ROWS:
                parts[-1] = _shortened(parts[-1], rest)
            if isinstance(part, Plot):
                plots.append(part)
        yield {"name": name, "title": module.TITLE, "parts": parts}


def _part(part: Part, number: int) -> dict[str, Any]:
    told = {"kind": type(part).__name__}
    if isinstance(part, Table):
        names = list(part.rows[0])
        cells = [[_cell(row[name]) for name in names] for row in part.rows]
        columns = [
            {"name": name, "number": all(row[at][1] or not row[at][0] for row in cells)}
            for at, name in enumerate(names)
        ]
        return told | {
            "caption": part.caption,
            "columns": columns,
            "cells": cells,
            "results": list(part.results),
            "more": 0,
        }
    if isinstance(part, Plot):
        return told | {"caption": part.caption, "about": part.about, "number": number}
    return told | asdict(part)


def _shortened(table: dict[str, Any], rest: list[str]) -> dict[str, Any]:
    """A long table without its later rows, which the page's script puts back."""
    cells, results = table["cells"], table["results"]
    rows: Any = _environment().get_template("rows.html").module
    rest.append(str(rows.rows(cells[ROWS:], results[ROWS:])))
    return table | {"cells": cells[:ROWS], "rest": len(rest) - 1, "more": len(cells) - ROWS}


def _cell(text: str) -> tuple[str, bool]:
    """A cell, and whether it is a number."""
    plain = text.strip("`")
    return plain, bool(NUMBER.fullmatch(plain))


def _result(result: Result) -> dict[str, Any]:
    axes = {word: inert(str(getattr(result.case, axis))) for word, axis in AXES.items()}
    return {
        "title": inert(result.case.title),
        "axes": axes | {"verdict": result.verdict, "machine": table.instance(result.machine)},
        "verdict": result.verdict,
        "reason": inert(result.reason),
        "notes": inert("; ".join(result.labels)),
        "command": inert(commands.again(result.case)),
    }


def _axes(results: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    """The values of each axis in which results differ."""
    values: dict[str, set[str]] = {}
    for result in results:
        for axis, value in result["axes"].items():
            values.setdefault(axis, set()).add(value)
    return {axis: sorted(found) for axis, found in values.items() if len(found) > 1}


def _summary(material: Material) -> str:
    launches = material.recorded.launches
    if not launches:
        return "Nothing was measured yet."
    days = sorted({launch.started_at[:10] for launch in launches})
    span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    windows = sum(len(launch.windows) for launch in launches)
    machines = len({launch.machine.get("machine_id") for launch in launches})
    return (
        f"{len(material.results)} results from {len(launches)} launches with {windows} windows,"
        f" on {machines} machine{'s' * (machines != 1)}, {span}."
    )


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["inert"] = inert
    return made


def _inside(name: str) -> Markup:
    """A file of ours as it is."""
    return Markup((HERE / name).read_text("utf-8"))  # noqa: S704  ours


@functools.cache
def _library() -> Markup:
    """Vega, Vega-Lite and Vega-Embed in one script, which nothing in it ends early."""
    bundle = vl_convert.javascript_bundle(EMBED)
    return Markup(bundle.replace("</script", "<\\/script"))  # noqa: S704
