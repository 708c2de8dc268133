"""What races say of configurations: gains, contributions, the winner. Pure."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from cnnbench import recipes
from cnnbench.case import KERAS
from cnnbench.stats import additive, interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cnnbench.case import Arm, Case
    from cnnbench.racing import Standing
    from cnnbench.record import Facts, Launch

SUITE = "tune"  # the name of campaigns that tune
CONFIDENCE = 0.95
BASES, SINGLY, COMBINED, AROUND = "bases", "recipes", "together", "around"
CONFIRMED = "confirmation"
DRIFT = 1.2  # a difference that minutes alone may make


class Gain(NamedTuple):
    """How many times as good one configuration is as another.

    Attributes:
        better: Name of the one.
        worse: Of the other.
        ratio: Estimate.
        low: Lower bound; None where one block gives no interval.
        high: Upper bound.
        blocks: In which both were.
    """

    better: str
    worse: str
    ratio: float
    low: float | None
    high: float | None
    blocks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lap:
    """A race that is over.

    Attributes:
        name: Which.
        arms: Configurations.
        blocks: Logarithms by arm, of each block.
        standing: How it ended; None where nothing counted.
        failures: Why a configuration did not run, by its name.
        launches: All of it.
        proofs: What is known of the training of those that were looked at, by name.
    """

    name: str
    arms: Sequence[Arm]
    blocks: Sequence[dict[str, float]]
    standing: Standing | None
    failures: dict[str, str]
    launches: Sequence[Launch]
    proofs: Mapping[str, Facts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What tuning found.

    Attributes:
        objective: What is to be good.
        present: What the user has now.
        best: The winner; None where nothing could be measured.
        maybe: Names of the configurations that may be the best, the winner first.
        gain: Of the winner over the present configuration.
        contributions: Of each recipe of the winner: with it over without it.
        races: In order.
        seconds: That it took.
    """

    objective: str
    present: Case
    best: Case | None
    maybe: tuple[str, ...]
    gain: Gain | None
    contributions: dict[str, Gain]
    races: Sequence[Lap]
    seconds: float

    @property
    def unraced(self) -> tuple[Lap, ...]:
        """The races that time left nothing for."""
        return tuple(lap for lap in self.races if not lap.launches)

    @property
    def is_confirmed(self) -> bool:
        """Whether the winner's gain was measured, or all was tried and nothing gains."""
        return not self.unraced if self.best == self.present else self.gain is not None


def label(case: Case) -> str:
    """A configuration in a few words: all in which configurations differ."""
    parts = [case.stack, case.data_format, case.precision, f"batch {case.batch_size}"]
    parts += [f"{case.threads} threads"] if case.threads else []
    parts += [f"loader {case.loader}"] if case.loader != KERAS else []
    return " ".join([*parts, recipes.written(case)])


def unfailed(launches: Iterable[Launch]) -> list[Launch]:
    """Launches of the arms that did not fail: one may be refused after it has raced."""
    launches = list(launches)
    failed = {one.arm for one in launches if one.failure}
    return [one for one in launches if one.arm not in failed]


def proof(laps: Sequence[Lap], name: str) -> Facts:
    """What is known of the training of a configuration; nothing where nobody looked at it."""
    return next((lap.proofs[name] for lap in reversed(laps) if name in lap.proofs), {})


def gain(lap: Lap | None, better: str, worse: str) -> Gain | None:
    """How many times as good one configuration was as another, in a race that had both.

    Student's t over the blocks in which both were.
    """
    blocks = lap.blocks if lap else ()
    apart = [b[better] - b[worse] for b in blocks if better in b and worse in b]
    if not apart:
        return None
    point, low, high = interval.geometric([math.exp(value) for value in apart], CONFIDENCE)
    return Gain(better, worse, point, low, high, len(apart))


def contributions(lap: Lap, best: Case) -> dict[str, Gain]:
    """Of each recipe of the best: with it over without it, as far as both raced."""
    found = {}
    for name in best.recipes:
        if told := gain(lap, label(best), label(without(best, name))):
            found[name] = told
    return found


def without(case: Case, name: str) -> Case:
    """The case with all its recipes but one."""
    return replace(case, recipes=tuple(other for other in case.recipes if other != name))


def effects(base: Case, lap: Lap) -> dict[str, float]:
    """By how much each recipe helped a base, as a logarithm."""
    if not lap.blocks:
        return {}
    fitted = additive.fit(lap.blocks)
    raced = [arm.case for arm in lap.arms if arm.name in fitted.names]
    if label(base) not in fitted.names:
        return {}
    return {
        case.recipes[0]: fitted.difference(label(case), label(base))[0]
        for case in raced
        if case.recipes and replace(case, recipes=()) == base
    }


def helping(base: Case, lap: Lap) -> tuple[str, ...]:
    """The recipes that helped a base, the better one of two that exclude each other."""
    return _mixed({name: effect for name, effect in effects(base, lap).items() if effect > 0})


def unhurt(base: Case, lap: Lap) -> tuple[str, ...]:
    """The recipes that did not hurt a base, the better one of two that exclude each other.

    What is slower for certain hurts; after one block, what is so by more than `DRIFT`.
    """
    found = {}
    for name, effect in effects(base, lap).items():
        told = gain(lap, label(replace(base, recipes=(name,))), label(base))
        high = math.inf if told is None else told.ratio * DRIFT if told.high is None else told.high
        if high >= 1:
            found[name] = effect
    return _mixed(found)


def unrivalled(names: Sequence[str]) -> tuple[str, ...]:
    """Those of some recipes, of which nothing is known, that none of the others excludes."""
    slots = Counter(map(recipes.slot, names))
    return tuple(sorted(name for name in names if slots[recipes.slot(name)] == 1))


def _mixed(effects: Mapping[str, float]) -> tuple[str, ...]:
    """All of some recipes, but of those that exclude each other the better one."""
    chosen: dict[str, str] = {}
    for name in sorted(effects, key=lambda name: -effects[name]):
        chosen.setdefault(recipes.slot(name), name)
    return tuple(sorted(chosen.values()))


def neighbours(case: Case, names: Iterable[str]) -> list[Case]:
    """A case without each of its recipes, and with each other of some that goes with those."""
    taken = {recipes.slot(name) for name in case.recipes}
    more = [name for name in names if recipes.slot(name) not in taken]
    wider = [replace(case, recipes=tuple(sorted([*case.recipes, name]))) for name in more]
    return [*(without(case, name) for name in case.recipes), *wider]


def expected(base: Case, lap: Lap) -> float:
    """How good a base will be with all that helped it, if effects add up: a logarithm."""
    helped = effects(base, lap)
    fitted = additive.fit(lap.blocks) if lap.blocks else None
    if fitted is None or label(base) not in fitted.names:
        return -math.inf
    own = float(fitted.effects[fitted.names.index(label(base))])
    return own + sum(helped[name] for name in helping(base, lap))


def promising(
    lap: Lap | None, fewest: int, having: Callable[[Case], tuple[str, ...]]
) -> list[Case]:
    """The cases that recipes are worth trying on, the leader first.

    The best of each stack, though it may be behind: what a backend lacks as it comes is what its
    recipes give; and of each choice of recipes, for some are of one data format. And others that
    may be the best, if those are fewer than `fewest`.

    Args:
        lap: Of bases.
        fewest: How many to give, as far as there are.
        having: Names of the recipes that go with a base.
    """
    if lap is None or lap.standing is None:
        return []
    known = {arm.name: arm.case for arm in lap.arms}
    inside, behind = lap.standing.inside, lap.standing.behind
    best: dict[tuple[str, tuple[str, ...]], Case] = {}
    for name in [*inside, *sorted(behind, key=lambda name: -behind[name])]:
        case = known[name]
        best.setdefault((case.stack, having(case)), case)
    found = list(best.values())
    others = [known[name] for name in inside if known[name] not in found]
    return found + others[: max(fewest - len(found), 0)]


def chooser(laps: Sequence[Lap]) -> Lap | None:
    """The last race that chose: not the confirmation, and none that time left no block for."""
    chose = (lap for lap in reversed(laps) if lap.name != CONFIRMED and lap.standing)
    return next(chose, None)


def winner(lap: Lap | None) -> Case | None:
    """The case that is ahead; None where nothing counted."""
    known = {arm.name: arm.case for arm in lap.arms} if lap else {}
    return known[lap.standing.leader] if lap and lap.standing else None
