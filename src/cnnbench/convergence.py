"""What is concluded of training to a goal: how long it takes, and whether it learns as it should.

What leaves out a part of the work may learn *faster* per image than the reference does: MLPerf
refuses results that need significantly fewer images than its reference runs (its "reference
convergence points"), and so does this. To learn more slowly costs time, and shows as time.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from cnnbench import catalog, goal, result
from cnnbench.result import REFUSED, Convergence, Estimate, Result
from cnnbench.stats import welch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cnnbench.case import Budget, Case
    from cnnbench.record import Launch

REFERENCES = {"cpu": "native-torch", "gpu": "native-torch-gpu"}  # by device
SURE = 0.999  # that a case learns better than the reference, before it is refused


def reference_of(case: Case) -> Case | None:
    """The case that another's convergence is held against: plain PyTorch, in float32.

    None where it is that case, or there is none: of the user's own models, and of the null stack.
    """
    if case.stack in {*REFERENCES.values(), "null"} or case.model not in catalog.names("native"):
        return None
    stack = REFERENCES[case.device]
    return replace(case, stack=stack, data_format="channels_last", precision="float32", recipes=())


def with_references(cases: Iterable[Case]) -> tuple[Case, ...]:
    """Cases with a goal, and after them those that they are held against, each once."""
    given = tuple(cases)
    more = (reference_of(case) for case in given if case.until is not None)
    return tuple(dict.fromkeys([*given, *(case for case in more if case is not None)]))


def conclude_all(
    groups: Mapping[Case, Sequence[Launch]], budget: Callable[[Launch], Budget]
) -> list[Result]:
    """The results of cases, those with a goal held against their references.

    Args:
        groups: Launches by case, at least one of each.
        budget: That of a launch.
    """
    return [conclude(launches, budget(launches[-1]), groups) for launches in groups.values()]


def conclude(
    launches: Sequence[Launch], budget: Budget, known: Mapping[Case, Sequence[Launch]]
) -> Result:
    """The result of one case.

    Args:
        launches: Of the case, at least one.
        budget: What was asked for.
        known: Launches of other cases, among them perhaps those of the reference.
    """
    case, found = launches[-1].case, result.conclude(launches, budget)
    reference = reference_of(case) if case.until is not None else None
    if found.verdict in (result.FAILED, result.UNSUPPORTED, REFUSED) or reference is None:
        return found
    ours, theirs = _images(launches), _images(known.get(reference, ()))
    if min(len(ours), len(theirs)) < 2:  # noqa: PLR2004
        return replace(found, labels=(*found.labels, "convergence unverified"))
    held = against(ours, theirs, budget.confidence)
    if held.p_better < 1 - SURE:
        reason = (
            f"learns from {held.images.point:.2f} of the images that the reference needs"
            f" (p = {held.p_better:.1g}): something is left out, or trained that should not be"
        )
        return replace(
            found,
            verdict=REFUSED,
            reason=reason,
            images_per_second=None,
            metrics={},
            convergence=held,
        )
    if held.images.high is not None and held.images.high < 1:
        return replace(found, labels=(*found.labels, "convergence doubtful"), convergence=held)
    return replace(found, convergence=held)


def against(
    ours: Sequence[tuple[float, float]], theirs: Sequence[tuple[float, float]], confidence: float
) -> Convergence:
    """How many images a case needs, over what the reference needs (Welch on logarithms).

    Args:
        ours: Images to the goal of each launch, and how finely that is known; at least two.
        theirs: The same of the reference.
        confidence: Of the interval.
    """
    grain = max(step / images for images, step in (*ours, *theirs)) / math.sqrt(12)
    own, other = ([math.log(images) for images, _ in group] for group in (ours, theirs))
    apart, reach = welch.difference(own, other, confidence, least_noise=grain)
    return Convergence(
        images=Estimate(
            point=math.exp(apart),
            low=math.exp(apart - reach),
            high=math.exp(apart + reach),
            confidence=confidence,
            n=len(ours),
        ),
        p_better=welch.less(own, other, least_noise=grain),
        reference=len(theirs),
    )


def _images(launches: Sequence[Launch]) -> list[tuple[float, float]]:
    """Images to the goal, and in the window in which it was reached, of launches that did."""
    ended = [goal.reached(one.windows, one.case) for one in launches if one.failure is None]
    return [(sum(w.images for w in windows), windows[-1].images) for windows in ended if windows]
