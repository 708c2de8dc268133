"""What a bisection found, as a table and a sentence, and as JSON for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cnnbench.bisection import FOUND, GRADUAL, NO_CHANGE, UNDECIDED
from cnnbench.report import comparisons, grid
from cnnbench.report.document import SCHEMA, finite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnbench.bisection import Answer
    from cnnbench.comparison import Outcome
    from cnnbench.record import Facts


def markdown(answer: Answer, names: Sequence[str], outcomes: Sequence[Outcome]) -> str:
    """Every comparison that was made, and what follows.

    Args:
        answer: Where it changed.
        names: Of all candidates, in order.
        outcomes: Of the comparisons.
    """
    rows = [row for found in outcomes for row in comparisons.rows(found)]
    doubtful = [outcomes[-1]] if answer.word == UNDECIDED else [o for o in outcomes if o.failures]
    remarks = [f"- {one}" for found in doubtful for one in comparisons.remarks(found)]
    parts = [grid.markdown(rows), "\n".join(dict.fromkeys(remarks)), sentence(answer, names)]
    return "\n\n".join(filter(None, parts))


def sentence(answer: Answer, names: Sequence[str]) -> str:
    """The answer for people."""
    before, after = names[answer.before], names[answer.after]
    if answer.word == FOUND:
        return f"{answer.verdict} since {after}; {before} is as the first"
    if answer.word == NO_CHANGE:
        return f"no change beyond the margin between {before} and {after}"
    if answer.word == GRADUAL:
        return (
            f"{answer.verdict} between {names[0]} and {after}, by steps that are each within the "
            "margin; a smaller --margin may find one"
        )
    return f"undecided between {before} and {after}"


def document(
    answer: Answer, names: Sequence[str], outcomes: Sequence[Outcome], machine: Facts
) -> dict[str, Any]:
    """The answer for programs.

    Args:
        answer: Where it changed.
        names: Of all candidates, in order.
        outcomes: Of the comparisons.
        machine: Facts of the host.
    """
    return {
        "schema": SCHEMA,
        "machine": finite(machine),
        "candidates": list(names),
        "answer": asdict(answer) | {"before": names[answer.before], "after": names[answer.after]},
        "comparisons": [
            one for found in outcomes for one in comparisons.document(found, machine)["comparisons"]
        ],
    }
