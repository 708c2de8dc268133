"""What a gate decides: whether a change made training slower, in two passes.

A comparison errs once in twenty or forty times, and a machine may have a bad hour; a gate that
stops people for nothing is soon switched off. So a first pass that finds the head slower, beyond
the margin, is not believed before a second pass, of processes of its own, finds it too. Only
`slower` is asked again: a gate has nothing to say against the other verdicts.

    first pass      second pass     the gate
    slower          slower          regression
    slower          undecided       undecided
    slower          any other       passed, `went away`
    undecided                       undecided
    any other                       passed

In either pass an arm that cannot run is a failure of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cnnbench.comparison import INCONCLUSIVE, SLOWER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnbench.case import Arm, Budget
    from cnnbench.comparison import Comparison, Outcome
    from cnnbench.store.reading import Campaign

PASSED, REGRESSION, BROKEN, UNDECIDED = "passed", "regression", "cannot run", "undecided"
PASSES = 2
STATUSES = {PASSED: 0, REGRESSION: 1, BROKEN: 1, UNDECIDED: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer of a gate.

    Attributes:
        word: `passed`, `regression`, `cannot run` or `undecided`.
        reason: One line.
        passes: What each pass found, in order; one or two.
    """

    word: str
    reason: str
    passes: tuple[Outcome, ...]

    @property
    def status(self) -> int:
        """The exit status: 0 passed, 1 a regression or an arm that cannot run, 3 undecided."""
        return STATUSES[self.word]


def is_slower(found: Outcome) -> bool:
    """Whether a pass found the head slower, beyond the margin, which a second pass must confirm."""
    return not found.failures and _only(found).verdict == SLOWER


def decide(passes: Sequence[Outcome]) -> Decision:
    """The answer of one or two passes; of one only if it needs no second."""
    last = passes[-1]
    if last.failures:
        word, reason = BROKEN, _broken(last)
    elif (found := _only(last)).verdict == INCONCLUSIVE:
        word, reason = UNDECIDED, found.reason
        if len(passes) == PASSES:
            reason = f"slower in the first pass, and the second does not tell: {reason}"
    elif found.verdict != SLOWER:
        word, reason = PASSED, f"{found.verdict}: {_told(found)}"
        if len(passes) == PASSES:
            first = _told(_only(passes[0]))
            reason = f"went away: slower in the first pass ({first}), then {reason}"
    elif len(passes) < PASSES:
        word, reason = UNDECIDED, f"slower ({_told(found)}), and nothing has confirmed it yet"
    else:
        first = _told(_only(passes[0]))
        word, reason = REGRESSION, f"slower in two passes: {first}, then {_told(found)}"
    return Decision(word=word, reason=reason, passes=tuple(passes))


def arms_of(number: int, base: Arm, head: Arm) -> tuple[Arm, Arm]:
    """The arms of a pass, from 1, by names of their own: no pass is taken for another one."""
    end = "" if number == 1 else f", pass {number}"
    return (
        replace(base, name=f"base {base.name}{end}"),
        replace(head, name=f"head {head.name}{end}"),
    )


def first_pass(
    campaigns: Sequence[Campaign], base: Arm, head: Arm, like: tuple[Budget, str, object]
) -> str | None:
    """The campaign of the first pass of a gate that was interrupted after it; None if none was.

    Args:
        campaigns: In the order of their starts.
        base: The arm of the base, as its user calls it.
        head: The same of the head.
        like: Budget, digest of the guest and id of the machine of the gate.
    """
    firsts, seconds = arms_of(1, base, head), arms_of(2, base, head)
    alike = [one for one in campaigns if one.conditions == like and one.arms in (firsts, seconds)]
    at = max((i for i, one in enumerate(alike) if one.arms == firsts), default=None)
    if at is None or alike[at].ended_at is None:
        return None
    if any(one.ended_at is not None for one in alike[at + 1 :]):
        return None
    return alike[at].id


def _only(found: Outcome) -> Comparison:
    (one,) = found.comparisons
    return one


def _told(found: Comparison) -> str:
    """The speed of the head over that of the base."""
    ratio = found.ratio
    if ratio is None or ratio.low is None or ratio.high is None:
        return "no ratio"
    return f"{ratio.point:.3f} of the base ({ratio.low:.3f} - {ratio.high:.3f})"


def _broken(found: Outcome) -> str:
    name, failure = next(iter(found.failures.items()))
    return f"{name}: {failure.stage}: {' '.join(failure.message.split())}"
