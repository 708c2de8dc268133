"""Side by side: each published row, and what was measured of its case on its stack and others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cnnbench import published
from cnnbench.report import grid, reference
from cnnbench.report.table import (
    FORMATS,
    INTERVAL,
    instance,
    interval,
    notes,
    number,
    reasons,
)
from cnnbench.result import UNSUPPORTED

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from cnnbench.case import Case
    from cnnbench.published import Row
    from cnnbench.result import Result

NOT_MEASURED = "not measured"
PUBLISHED, HERE, RATIO = "Published (images/s)", "Here (images/s)", "Ratio (here / published)"


@dataclass(frozen=True, slots=True)
class Pair:
    """A published row and one result of its case, on its own stack or another.

    Attributes:
        row: As published.
        stack: Where it was measured, or would have been.
        result: None if it was not measured.
    """

    row: Row
    stack: str
    result: Result | None

    @property
    def is_telling(self) -> bool:
        """Whether it deserves a line: another stack that cannot run the row does not."""
        unsupported = self.result is not None and self.result.verdict == UNSUPPORTED
        return self.stack == self.row.stack or not unsupported

    @property
    def ratio(self) -> float | None:
        """Images/s here by images/s published."""
        speed = self.result.images_per_second if self.result else None
        return speed.point / self.row.images_per_second if speed else None

    @property
    def speed(self) -> str:
        """Images/s here, or why there is no number."""
        if self.result is None:
            return NOT_MEASURED
        speed = self.result.images_per_second
        return number(speed.point) if speed else self.result.verdict


def side_by_side(
    results: Sequence[Result],
    rows: Sequence[Row] | None = None,
    stacks: Collection[str] = (),
) -> list[Pair]:
    """Every published row with the results of its case, in the document's order.

    The row's own stack stands first, the others as the results have them. Rows that are the same
    case on different instance types stand each for itself.

    Args:
        results: Any; those of other cases are left out.
        rows: The published rows; all without it.
        stacks: The stacks that each row must have a line for; its own without it.
    """
    return [
        pair
        for row in (published.rows() if rows is None else rows)
        for pair in _pairs(row, results, stacks)
    ]


def others(
    results: Sequence[Result],
) -> list[tuple[Result, tuple[Row, tuple[str, ...]] | None]]:
    """The results of cases that were not published, each with `published.nearest`."""
    known = {_anywhere(published.case(row)) for row in published.rows()}
    return [
        (result, published.nearest(result.case, str(result.facts.get("backend") or "")))
        for result in results
        if _anywhere(result.case) not in known
    ]


def markdown(
    results: Sequence[Result],
    rows: Sequence[Row] | None = None,
    stacks: Collection[str] = (),
) -> str:
    """A table for each section, reasons below it, the other results, and the legend of flags.

    Another stack that cannot run a row has no line in the table; its reason stands below.
    """
    pairs = side_by_side(results, rows, stacks)
    parts = [f"# {published.TITLE}, here"]
    for section in published.sections():
        if own := [pair for pair in pairs if pair.row.section == section.name]:
            parts += [f"## {section.title}", _table(own)]
            parts += reference.every_row(list(dict.fromkeys(pair.row for pair in own)))
    if found := others(results):
        parts += ["## Not published", _others_table(found)]
    if pairs:
        parts += ["## Flags", reference.legend([pair.row for pair in pairs])]
    return "\n\n".join(parts)


def not_published(results: Sequence[Result]) -> list[str]:
    """A line for each other result: its speed, the nearest published row, and what differs."""
    return [_line(result, near) for result, near in others(results)]


def measured(pairs: Sequence[Pair]) -> list[Result]:
    """The results of pairs, each once: one may stand beside several rows."""
    return list({id(pair.result): pair.result for pair in pairs if pair.result}.values())


def texts(pairs: Sequence[Pair]) -> list[dict[str, str]]:
    """A row of texts by column for each pair."""
    flags = reference.own_flags(list(dict.fromkeys(pair.row for pair in pairs)))
    return [_texts(pair, flags[pair.row.id]) for pair in pairs]


def as_json(
    results: Sequence[Result],
    rows: Sequence[Row] | None = None,
    stacks: Collection[str] = (),
) -> dict[str, Any]:
    """The same for programs; `case` is the id of a result's case, `null` if it was not measured.

    Returns:
        `rows`, each with the results that stand beside it, and `others`.
    """
    return {
        "rows": [
            {
                "id": pair.row.id,
                "published": pair.row.images_per_second,
                "flags": [flag.id for flag in pair.row.flags],
                "stack": pair.stack,
                "case": pair.result.case.id if pair.result else None,
                "verdict": pair.result.verdict if pair.result else NOT_MEASURED,
                "ratio": pair.ratio,
            }
            for pair in side_by_side(results, rows, stacks)
        ],
        "others": [
            {
                "case": result.case.id,
                "nearest": near[0].id if near else None,
                "differences": list(near[1]) if near else [],
            }
            for result, near in others(results)
        ],
    }


def _pairs(row: Row, results: Sequence[Result], stacks: Collection[str]) -> list[Pair]:
    wanted = _anywhere(published.case(row))
    same = [result for result in results if _anywhere(result.case) == wanted]
    known = {result.case.stack for result in same}
    missing = [Pair(row, stack, None) for stack in stacks or [row.stack] if stack not in known]
    found = [*missing, *(Pair(row, result.case.stack, result) for result in same)]
    return sorted(found, key=lambda pair: pair.stack != row.stack)


def _anywhere(case: Case) -> Case:
    return replace(case, stack="")


def _table(pairs: Sequence[Pair]) -> str:
    found = texts([pair for pair in pairs if pair.is_telling])
    return grid.markdown(found) + reasons(measured(pairs))


def _texts(pair: Pair, flags: str) -> dict[str, str]:
    row, result, ratio = pair.row, pair.result, pair.ratio
    return {
        "Instance Type": row.instance_type,
        "GPU used": str(row.gpus),
        "Model": row.model,
        "Method": f"`{row.method}`",
        "Backend": row.backend,
        "Package": row.package,
        "Batch Size": str(row.batch_size),
        "Data Format": row.data_format,
        PUBLISHED: str(row.images_per_second),
        "Stack here": pair.stack,
        "Instance here": instance(result.machine) if result else "",
        HERE: pair.speed,
        INTERVAL: interval(result.images_per_second) if result else "",
        RATIO: "" if ratio is None else number(ratio),
        "Notes": notes(result) if result else "",
        "Flags": flags,
    }


def _others_table(found: Sequence[tuple[Result, tuple[Row, tuple[str, ...]] | None]]) -> str:
    """The other results, each with the nearest row and what differs."""
    texts = []
    for result, near in found:
        case, speed = result.case, result.images_per_second
        texts.append(
            {
                "Instance here": instance(result.machine),
                "Stack here": case.stack,
                "Model": case.model,
                "Data Set": case.dataset,
                "Method": f"`{case.method}`",
                "Batch Size": str(case.global_batch),
                "Data Format": FORMATS[case.data_format],
                HERE: number(speed.point) if speed else result.verdict,
                INTERVAL: interval(speed),
                "Notes": notes(result),
                "Nearest": f"{near[0].id} ({near[0].images_per_second})" if near else "none",
                "Which differs in": "; ".join(near[1]) if near else "",
            }
        )
    return grid.markdown(texts) + reasons([result for result, _ in found])


def _line(result: Result, near: tuple[Row, tuple[str, ...]] | None) -> str:
    speed = result.images_per_second
    here = f"{number(speed.point)} images/s" if speed else f"{result.verdict}: {result.reason}"
    if near is None:
        beside = f"no row of {result.case.model} on {result.case.dataset} was published"
    else:
        row, differences = near
        beside = f"nearest is {row.id} ({row.images_per_second} images/s): {'; '.join(differences)}"
    return " ".join(f"{result.case.title}: {here}; {beside}".split())
