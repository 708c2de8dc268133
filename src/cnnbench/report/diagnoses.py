"""A diagnosis as tables and as JSON. New keys may be added, none change."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cnnbench import diagnosis
from cnnbench.report import grid
from cnnbench.report.document import SCHEMA, finite
from cnnbench.report.table import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnbench.diagnosis import Diagnosis
    from cnnbench.record import Facts
    from cnnbench.stats.interval import Interval

PART, SHARE, RANGE, CEILING = "Part of a step", "Share", "95 % interval", "Ceiling"

REMEDIES = {
    diagnosis.CALLBACKS: "no callback after each batch, no progress bar",
    diagnosis.INPUT: "a faster loader, or batches that are read ahead",
    diagnosis.LOOP: "steps_per_execution, another method",
    diagnosis.WAITING: "fit, which does not ask for each step's loss",
    diagnosis.TRANSFER: "batches sent ahead, or data that stays on the device",
    diagnosis.EACH_STEP: "larger batches, steps_per_execution, jit",
    diagnosis.COMPUTE: "recipes, precision, data format: cnnbench tune",
}
EFFECTS = {
    diagnosis.LOADER: ("the loader alone", "any remedy, as long as the loader stays"),
    diagnosis.SEVERAL_STEPS: ("recipe steps_per_execution", ""),
    diagnosis.HALF_CPUS: ("half of the CPUs", "twice the CPUs, by Amdahl's law"),
}


def rows(found: Diagnosis) -> list[dict[str, str]]:
    """A row for each part of a step."""
    return [
        {
            PART: part.name,
            "Time (ms)": f"{1e3 * part.seconds.point:.3g}",
            SHARE: f"{part.share.point:.1%}",
            RANGE: _range(part.share, ".1%"),
            CEILING: f"{part.ceiling.point:.2f}",
            "Remedy": _remedy(part.name),
        }
        for part in found.parts
    ]


def effect_rows(found: Diagnosis) -> list[dict[str, str]]:
    """A row for each other way to train."""
    return [
        {
            "Otherwise": EFFECTS[one.name][0],
            "Ratio": f"{one.ratio.point:.2f}",
            RANGE: _range(one.ratio, ".2f"),
            CEILING: f"{one.ceiling.point:.2f}" if one.ceiling else "",
            "Of": EFFECTS[one.name][1],
        }
        for one in found.effects
    ]


def peak_rows(found: Diagnosis) -> list[dict[str, str]]:
    """A row for each peak of the machine."""
    if found.peaks is None:
        return []
    return [
        {
            "Peak of this machine": f"{kind} in {precision}",
            "GFLOP/s": number(value / 1e9),
            "Reached": f"{found.achieved / value:.1%}" if found.achieved else "",
        }
        for precision, kinds in found.peaks.operations.items()
        for kind, value in kinds.items()
    ]


def markdown(found: Diagnosis) -> str:
    """Everything, as Markdown: the parts first."""
    tables = [table for table in (rows(found), effect_rows(found), peak_rows(found)) if table]
    parts = [grid.markdown(table) for table in tables] or ["Nothing was measured."]
    return "\n\n".join([*parts, "\n".join(f"- {line}" for line in remarks(found))])


def remarks(found: Diagnosis) -> Iterator[str]:
    """What must be known, a line each: the answer first."""
    if found.speed is not None:
        step = 1e3 * found.case.batch_size / found.speed.point
        yield (
            f"{found.case.title}: {number(found.speed.point)} images/s"
            f" ({_range(found.speed, '.4g')}), {step:.3g} ms a step, in {found.blocks} blocks"
        )
    if found.parts:
        whole = sum(part.share.point for part in found.parts)
        largest = max(found.parts, key=lambda part: part.share.point)
        yield f"most of it is {largest.name}; the parts are {whole:.1%} of the step"
        yield "ceiling: how many times as fast it would be if that part took no time"
    if found.flops is not None:
        did = f", {number(found.achieved / 1e9)} GFLOP/s here" if found.achieved else ""
        yield f"an image takes {number(found.flops / 1e9)} GFLOP, forward and backward{did}"
    if found.peaks is not None:
        yield f"memory is copied at {number(found.peaks.bytes_per_second / 1e9)} GB/s at best"
    for name, why in found.failures.items():
        yield f"{name}: {' '.join(why.split())}"


def document(found: Diagnosis, machine: Facts) -> dict[str, Any]:
    """The whole answer of `diagnose`."""
    return {
        "schema": SCHEMA,
        "machine": finite(machine),
        "case": {"id": found.case.id, **asdict(found.case)},
        "images_per_second": found.speed and _interval(found.speed),
        "blocks": found.blocks,
        "parts": [
            {
                "name": part.name,
                "seconds": _interval(part.seconds),
                "share": _interval(part.share),
                "ceiling": _interval(part.ceiling),
            }
            for part in found.parts
        ],
        "effects": [
            {
                "name": one.name,
                "ratio": _interval(one.ratio),
                "ceiling": one.ceiling and _interval(one.ceiling),
            }
            for one in found.effects
        ],
        "flop_per_image": found.flops,
        "flop_per_second": found.achieved,
        "peaks": found.peaks and found.peaks._asdict(),
        "failures": dict(found.failures),
    }


def _remedy(name: str) -> str:
    """Of a part, or of several that could not be told apart."""
    known = [REMEDIES[one] for one in name.split(", ") if one in REMEDIES]
    return known[0] if len(known) == 1 else ""


def _interval(found: Interval) -> dict[str, float | None]:
    return finite(found._asdict())


def _range(found: Interval, form: str) -> str:
    if found.low is None or found.high is None:
        return ""
    high = format(found.high, form) if math.isfinite(found.high) else "any"
    return f"{format(found.low, form)} - {high}"
