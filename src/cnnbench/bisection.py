"""Where along a row of candidates, as versions or revisions are, the speed changed. Pure.

The ends are compared first; while they differ by more than the margin, the one in the middle is
compared with the first, and the half is kept in which the change must be. At last the two
neighbours that are left are compared with each other, in launches of their own: each comparison may
err, and a speed that falls by a little with every candidate has no place where it changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnnbench.comparison import DIFFERENT, EQUIVALENT, FASTER, SLOWER

if TYPE_CHECKING:
    from collections.abc import Generator

CANNOT_RUN = "cannot run"  # of a comparison, besides its verdicts
FOUND, NO_CHANGE, GRADUAL, UNDECIDED = "found", "no change", "gradual", "undecided"
SAME = (EQUIVALENT, DIFFERENT)


@dataclass(frozen=True, slots=True)
class Answer:
    """Where it changed.

    Attributes:
        word: `found`; `no change` between the ends; `gradual`, where no step is beyond the margin;
            `undecided`, where a comparison was, or nothing in between can run.
        before: The last candidate that is known to be as the first.
        after: The first that is known not to be.
        verdict: `faster` or `slower`, of what is later; empty if there is no change.
    """

    word: str
    before: int
    after: int
    verdict: str = ""


def search(count: int) -> Generator[tuple[int, int], str, Answer]:
    """Ask for comparisons until it is known where the speed changed.

    Args:
        count: Of candidates, at least two.

    Yields:
        The places of two candidates. What is sent back is the verdict on the second over the
        first, or `cannot run` if the second cannot.
    """
    before, after = 0, count - 1
    verdict = yield before, after
    if verdict in SAME:
        return Answer(NO_CHANGE, before, after)
    if verdict not in {FASTER, SLOWER}:
        return Answer(UNDECIDED, before, after)
    before, after = yield from _halved(before, after, verdict)
    if after - before > 1:
        return Answer(UNDECIDED, before, after, verdict)
    confirmed = verdict if before == 0 else (yield before, after)
    if confirmed != verdict:
        return Answer(GRADUAL if confirmed in SAME else UNDECIDED, before, after, verdict)
    return Answer(FOUND, before, after, verdict)


def _halved(
    before: int, after: int, verdict: str
) -> Generator[tuple[int, int], str, tuple[int, int]]:
    """Candidates with the change between them, as near to each other as comparisons tell."""
    skipped: set[int] = set()
    while (middle := _middle(before, after, skipped)) is not None:
        found = yield 0, middle
        if found == CANNOT_RUN:
            skipped.add(middle)
        elif found == verdict:
            after = middle
        elif found in SAME:
            before = middle
        else:
            break
    return before, after


def _middle(before: int, after: int, skipped: set[int]) -> int | None:
    """The candidate between two that is nearest to their middle, and can run as far as is known."""
    between = set(range(before + 1, after)) - skipped
    return min(between, key=lambda at: (abs(2 * at - before - after), at), default=None)
