"""How the speed of a case went from campaign to campaign, and where it changed for good.

A series has a point for each campaign of a case on a machine. PELT (Killick, Fearnhead & Eckley
2012), of `ruptures`, proposes changes generously. A change is kept if all of this holds of the two
stretches on its sides, which reach to the next changes:

- Their means differ by a factor that matters.
- They differ significantly among launches (Welch), and among campaigns too (Student): launches of
  one day share what that day was like, and are not independent of each other. With launches alone,
  on machines whose days differ by 2 %, one series in ten had a change that was none; with both, one
  in fifty. Each p-value is multiplied by the places where the change might have been.
- It is believed among all series that are shown (Benjamini & Hochberg).
- It lasted: a stretch of fewer than three campaigns between two changes is none. At the end of a
  series, where that is not known yet, a change is kept and is `too new to tell`.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from statistics import mean
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnbench import plan, stopping
from cnnbench.judge import counting, judge
from cnnbench.result import estimate
from cnnbench.stats.welch import LEAST_NOISE, believed, pooled, welch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from cnnbench.case import Budget, Case
    from cnnbench.record import Launch
    from cnnbench.result import Estimate

LEAST = 0.015  # the smallest relative change that matters
LASTING = 3  # campaigns after which a change is one
BEFORE = 2  # campaigns that a change needs before it
RATE = 0.05  # of changes that are none, among those that are told
PENALTY = 3.0  # times ln n, over the noise from one campaign to the next
TO_SIGMA = 1.4826  # from a median absolute deviation to a normal distribution's sigma

# What may explain a change, and where a launch says it.
CAUSES: Mapping[str, Callable[[Launch], Any]] = {
    "stack_fingerprint": lambda launch: launch.stack_fingerprint,
    "probe_digest": lambda launch: launch.probe_digest,
    "backend_version": lambda launch: launch.facts.get("backend_version"),
    "keras_version": lambda launch: launch.facts.get("keras_version"),
    "kernel": lambda launch: launch.machine.get("kernel"),
    "os": lambda launch: launch.machine.get("os"),
    "gpu_driver": lambda launch: launch.machine.get("gpu_driver"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One campaign of a case.

    Attributes:
        campaign: Its id.
        started_at: Of its first launch of the case: UTC, ISO 8601.
        speed: Images per second, with the interval across the launches that count.
        logs: Natural logarithms of images per second, one for each launch that counts.
        causes: What may explain a change, by name: the value that it had.
    """

    campaign: str
    started_at: str
    speed: Estimate
    logs: tuple[float, ...]
    causes: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of speed.

    Attributes:
        at: Position of the first point after it.
        factor: Speed after it over speed before it.
        p: Probability of such a difference, anywhere in the series, where there is none.
        after: Points that follow, up to the next change.
        differs: What may explain it: causes by name, each before and after it.
    """

    at: int
    factor: float
    p: float
    after: int
    differs: Mapping[str, tuple[Any, Any]]

    @property
    def too_new(self) -> bool:
        """Whether too few campaigns follow to tell a change from a bad day."""
        return self.after < LASTING


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A case on a machine.

    Attributes:
        case: What was measured.
        machine: Id of the machine.
        points: In the order of time.
        without: Campaigns that gave no number, failed or never steady.
        changes: In the order of time.
    """

    case: Case
    machine: str
    points: tuple[Point, ...]
    without: int = 0
    changes: tuple[Change, ...] = ()


def histories(
    launches: Iterable[Launch], budgets: Mapping[str, Budget], *, least: float = LEAST
) -> list[Series]:
    """The series of every case and machine, in the order in which they began.

    Args:
        launches: Complete; those of comparisons are left out, as their arms take turns.
        budgets: By campaign.
        least: The smallest relative change that matters.
    """
    groups: dict[tuple[Case, str], dict[str, list[Launch]]] = {}
    alone = [one for one in launches if one.block is None]
    for one in sorted(alone, key=lambda one: (one.started_at, one.id)):
        subject = one.case, str(one.machine.get("machine_id"))
        groups.setdefault(subject, {}).setdefault(one.campaign, []).append(one)
    found = []
    for (case, machine), campaigns in groups.items():
        points = [point(group, budgets[name]) for name, group in campaigns.items()]
        known = tuple(one for one in points if one)
        missing = len(points) - len(known)
        found.append(Series(case=case, machine=machine, points=known, without=missing))
    return changed(found, least=least)


def point(launches: Sequence[Launch], budget: Budget) -> Point | None:
    """The point of the launches of one case in one campaign; None if they give no number."""
    judgements = (
        [] if any(one.failure for one in launches) else [judge(o, budget) for o in launches]
    )
    good = [] if stopping.is_unsteady(judgements) else counting(judgements)
    speeds = [value for one in good if (value := plan.speed(one))]
    if not speeds:
        return None
    nominal = stopping.confidence(len(speeds), budget)
    return Point(
        campaign=launches[0].campaign,
        started_at=launches[0].started_at,
        speed=estimate(speeds, budget.confidence, nominal),
        logs=tuple(map(math.log, speeds)),
        causes={name: of(good[-1]) for name, of in CAUSES.items()},
    )


def changed(series: Sequence[Series], *, least: float = LEAST) -> list[Series]:
    """The series with the changes that are believed among all of them."""
    bounds = [_proposed([mean(p.logs) for p in one.points]) for one in series]
    while True:
        doubts = [_doubts(*pair, least) for pair in zip(series, bounds, strict=True)]
        flat = [p for each in doubts for p in each]
        kept = believed(flat, RATE, tests=len(series))
        if all(kept):
            break
        worst = max(flat)
        which = next(i for i, each in enumerate(doubts) if worst in each)
        del bounds[which][doubts[which].index(worst)]
    return [
        replace(one, changes=tuple(_changes(one.points, at, p)))
        for one, at, p in zip(series, bounds, doubts, strict=True)
    ]


def _proposed(values: Sequence[float]) -> list[int]:
    """Positions at which a new level may begin."""
    import ruptures  # noqa: PLC0415  which takes half a second, that others can do without

    if len(values) <= BEFORE:
        return []
    points = np.asarray(values)
    steps = np.abs(np.diff(points))
    noise = max(TO_SIGMA * float(np.median(steps)) / math.sqrt(2), LEAST_NOISE)
    scaled = (points - points.mean()) / noise
    search = ruptures.KernelCPD("linear", min_size=1).fit(scaled)
    return [int(i) for i in search.predict(pen=PENALTY * math.log(len(points)))[:-1]]


def _doubts(series: Series, bounds: Sequence[int], least: float) -> list[float]:
    """The p-value of each change between stretches; 1 of what is too small, or did not last."""
    found = []
    places = max(len(series.points) - 1, 1)
    for before, after in itertools.pairwise(_stretches(series.points, bounds)):
        lasted = len(after) >= LASTING or after[-1] is series.points[-1]
        large = abs(math.log(_factor(before, after))) >= math.log1p(least)
        may_be = lasted and large and len(before) >= BEFORE
        found.append(min(1.0, places * _doubt(before, after)) if may_be else 1.0)
    return found


def _doubt(before: Sequence[Point], after: Sequence[Point]) -> float:
    """The p-value among launches, or among campaigns if that is the larger one."""
    launches = welch([v for p in before for v in p.logs], [v for p in after for v in p.logs])
    return max(launches, pooled([mean(p.logs) for p in before], [mean(p.logs) for p in after]))


def _stretches(points: Sequence[Point], bounds: Sequence[int]) -> list[Sequence[Point]]:
    return [points[i:j] for i, j in itertools.pairwise([0, *bounds, len(points)])]


def _factor(before: Sequence[Point], after: Sequence[Point]) -> float:
    """Speed after over before, campaigns counting alike."""
    return math.exp(mean(mean(p.logs) for p in after) - mean(mean(p.logs) for p in before))


def _changes(
    points: Sequence[Point], bounds: Sequence[int], doubts: Sequence[float]
) -> Iterator[Change]:
    pairs = itertools.pairwise(_stretches(points, bounds))
    for at, p, (before, after) in zip(bounds, doubts, pairs, strict=True):
        yield Change(
            at=at,
            factor=_factor(before, after),
            p=p,
            after=len(after),
            differs=_differing(points[at - 1], points[at]),
        )


def _differing(before: Point, after: Point) -> dict[str, tuple[Any, Any]]:
    """What may explain a change between two points."""
    return {
        name: (value, after.causes.get(name))
        for name, value in before.causes.items()
        if value != after.causes.get(name)
    }
