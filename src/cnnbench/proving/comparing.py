"""The steps of a run, held against what the reference says that they should have given."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

from cnnbench.probe.reference import LATE_WEIGHTS
from cnnbench.proving import hearing
from cnnbench.verification import given
from cnnbench.verification.checks import Evidence, checks, gradient_norm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cnnbench.proving.referee import Referee
    from cnnbench.proving.trainee import Run
    from cnnbench.verification.checks import Check
    from cnnbench.verification.traits import Traits

# A roundoff so small that few values are on an edge; of a coarser, every sample has some.
FINE = 1e-6
# What rounding in the plain network's first step says of any step, and within what factor: in later
# ones of ResNet-56 up to five times as much was seen.
BORROWED, NEARLY = ("loss", "gradient", "moving mean", "moving variance"), 16.0
# Ways in which values on an edge go by coins: with the many, one gradient of ResNet-56 in ten was
# seen to move by more than 1.2 times as far, and none by more than 2.2; they are tried out where
# the few nearly excuse what is off.
FEW, MANY = 2, 12
SURE = (
    "the network is so sure of each image of the first step that nothing is learned from them:"
    " prove it with another: cnnbench verify --seed"
)


class Comparison:
    """Holds a run against what traits ask for, as often as there are traits.

    How far rounding leads in another step than the plain network's first, and what values on an
    edge can do in any, take long: they are tried out where nothing is off that they cannot excuse,
    until a step is found that they do not.

    Args:
        referee: Whom the guest of the reference answers; nothing is asked twice.
        run: Steps that a stack took.
    """

    def __init__(self, referee: Referee, run: Run) -> None:
        self._described = referee.described
        self._roundoff = referee.roundoff
        self._run = run
        self._expected = functools.cache(functools.partial(referee.expected, run))
        self._perturbed = functools.cache(functools.partial(referee.perturbed, run))
        self._edges = functools.cache(functools.partial(referee.edges, run))

    def __call__(self, traits: Traits, *, whole: bool = False) -> list[Check]:
        """Everything compared.

        Args:
            traits: What the run is held to do.
            whole: Whether all is tried out where more is off, too: the run is wrong all the same,
                but all that is off is then known to be.

        Raises:
            UnverifiableError: Nothing is learned in the first step.
        """
        right = self._expected(traits.variants)
        if gradient_norm(self._described, right, 1) == 0:
            raise hearing.UnverifiableError(SURE)
        perturbed: dict[int, Mapping[str, Any]] = {}
        found = self._held(traits, right, perturbed)
        for step in self._doubtful(traits, found, whole=whole):
            if any(_is_borrowed(traits, check) for check in _off(found, step)):
                perturbed[step] = self._perturbed(traits.variants, step)
                found = self._held(traits, right, perturbed)
            for coins, most in ((FEW, math.inf), (MANY, NEARLY)):
                off = _off(found, step)
                if any(map(self._has_edge, off)) and max(check.excess for check in off) <= most:
                    right = {**right, **self._edges(traits.variants, step, coins)}
                    found = self._held(traits, right, perturbed)
            if _off(found, step) and not whole:
                break
        return found

    def _held(
        self, traits: Traits, right: Mapping[str, Any], perturbed: Mapping[int, Mapping[str, Any]]
    ) -> list[Check]:
        evidence = Evidence(
            described=self._described,
            given=self._run.given,
            seen=self._run.seen,
            losses=self._run.losses[: given.STEPS],
            expected=right,
            rounding=self._perturbed(frozenset(), 1),
            perturbed=perturbed,
            roundoff=self._roundoff,
            late=self._expected(traits.variants | {LATE_WEIGHTS}) if traits.unordered else {},
        )
        return list(checks(evidence, traits))

    def _doubtful(self, traits: Traits, found: Sequence[Check], *, whole: bool) -> list[int]:
        """The steps of which something is off that may be excused; none if more is."""
        off = [check for check in found if check.excess > 1]
        doubtful = [check for check in off if _is_borrowed(traits, check) or self._has_edge(check)]
        is_more = len(doubtful) < len(off)
        return [] if is_more and not whole else sorted({check.step for check in doubtful})

    def _has_edge(self, check: Check) -> bool:
        """Whether values on an edge may have moved it."""
        return check.what == "gradient" and self._roundoff <= FINE


def _off(found: Sequence[Check], step: int) -> list[Check]:
    """What is off in a step."""
    return [check for check in found if check.step == step and check.excess > 1]


def _is_borrowed(traits: Traits, check: Check) -> bool:
    """Whether it is only off by what another step's rounding says, and by little."""
    is_other = check.step > 1 or bool(traits.variants)
    return is_other and check.what in BORROWED and check.excess <= NEARLY
