"""What is concluded of a comparison: ratios and verdicts, derived from blocks on reading.

A block has every arm once, in fresh processes. What is compared is the logarithm of one arm's speed
over another's in the same block, so that what slows a whole block slows no arm. The interval is
Student's t over blocks, as wide as the looks planned at their growing number demand
(`stats/sequential.py`), and among several arms as many comparisons (Bonferroni), so that all
statements hold together with the confidence of the budget. With a margin that says which difference
matters:

    faster, slower          the whole interval lies beyond the margin
    equivalent              it lies within the margin, and holds 1
    different but small     it lies within the margin, and does not hold 1
    inconclusive            anything else; the reason says about how many more blocks it would take

Source: Kalibera & Jones, ISMM 2013 (ratios with intervals); Schuirmann 1987 (equivalence); Abedi &
Brecht, ICPE 2017 (randomised interleaved trials).
"""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass, field
from statistics import mean, stdev
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cnnbench import plan
from cnnbench.disturbance import disturbances
from cnnbench.judge import judge
from cnnbench.result import Estimate, estimate
from cnnbench.stats import sequential
from cnnbench.stats.foresight import noise_of, stops
from cnnbench.stats.interval import independent
from cnnbench.stats.steady import NO_STEADY_STATE, steadiness
from cnnbench.stats.variance import MOST_GROUPS, cheapest, groups_needed, spread
from cnnbench.stopping import begin_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from cnnbench.case import Arm, Budget
    from cnnbench.record import Failure, Launch, Scalar

FASTER, SLOWER, EQUIVALENT = "faster", "slower", "equivalent"
DIFFERENT, INCONCLUSIVE = "different but small", "inconclusive"

SUITE = "compare"  # the name of campaigns that compare
PILOT_BLOCK = 0
CONTROL = " again"  # ends the name of the baseline where it is its own opponent
# Blocks made for each that counts, at most: what is disturbed or never steady is replaced.
TRIES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two arms.

    Attributes:
        baseline: Name of the arm that the other is compared with.
        candidate: Name of the other.
        ratio: Speed of the candidate over that of the baseline; None without two blocks.
        verdict: One of five words.
        reason: One line where the verdict is `inconclusive`, else empty.
    """

    baseline: str
    candidate: str
    ratio: Estimate | None
    verdict: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A comparison of arms, so far.

    Attributes:
        arms: The first is the baseline.
        blocks: That count.
        margin: The smallest relative difference that matters.
        comparisons: Of each other arm with the baseline.
        best: Names of the arms that may be the fastest: no other is proven faster.
        control: The baseline over itself in the same blocks; None before two of them.
        speeds: Images per second by arm, over all blocks that count.
        set_aside: Why blocks do not count, and how many.
        failures: Why an arm cannot run, by its name.
    """

    arms: tuple[Arm, ...]
    blocks: int
    margin: float
    comparisons: tuple[Comparison, ...]
    best: tuple[str, ...] = ()
    control: Estimate | None = None
    speeds: Mapping[str, Estimate] = field(default_factory=dict)
    set_aside: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, Failure] = field(default_factory=dict)

    @property
    def decided(self) -> bool:
        """Whether every comparison has a verdict that stands."""
        return all(found.verdict != INCONCLUSIVE for found in self.comparisons)


class Block(NamedTuple):
    """A block that counts.

    Attributes:
        number: From 1.
        logs: Natural logarithm of images per second by arm.
        series: Of the candidates over the baseline, window by window; empty if arms did not take
            turns.
        node: Of a fleet, that it lived on; None for this machine.
    """

    number: int
    logs: Mapping[str, float]
    series: tuple[tuple[float, ...], ...]
    node: Scalar = None


class Differences(NamedTuple):
    """Log ratios of one arm to another, a block each, and the node of each block."""

    logs: list[float]
    nodes: list[Scalar]

    @property
    def independent(self) -> list[float]:
        """Those that vary independently: means of nodes, where there are several."""
        ratios = independent([math.exp(log) for log in self.logs], self.nodes)
        return [math.log(ratio) for ratio in ratios]

    def estimate(self, confidence: float, nominal: float | None = None) -> Estimate:
        """Of the ratio."""
        return estimate([math.exp(log) for log in self.logs], confidence, nominal, self.nodes)


def outcome(launches: Sequence[Launch], arms: Sequence[Arm], budget: Budget) -> Outcome:
    """What blocks say.

    Args:
        launches: Of one comparison, in any order; those of unfinished blocks are left out.
        arms: The first is the baseline.
        budget: Of the comparison.
    """
    failures = {one.arm: one.failure for one in launches if one.failure is not None}
    good, set_aside = blocks(launches, arms, budget)
    names = [arm.name for arm in arms]
    compared = tuple(
        _compared(names[0], name, good, budget, several=len(names) - 1) for name in names[1:]
    )
    nominal = _confidence(len(good), budget, 1)
    return Outcome(
        arms=tuple(arms),
        blocks=len(good),
        margin=budget.margin,
        comparisons=compared,
        best=tuple(_best(names, good, budget)),
        control=_control(names[0], good, budget),
        speeds={
            name: estimate(
                [math.exp(b.logs[name]) for b in good],
                budget.confidence,
                nominal,
                [b.node for b in good],
            )
            for name in names
            if good
        },
        set_aside=set_aside,
        failures=failures,
    )


def wants_block(launches: Sequence[Launch], found: Outcome, spent: float, budget: Budget) -> bool:
    """Whether a comparison should go on.

    Args:
        launches: So far.
        found: What they say.
        spent: Seconds so far.
        budget: Of the comparison; its seconds of a case count for each arm.
    """
    fewest, most = budget.blocks
    tried = len({one.block for one in launches if one.block not in (None, PILOT_BLOCK)})
    if found.failures or found.blocks >= most or tried >= TRIES * most:
        return False
    if found.blocks and spent >= budget.case_seconds * len(found.arms):
        return False
    return found.blocks not in sequential.looks(fewest, most) or not found.decided


def blocks_expected(launches: Sequence[Launch], arms: Sequence[Arm], budget: Budget) -> float:
    """How many blocks that count a comparison will have when it is decided, on average.

    Args:
        launches: So far.
        arms: The first is the baseline.
        budget: Of the comparison.
    """
    good, _ = blocks(launches, arms, budget)
    looks = sequential.looks(*budget.blocks)
    if len(good) < 2:  # noqa: PLR2004
        return looks[0]
    several, margin = len(arms) - 1, math.log1p(budget.margin)
    confidences = [_confidence(look, budget, several) for look in looks]
    found = []
    for arm in arms[1:]:
        logs = _differences(arms[0].name, arm.name, good).logs
        noise = noise_of(logs)
        assert noise is not None  # noqa: S101
        found.append(stops(logs, noise, looks, confidences, functools.partial(_is_decided, margin)))
    return float(np.max(found, axis=0).mean())


def windows_wanted(launches: Sequence[Launch], arms: Sequence[Arm], budget: Budget) -> int:
    """Windows of each launch in the next block: few where windows are quiet, or blocks are not.

    The fewest of the budget before two blocks are known in which arms took turns.
    """
    good, _ = blocks(launches, arms, budget)
    numbers = {block.number for block in good if block.series}
    ours = [one for one in launches if one.block in numbers]
    if len(numbers) < 2 or plan.is_short(ours[0].windows):  # noqa: PLR2004
        return budget.windows[0]
    per_block = len(ours) / len(numbers)
    begin = per_block * mean(begin_seconds(one) for one in ours)
    window = per_block * mean(w.seconds for one in ours for w in one.steady)
    several = len(arms) - 1
    return max(
        cheapest(
            noise,
            begin,
            window,
            half_width=_room(_differences(arms[0].name, arm.name, good).logs, budget),
            limits=budget.windows,
            looks=sequential.looks(*budget.blocks),
            confidence=_confidence(budget.blocks[1], budget, several),
        ).values
        for i, arm in enumerate(arms[1:])
        if (noise := spread([block.series[i] for block in good if block.series]))
    )


def verdict(low: float, high: float, margin: float) -> str:
    """The word for an interval of a ratio.

    Args:
        low: Lower bound.
        high: Upper bound.
        margin: The smallest relative difference that matters.
    """
    if low > 1 + margin:
        return FASTER
    if high < 1 / (1 + margin):
        return SLOWER
    if low > 1 / (1 + margin) and high < 1 + margin:
        return EQUIVALENT if low <= 1 <= high else DIFFERENT
    return INCONCLUSIVE


def blocks(
    launches: Sequence[Launch], arms: Sequence[Arm], budget: Budget
) -> tuple[list[Block], dict[str, int]]:
    """The blocks that count, in order, and why others do not."""
    names = [arm.name for arm in arms]
    by_block: dict[int, dict[str, Launch]] = {}
    for one in launches:
        if one.block is not None and one.block != PILOT_BLOCK and one.failure is None:
            by_block.setdefault(one.block, {})[one.arm] = one
    good, unsteady, disturbed = [], 0, list[str]()
    for number, group in sorted(by_block.items()):
        if not all(name in group for name in names):
            continue
        if causes := [c for one in group.values() for c in disturbances(one.facts, budget)]:
            disturbed.append(causes[0])
        elif (block := _block(number, group, names, budget)) is None:
            unsteady += 1
        else:
            good.append(block)
    set_aside = {NO_STEADY_STATE: unsteady} if unsteady else {}
    if disturbed:
        set_aside[f"disturbed, the last because {disturbed[-1]}"] = len(disturbed)
    return good, set_aside


def _block(
    number: int, group: Mapping[str, Launch], names: Sequence[str], budget: Budget
) -> Block | None:
    """A block's speeds over the windows in which all arms are steady; None if they never are.

    Where arms took turns, window by window, what must be steady is their ratio: what slows the
    machine for a while slows them alike.
    """
    if not all(one.facts.get("interleaved") for one in group.values()):
        judged = {arm: judge(one, budget) for arm, one in group.items()}
        if any(j.kind == NO_STEADY_STATE for j in judged.values()):
            return None
        apart = {arm: _log_speed(j.launch) for arm, j in judged.items()}
        return Block(number, apart, (), group[names[0]].facts.get("node"))
    count = min(len(one.steady) for one in group.values())
    logs = {arm: plan.log_speeds(one.steady[:count]) for arm, one in group.items()}
    series = {
        arm: tuple(a - b for a, b in zip(values, logs[names[0]], strict=True))
        for arm, values in logs.items()
        if arm != names[0]
    }
    fewest = min(budget.windows[0], count)
    found = [steadiness(one, math.log1p(budget.margin), fewest) for one in series.values()]
    if any(one.kind == NO_STEADY_STATE for one in found):
        return None
    start = max((one.start for one in found), default=0)
    speeds = {arm: _log_speed(one, start, count) for arm, one in group.items()}
    return Block(number, speeds, tuple(series[name][start:] for name in names[1:]))


def _log_speed(launch: Launch, start: int = 0, stop: int | None = None) -> float:
    """Images over seconds, a ratio of sums."""
    counted = launch.steady[start:stop]
    return math.log(sum(w.images for w in counted) / sum(w.seconds for w in counted))


def _differences(one: str, other: str, good: Sequence[Block]) -> Differences:
    """Of the other to the one, of the blocks that have both."""
    both = [b for b in good if one in b.logs and other in b.logs]
    return Differences([b.logs[other] - b.logs[one] for b in both], [b.node for b in both])


def _confidence(n: int, budget: Budget, several: int) -> float:
    """Of one of several intervals at a look at n blocks, such that all at all looks hold."""
    overall = 1 - (1 - budget.confidence) / several
    return sequential.confidence(n, *budget.blocks, overall)


def _compared(
    baseline: str, candidate: str, good: Sequence[Block], budget: Budget, several: int
) -> Comparison:
    differences = _differences(baseline, candidate, good)
    logs = differences.logs
    if len(logs) < 2:  # noqa: PLR2004
        reason = "an interval needs two blocks that count"
        return Comparison(
            baseline=baseline,
            candidate=candidate,
            ratio=differences.estimate(budget.confidence) if logs else None,
            verdict=INCONCLUSIVE,
            reason=reason,
        )
    nominal = _confidence(len(logs), budget, several)
    ratio = differences.estimate(budget.confidence, nominal)
    assert ratio.low is not None  # noqa: S101
    assert ratio.high is not None  # noqa: S101
    word = verdict(ratio.low, ratio.high, budget.margin)
    parts = differences.independent
    missing = _more(parts, budget, several) if word == INCONCLUSIVE else 0
    what = "blocks" if len(parts) == len(logs) else "nodes"
    return Comparison(
        baseline=baseline,
        candidate=candidate,
        ratio=ratio,
        verdict=word,
        reason=_open(ratio, budget.margin, missing, what) if word == INCONCLUSIVE else "",
    )


def _is_decided(
    margin: float, middle: NDArray[np.float64], half_width: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether intervals of log ratios give a verdict that stands; see `verdict`."""
    beyond = np.abs(middle) - half_width > margin
    return beyond | (np.abs(middle) + half_width < margin)


def _open(ratio: Estimate, margin: float, missing: int, what: str) -> str:
    """Why a comparison is not decided, and what it would take."""
    word = ""
    if ratio.low is not None and ratio.low > 1:
        word = FASTER
    elif ratio.high is not None and ratio.high < 1:
        word = SLOWER
    known = f"{word}, but whether by more than {margin:.1%} is open; " if word else ""
    how_many = "thousands of" if missing >= MOST_GROUPS - 1 else f"about {missing}"
    return f"{known}{how_many} more {what} would decide"


def _more(logs: Sequence[float], budget: Budget, several: int) -> int:
    """Blocks, or nodes, until the interval ends before the nearest bound, the middle unchanged."""
    nominal = _confidence(budget.blocks[1], budget, several)
    return max(1, groups_needed(stdev(logs), _room(logs, budget), nominal) - len(logs))


def _room(logs: Sequence[float], budget: Budget) -> float:
    """How far the middle lies from the nearest bound: an interval of that half-width decides."""
    return max(abs(abs(mean(logs)) - math.log1p(budget.margin)), 1e-6)


def _best(names: Sequence[str], good: Sequence[Block], budget: Budget) -> Iterator[str]:
    """The arms that no other is proven to be faster than, all pairs together."""
    pairs = list(itertools.combinations(names, 2))
    beaten = set()
    for one, other in pairs:
        differences = _differences(one, other, good)
        if len(differences.logs) < 2:  # noqa: PLR2004
            continue
        nominal = _confidence(len(differences.logs), budget, len(pairs))
        found = differences.estimate(budget.confidence, nominal)
        if found.low is not None and found.low > 1:
            beaten.add(one)
        if found.high is not None and found.high < 1:
            beaten.add(other)
    yield from (name for name in names if name not in beaten)


def _control(baseline: str, good: Sequence[Block], budget: Budget) -> Estimate | None:
    differences = _differences(baseline, baseline + CONTROL, good)
    if len(differences.logs) < 2:  # noqa: PLR2004
        return None
    return differences.estimate(budget.confidence)
