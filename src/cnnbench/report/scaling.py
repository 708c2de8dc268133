"""Scaling efficiency: what several devices give of what as many single ones would.

Efficiency is the speed of N devices over N times the speed of one: *weak* scaling where the batch
of a device is kept, *strong* where the global batch is (MLPerf and the HPC literature use the same
two words). 1 is perfect. Virtual devices share one CPU, so 1/N is what they can reach.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from cnnbench.report import grid
from cnnbench.report.table import FORMATS, number
from cnnbench.result import Estimate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnbench.case import Case
    from cnnbench.result import Result

WEAK, STRONG = "weak", "strong"
EFFICIENCY, RANGE = "Efficiency", "At least - at most"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """One comparison of several devices with one.

    Attributes:
        case: Of the several.
        kind: `weak` or `strong`.
        one: Images per second of one device.
        several: Images per second of all together.
        efficiency: Between 0 and 1, if nothing odd happens; its interval is the widest that the
            two intervals allow: for launches that do not depend on each other, at least as sure.
    """

    case: Case
    kind: str
    one: Estimate
    several: Estimate
    efficiency: Estimate


def scalings(results: Sequence[Result]) -> list[Scaling]:
    """Every result on several devices, beside those on one that it can be compared with."""
    speeds = {r.case: r.images_per_second for r in results if r.images_per_second}
    return [found for case in speeds if case.devices > 1 for found in _of(case, speeds)]


def rows(results: Sequence[Result]) -> list[dict[str, str]]:
    """One row of texts by column for each comparison."""
    return [
        {
            "Stack": found.case.stack,
            "Model": found.case.model,
            "Method": f"`{found.case.method}`",
            "Data Format": FORMATS[found.case.data_format],
            "Devices": f"{found.case.devices} {_kind(found.case)}",
            "Batch Size": str(found.case.global_batch),
            "Scaling": found.kind,
            "1 device (images/s)": number(found.one.point),
            "All (images/s)": number(found.several.point),
            EFFICIENCY: f"{found.efficiency.point:.2f}",
            RANGE: _range(found.efficiency),
        }
        for found in scalings(results)
    ]


def markdown(results: Sequence[Result]) -> str:
    """The table as Markdown; empty if nothing ran on several devices and on one."""
    found = rows(results)
    return grid.markdown(found) if found else ""


def as_json(results: Sequence[Result]) -> list[dict[str, Any]]:
    """The comparisons for programs, with the id of the case of the several devices."""
    return [
        {"case": found.case.id, "kind": found.kind, "efficiency": asdict(found.efficiency)}
        for found in scalings(results)
    ]


def _of(case: Case, speeds: dict[Case, Estimate]) -> Iterator[Scaling]:
    partners = (
        (WEAK, replace(case, devices=1)),
        (STRONG, replace(case, devices=1, batch_size=case.global_batch)),
    )
    for kind, partner in partners:
        if partner in speeds:
            yield Scaling(
                case=case,
                kind=kind,
                one=speeds[partner],
                several=speeds[case],
                efficiency=_efficiency(speeds[case], speeds[partner], case.devices),
            )


def _efficiency(several: Estimate, one: Estimate, devices: int) -> Estimate:
    low = high = None
    if several.low and several.high and one.low and one.high:
        low, high = several.low / (devices * one.high), several.high / (devices * one.low)
    return Estimate(
        point=several.point / (devices * one.point),
        low=low,
        high=high,
        confidence=several.confidence,
        n=min(several.n, one.n),
    )


def _kind(case: Case) -> str:
    return "GPUs" if case.device == "gpu" else "virtual"


def _range(efficiency: Estimate) -> str:
    if efficiency.low is None or efficiency.high is None:
        return "none (1 launch)"
    return f"{efficiency.low:.2f} - {efficiency.high:.2f}"
