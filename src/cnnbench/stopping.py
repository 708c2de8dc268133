"""When a case has launches enough, and how many more it needs.

Pure. Looks at the growing number of launches are planned and paid for (`stats/sequential.py`);
between them nothing is decided.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from cnnbench import goal, plan
from cnnbench.judge import Judgement, counting, judge
from cnnbench.record import STEADY
from cnnbench.stats import sequential
from cnnbench.stats.foresight import Noise, noise_of, stops
from cnnbench.stats.interval import independent, relative_half_width
from cnnbench.stats.steady import NO_STEADY_STATE
from cnnbench.stats.variance import Plan, cheapest, spread

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from cnnbench.case import Budget
    from cnnbench.record import Launch, Scalar

# Launches made for each that counts, at most: what is disturbed or never steady is replaced.
TRIES = 2


class Outlook(NamedTuple):
    """What it takes to know a case as well as was asked for.

    Attributes:
        launches: That count.
        windows: Of each.
        seconds: For all of them.
    """

    launches: int
    windows: int
    seconds: float


def needs_launch(launches: Sequence[Launch], spent_seconds: float, budget: Budget) -> bool:
    """Whether a case with these launches, none of which failed, should get another.

    Args:
        launches: So far.
        spent_seconds: On this case.
        budget: What was asked for.
    """
    if goal.is_of(launches):
        return goal.needs_launch(launches, budget)
    judgements = [judge(launch, budget) for launch in launches]
    good = [launch for launch in counting(judgements) if plan.speed(launch)]
    fewest, most = budget.launches
    if len(good) >= most or len(launches) >= TRIES * most:
        return False
    if launches and spent_seconds >= budget.case_seconds:
        return False
    if len(launches) >= fewest and is_unsteady(judgements):
        return False
    return len(good) not in sequential.looks(fewest, most) or not are_precise(good, budget)


def is_unsteady(judgements: Sequence[Judgement]) -> bool:
    """Whether at least half of the launches that nothing disturbed never became steady."""
    calm = [judgement for judgement in judgements if not judgement.disturbances]
    unsteady = sum(judgement.kind == NO_STEADY_STATE for judgement in calm)
    return unsteady > 0 and 2 * unsteady >= len(calm)


def confidence(n: int, budget: Budget) -> float:
    """The confidence to compute the interval of n launches with: see `stats/sequential.py`."""
    return sequential.confidence(n, *budget.launches, budget.confidence)


def are_precise(launches: Sequence[Launch], budget: Budget) -> bool:
    """Whether launches that count, each with a speed, are known as well as the budget asks."""
    speeds = [plan.speed(launch) or 0.0 for launch in launches]
    return is_precise(speeds, budget, nodes(launches))


def nodes(launches: Iterable[Launch]) -> list[Scalar]:
    """The node of a fleet that each launch lived on; None for this machine."""
    return [launch.facts.get("node") for launch in launches]


def is_precise(
    speeds: Sequence[float], budget: Budget, groups: Sequence[Hashable] | None = None
) -> bool:
    """Whether the interval across launches, or groups of them, is as narrow as the budget asks."""
    values = independent(speeds, groups or [None] * len(speeds))
    width = relative_half_width(values, confidence(len(speeds), budget))
    return width is not None and width <= budget.precision


def windows_wanted(launches: Sequence[Launch], budget: Budget) -> int:
    """Windows for the next launch: few where windows are quiet, or differ less than launches do.

    The fewest of the budget before two launches are known.
    """
    wanted = _plan(launches, budget)
    return wanted.values if wanted else budget.windows[0]


def seconds(launch: Launch) -> float:
    """What a launch took, stages and windows together."""
    return begin_seconds(launch) + sum(window.seconds for window in launch.steady)


def begin_seconds(launch: Launch) -> float:
    """What a launch costs besides its windows that count: its stages, pilot and warm-up."""
    early = sum(window.seconds for window in launch.windows if window.role != STEADY)
    first = launch.stages.get("first step", 0.0)
    return sum(launch.stages.values()) - first + early


def outlook(launches: Sequence[Launch], budget: Budget, *, earlier: bool = False) -> Outlook | None:
    """What a case takes to be settled, by launches that it had; None if that cannot be told.

    Args:
        launches: Of the case, at least two that count.
        budget: What is asked for.
        earlier: Whether they are of an earlier campaign, and tell of its noise only.
    """
    wanted = _plan(launches, budget)
    good = log_speeds(launches, budget)
    noise = noise_of(good)
    if wanted is None or noise is None:
        return None
    count = round(launches_expected([] if earlier else good, noise, budget))
    return Outlook(count, wanted.values, count * wanted.cost / wanted.groups)


def log_speeds(launches: Iterable[Launch], budget: Budget) -> list[float]:
    """The logarithm of the speed of each launch that counts; none of them failed."""
    speeds = [plan.speed(one) for one in counting(judge(launch, budget) for launch in launches)]
    return [math.log(speed) for speed in speeds if speed]


def launches_expected(known: Sequence[float], noise: Noise, budget: Budget) -> float:
    """How many launches that count a case will have when it is settled, on average.

    Args:
        known: Logarithms of the speeds of those that it has.
        noise: Between launches.
        budget: What is asked for.
    """
    fewest, most = budget.launches
    looks = sequential.looks(fewest, most)
    width = math.log1p(budget.precision)
    found = stops(
        known,
        noise,
        looks,
        [confidence(look, budget) for look in looks],
        lambda _, half_width: half_width <= width,
    )
    return float(found.mean())


def _plan(launches: Sequence[Launch], budget: Budget) -> Plan | None:
    """The cheapest way to settle a case with the noise of these launches; None to reach a goal."""
    if goal.is_of(launches):
        return None
    good = counting(judge(launch, budget) for launch in launches)
    noise = spread([plan.log_speeds(launch.steady) for launch in good])
    lengths = [window.seconds for launch in good for window in launch.steady]
    if noise is None or plan.is_short(good[-1].windows):
        return None
    fewest, most = budget.launches
    return cheapest(
        noise,
        sum(map(begin_seconds, good)) / len(good),
        sum(lengths) / len(lengths),
        half_width=math.log1p(budget.precision),
        limits=budget.windows,
        looks=sequential.looks(fewest, most),
        confidence=confidence(most, budget),
    )
