"""Histories as tables, in words, and as JSON for programs. New keys may be added, none change."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cnnbench.report import grid
from cnnbench.report.document import SCHEMA, finite
from cnnbench.report.sparkline import sparkline
from cnnbench.report.table import interval, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnbench.history import Change, Series

CAUSES = {
    "stack_fingerprint": "the stack's definition or lock",
    "probe_digest": "cnnbench's guest",
    "backend_version": "the framework's version",
    "keras_version": "Keras' version",
    "kernel": "the kernel",
    "os": "the operating system",
    "gpu_driver": "the GPU's driver",
}
DIGITS = 8  # of a digest, for people
LONGEST = 24  # that a value may be and is said whole


def markdown(series: Sequence[Series], encoding: str | None = "utf-8") -> str:
    """Each series: its case, its points as a line, their table, and what changed.

    Args:
        series: In the order in which to tell them.
        encoding: Of the stream that it is for.
    """
    return "\n\n".join("\n\n".join(_parts(one, encoding)) for one in series)


def rows(series: Series) -> list[dict[str, str]]:
    """One row of texts by column for each campaign."""
    begun = {change.at: change for change in series.changes}
    return [
        {
            "Date (UTC)": _date(point.started_at),
            "Speed (images/s)": number(point.speed.point),
            "95 % interval": interval(point.speed),
            "Launches": str(point.speed.n),
            "Change": _percent(begun[at]) if at in begun else "",
            "Campaign": point.campaign,
        }
        for at, point in enumerate(series.points)
    ]


def words(series: Series) -> list[str]:
    """What changed, a line each; what else must be known of a series."""
    found = [_told(series, change) for change in series.changes]
    if not found and len(series.points) > 1:
        found.append("no change is proven")
    if len(series.points) == 1:
        found.append("one campaign is no history yet; measure again with: cnnbench run")
    if series.without:
        several = "campaigns" if series.without > 1 else "campaign"
        found.append(f"{series.without} {several} gave no number, and are left out")
    return found


def document(series: Sequence[Series], least: float) -> dict[str, Any]:
    """The whole answer of `history`."""
    return {"schema": SCHEMA, "least": least, "series": [_series(one) for one in series]}


def _parts(series: Series, encoding: str | None) -> Iterator[str]:
    line = sparkline([point.speed.point for point in series.points], encoding)
    yield f"{series.case.title} · machine {series.machine[:DIGITS]}\n{line}".rstrip()
    if series.points:
        yield grid.markdown(rows(series))
    if said := words(series):
        yield "\n".join(f"- {one}" for one in said)


def _told(series: Series, change: Change) -> str:
    date = _date(series.points[change.at].started_at)
    word = "faster" if change.factor > 1 else "slower"
    told = f"{date}: {abs(change.factor - 1):.1%} {word} (p = {change.p:.2g})"
    if change.too_new:
        following = "campaign follows" if change.after == 1 else "campaigns follow"
        told += f", too new to tell: {change.after} {following}"
    if not change.differs:
        return f"{told}; nothing that is recorded differs: suspect the machine"
    return f"{told}; what differs: {', '.join(_cause(*one) for one in change.differs.items())}"


def _cause(name: str, values: tuple[Any, Any]) -> str:
    before, after = (_brief(value) for value in values)
    return f"{CAUSES.get(name, name)} ({before} -> {after})"


def _brief(value: Any) -> str:
    text = "none" if value is None else " ".join(str(value).split()) or "none"
    return text if len(text) <= LONGEST else f"{text[:DIGITS]}..."


def _percent(change: Change) -> str:
    return f"{change.factor - 1:+.1%}" + (" (too new)" if change.too_new else "")


def _date(moment: str) -> str:
    return moment[:16].replace("T", " ")


def _series(series: Series) -> dict[str, Any]:
    return {
        "case": {"id": series.case.id, **asdict(series.case)},
        "machine_id": series.machine,
        "campaigns_without_number": series.without,
        "points": [
            {
                "campaign": point.campaign,
                "started_at": point.started_at,
                "images_per_second": finite(asdict(point.speed)),
                "recorded": dict(point.causes),
            }
            for point in series.points
        ],
        "changes": [
            {
                "campaign": series.points[change.at].campaign,
                "started_at": series.points[change.at].started_at,
                "factor": change.factor,
                "p": change.p,
                "campaigns_after": change.after,
                "too_new": change.too_new,
                "differs": {name: list(values) for name, values in change.differs.items()},
            }
            for change in series.changes
        ],
    }
