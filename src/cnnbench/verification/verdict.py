"""What all checks together say: the same, explained by known differences, or wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import chain, combinations
from typing import TYPE_CHECKING

from cnnbench.verification.explanations import applied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cnnbench.verification.checks import Check
    from cnnbench.verification.explanations import Explanation
    from cnnbench.verification.traits import Traits

    Compare = Callable[[Traits], list[Check]]
    Losses = Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found.

    Attributes:
        right: Whether everything agrees.
        explanations: The known differences without any of which it would not.
        checks: All that was compared, with these; where nothing agrees, of what came nearest.
    """

    right: bool
    explanations: Sequence[Explanation]
    checks: Sequence[Check]


def verdict(compare: Compare, plain: Traits, known: Sequence[Explanation]) -> Verdict:
    """Known differences with which all checks hold, none of which can be left out.

    Args:
        compare: Holds the steps that were seen against what traits ask for.
        plain: What is asked for without any difference.
        known: Differences that the stack may have.
    """
    nearest = Verdict(right=False, explanations=(), checks=())
    least = math.inf
    for some in _subsets(known):
        found = compare(applied(plain, some))
        if holds(found):
            return _needed(compare, plain, Verdict(right=True, explanations=some, checks=found))
        excess = sum(math.log1p(check.excess) for check in found)
        if excess < least or not nearest.checks:
            least, nearest = excess, Verdict(right=False, explanations=some, checks=found)
    return nearest


def _needed(compare: Compare, plain: Traits, found: Verdict) -> Verdict:
    """Without the differences that are not needed."""
    for one in found.explanations:
        others = [other for other in found.explanations if other is not one]
        checks = compare(applied(plain, others))
        if holds(checks):
            found = Verdict(right=True, explanations=others, checks=checks)
    return found


def taught(
    compare: Compare,
    learn: Callable[[Traits], tuple[Check, Losses]],
    traits: Traits,
    known: Sequence[Explanation],
    found: Verdict,
) -> tuple[Verdict, Losses]:
    """What learning adds to what single steps showed, and the losses that the stack is held to.

    A known difference may matter in learning that mattered in no step before: how the loss is
    computed does once a network is sure of an image. It explains learning if steps hold with it.

    Args:
        compare: Holds the steps that were seen against what traits ask for.
        learn: Holds the losses that were seen against what traits ask for, and tells those.
        traits: With which the steps hold.
        known: Differences that the stack may have.
        found: In the steps.
    """
    check, losses = learn(traits)
    told = replace(found, right=holds([check]), checks=[*found.checks, check])
    if told.right:
        return told, losses
    for one in known:
        asked = one.change(traits)
        if one in found.explanations or asked == traits or not holds(checks := compare(asked)):
            continue
        check, others = learn(asked)
        if holds([check]):
            some = (*found.explanations, one)
            return Verdict(right=True, explanations=some, checks=[*checks, check]), others
    return told, losses


def holds(found: Sequence[Check]) -> bool:
    """Whether nothing is off by more than rounding explains."""
    return all(check.excess <= 1 for check in found)


def worst(found: Sequence[Check]) -> list[Check]:
    """The check of each kind that is farthest beyond its tolerance, or nearest to it."""
    by_kind: dict[str, Check] = {}
    for check in found:
        if check.what not in by_kind or check.excess > by_kind[check.what].excess:
            by_kind[check.what] = check
    return list(by_kind.values())


def told(found: Sequence[Check]) -> str:
    """The first thing that is wrong, for people: checks come in the order of their causes."""
    check = next(check for check in found if check.excess > 1)
    where = f" of {check.where}" if check.where else ""
    return (
        f"{check.what}{where} in step {check.step} is off by {check.deviation:.2g},"
        f" where rounding explains {check.tolerance:.2g}"
    )


def _subsets(known: Sequence[Explanation]) -> Iterator[Sequence[Explanation]]:
    """None, then all, which is most often right, then few before many."""
    rest = chain.from_iterable(combinations(known, n) for n in range(1, len(known)))
    return chain([(), tuple(known)], rest)
