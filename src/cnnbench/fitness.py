"""What precision a machine can support, and in what time: from the windows of a canary.

Pure. A canary is the same work in one fresh process after the other (`machine/canary.py`); its
processes stand for launches. Windows are put together until they are as long as a budget's, so that
noise that lasts counts as it would there. Of two windows next to each other, one stands for each
arm of a comparison whose arms take turns; that processes differ of themselves, as in how their
memory lies, is not in that, so that a comparison takes at least the blocks told here.

What real training adds to a machine's noise is not known before it is measured either.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cnnbench.plan import BUDGETS
from cnnbench.stats import sequential
from cnnbench.stats.distributions import student_quantile
from cnnbench.stats.variance import Plan, Spread, cheapest, spread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cnnbench.case import Budget

# What a launch takes to import, build and compile: a Keras stack on a few CPUs.
START_SECONDS = 10.0
CONFIDENCE = 0.95
FEWEST_PROCESSES, FEWEST_WINDOWS = 3, 4
MINUTE = 60.0
MOST = 1e6  # a half-width beyond which nothing is known


class Reading(NamedTuple):
    """A window of a canary.

    Attributes:
        process: Which one, from 0.
        at: When it ended, in seconds since the canary began.
        rate: Work a second, above 0, in any unit.
        seconds: How long it took.
    """

    process: int
    at: float
    rate: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Drift:
    """Relative change of speed in a minute, by a straight line, with its interval of 95 %."""

    per_minute: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What a budget comes to on this machine; ratios are relative, 0.02 is 2 %.

    Attributes:
        precision: Half-width that `run` wants.
        half_width: That it reaches with its fewest launches.
        launches: That the precision takes.
        most_launches: That the budget allows.
        run_minutes: For a case with those launches.
        margin: Difference that `compare` wants to see.
        blocks: That the margin takes at least, for two arms that are equally fast.
        most_blocks: That the budget allows.
        compare_minutes: For those blocks.
    """

    precision: float
    half_width: float
    launches: int
    most_launches: int
    run_minutes: float
    margin: float
    blocks: int
    most_blocks: int
    compare_minutes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitness:
    """How a machine varies; standard deviations are of logarithms: 0.02 is about 2 %.

    Attributes:
        processes: How many the canary had.
        minutes: How long it took.
        window_seconds: Of its windows, on average.
        within: Of windows inside a process.
        between: Of processes beyond that: they differ of themselves, and by when they ran.
        paired: Of the ratio of two windows next to each other.
        range: Speed of the fastest process over that of the slowest, less 1.
        drift: Over all of it.
        reach: By budget.
    """

    processes: int
    minutes: float
    window_seconds: float
    within: float
    between: float
    paired: float
    range: float
    drift: Drift
    reach: Mapping[str, Reach] = field(default_factory=dict)


def fitness(readings: Sequence[Reading], budgets: Mapping[str, Budget] = BUDGETS) -> Fitness:
    """What a canary's windows say.

    Args:
        readings: In order.
        budgets: What is asked for, by name.

    Raises:
        ValueError: Fewer than three processes have four windows.
    """
    found = [list(group) for _, group in itertools.groupby(readings, lambda r: r.process)]
    groups = [group for group in found if len(group) >= FEWEST_WINDOWS]
    if len(groups) < FEWEST_PROCESSES:
        raise ValueError(f"a canary has {FEWEST_PROCESSES} processes of {FEWEST_WINDOWS} windows")
    noise, pairs = _noise(groups, 1), _paired(groups, 1)
    means = [_log_rate(group) for group in groups]
    lengths = [reading.seconds for group in groups for reading in group]
    return Fitness(
        processes=len(groups),
        minutes=readings[-1].at / MINUTE,
        window_seconds=sum(lengths) / len(lengths),
        within=noise.within,
        between=noise.between,
        paired=pairs.within,
        range=_relative(max(means) - min(means)),
        drift=_drift([group[len(group) // 2].at / MINUTE for group in groups], means),
        reach={name: _reach(groups, budget) for name, budget in budgets.items()},
    )


def _reach(groups: Sequence[Sequence[Reading]], budget: Budget) -> Reach:
    length = groups[0][0].seconds
    together = max(1, min(round(budget.window_seconds / length), min(map(len, groups)) // 2))
    noise = _noise(groups, together)
    launch = START_SECONDS + max(
        budget.warmup_seconds, budget.warmup_windows * budget.window_seconds
    )
    costs = launch, budget.window_seconds
    run = _cheapest(noise, costs, budget.precision, budget.launches, budget)
    pairs, costs = _paired(groups, together), (2 * launch, 2 * budget.window_seconds)
    compare = _cheapest(pairs, costs, budget.margin, budget.blocks, budget)
    return Reach(
        precision=budget.precision,
        half_width=_half_width(noise, budget),
        launches=run.groups,
        most_launches=budget.launches[1],
        run_minutes=run.cost / MINUTE,
        margin=budget.margin,
        blocks=compare.groups,
        most_blocks=budget.blocks[1],
        compare_minutes=compare.cost / MINUTE,
    )


def _cheapest(
    noise: Spread,
    costs: tuple[float, float],
    wanted: float,
    groups: tuple[int, int],
    budget: Budget,
) -> Plan:
    """How a precision is reached at the least cost.

    Args:
        noise: Of windows, and of launches or blocks.
        costs: Seconds of a launch or block without its windows, and of a window.
        wanted: The precision, relative.
        groups: Launches or blocks at the first look, and at the last.
        budget: Has the rest.
    """
    fewest, most = groups
    return cheapest(
        noise,
        *costs,
        half_width=math.log1p(wanted),
        limits=budget.windows,
        looks=sequential.looks(fewest, most),
        confidence=sequential.confidence(most, fewest, most, budget.confidence),
    )


def _half_width(noise: Spread, budget: Budget) -> float:
    """Of the interval of a case that has had its fewest launches, with their fewest windows."""
    n, most = budget.launches
    confidence = sequential.confidence(n, n, most, budget.confidence)
    if n < 2:  # noqa: PLR2004
        return MOST
    deviation = math.hypot(noise.between, noise.within / math.sqrt(budget.windows[0]))
    reach = student_quantile(n - 1, 0.5 + confidence / 2) * deviation / math.sqrt(n)
    return _relative(reach)


def _noise(groups: Sequence[Sequence[Reading]], together: int) -> Spread:
    """Of windows put together."""
    found = spread([_logs(group, together) for group in groups])
    assert found is not None  # noqa: S101  each group has two values or more
    return found


def _paired(groups: Sequence[Sequence[Reading]], together: int) -> Spread:
    """Of ratios of neighbours put together; whatever slows both slows neither."""
    squares = [
        (b - a) ** 2 for group in groups for a, b in itertools.pairwise(_logs(group, together))
    ]
    return Spread(within=math.sqrt(sum(squares) / len(squares)), between=0.0)


def _logs(group: Sequence[Reading], together: int) -> list[float]:
    """Logarithms of rates of so many windows put together; what is left over is left out."""
    starts = range(0, len(group) - together + 1, together)
    return [_log_rate(group[start : start + together]) for start in starts]


def _log_rate(readings: Sequence[Reading]) -> float:
    """Work over seconds, a ratio of sums."""
    seconds = sum(reading.seconds for reading in readings)
    return math.log(sum(reading.rate * reading.seconds for reading in readings) / seconds)


def _drift(minutes: Sequence[float], logs: Sequence[float]) -> Drift:
    """The least-squares slope over processes; those that wander make its interval too narrow."""
    x, y = np.asarray(minutes) - np.mean(minutes), np.asarray(logs) - np.mean(logs)
    slope = float(x @ y / (x @ x))
    freedom = len(logs) - 2
    error = math.sqrt(float(((y - slope * x) ** 2).sum() / freedom / (x @ x)))
    reach = student_quantile(freedom, 0.5 + CONFIDENCE / 2) * error
    return Drift(_relative(slope), _relative(slope - reach), _relative(slope + reach))


def _relative(log: float) -> float:
    """A relative difference, capped where nothing is known."""
    return min(math.expm1(min(log, math.log(MOST))), MOST)
