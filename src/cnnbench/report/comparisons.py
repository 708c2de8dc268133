"""A comparison as a table, and as JSON for programs. New keys may be added, none change."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cnnbench.comparison import INCONCLUSIVE
from cnnbench.report import grid
from cnnbench.report.document import SCHEMA, finite
from cnnbench.report.table import instance, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnbench.comparison import Comparison, Outcome
    from cnnbench.record import Facts, Failure
    from cnnbench.result import Estimate

RATIO, RANGE, VERDICT = "Ratio", "95 % interval", "Verdict"


def rows(found: Outcome) -> list[dict[str, str]]:
    """One row of texts by column for each comparison."""
    return [
        {
            "Baseline": one.baseline,
            "(images/s)": _speed(found, one.baseline),
            "Candidate": one.candidate,
            " (images/s)": _speed(found, one.candidate),
            "Blocks": str(one.ratio.n if one.ratio else 0),
            RATIO: f"{one.ratio.point:.3f}" if one.ratio else "",
            RANGE: _range(one.ratio),
            VERDICT: one.verdict,
        }
        for one in found.comparisons
    ]


def markdown(found: Outcome) -> str:
    """The table as Markdown, and under it what must be known of it."""
    return "\n\n".join(
        [grid.markdown(rows(found)), "\n".join(f"- {one}" for one in remarks(found))]
    )


def remarks(found: Outcome) -> list[str]:
    """What must be known of a comparison, a line each."""
    return [
        *(f"{arm.name}: {arm.case.title}" for arm in found.arms),
        *(_failed(name, failure) for name, failure in found.failures.items()),
        *_undecided(found),
        *(_again(cause, count) for cause, count in found.set_aside.items()),
        *_controlled(found.control),
        f"a difference below {found.margin:.1%} is taken not to matter",
    ]


def _failed(name: str, failure: Failure) -> str:
    return f"{name}: {failure.kind}: {failure.stage}: {' '.join(failure.message.split())}"


def _undecided(found: Outcome) -> Iterator[str]:
    """What it would take, and which arms are left."""
    for one in found.comparisons:
        if one.verdict == INCONCLUSIVE and not found.failures:
            yield f"{one.candidate}: {one.reason}"
    if len(found.arms) > 2 and found.blocks > 1:  # noqa: PLR2004
        yield f"may be the fastest: {', '.join(found.best)}"


def _again(cause: str, count: int) -> str:
    return f"{count} block{'s' * (count > 1)} measured again: {cause}"


def _controlled(control: Estimate | None) -> Iterator[str]:
    if control is None or control.low is None or control.high is None:
        return
    ratio = f"{control.point:.3f} ({_range(control)})"
    yield f"control, the baseline over itself in {control.n} of the blocks: {ratio}"
    if not control.low <= 1 <= control.high:
        yield "the baseline differs from itself: do not trust this; see: cnnbench doctor"


def document(found: Outcome, machine: Facts) -> dict[str, Any]:
    """The whole answer of `compare`."""
    return {
        "schema": SCHEMA,
        "machine": dict(machine),
        "instance": instance(machine),
        "margin": found.margin,
        "blocks": found.blocks,
        "arms": [
            {
                "name": arm.name,
                "case": {"id": arm.case.id, **asdict(arm.case)},
                "images_per_second": _estimate(found.speeds.get(arm.name)),
                "failure": _failure(found, arm.name),
            }
            for arm in found.arms
        ],
        "comparisons": [_comparison(one) for one in found.comparisons],
        "best": list(found.best) if found.blocks > 1 else [],
        "control": _estimate(found.control),
        "set_aside": dict(found.set_aside),
    }


def _comparison(one: Comparison) -> dict[str, Any]:
    return {
        "baseline": one.baseline,
        "candidate": one.candidate,
        "ratio": _estimate(one.ratio),
        "verdict": one.verdict,
        "reason": one.reason,
    }


def _failure(found: Outcome, arm: str) -> dict[str, Any] | None:
    failure = found.failures.get(arm)
    return None if failure is None else asdict(failure)


def _estimate(value: Estimate | None) -> dict[str, Any] | None:
    return None if value is None else finite(asdict(value))


def _speed(found: Outcome, arm: str) -> str:
    speed = found.speeds.get(arm)
    return number(speed.point) if speed else ""


def _range(ratio: Estimate | None) -> str:
    if ratio is None or ratio.low is None or ratio.high is None:
        return ""
    return f"{ratio.low:.3f} - {ratio.high:.3f}"
