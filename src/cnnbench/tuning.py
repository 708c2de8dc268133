"""Finds the fastest right configuration of a training on this machine. Yields events.

Races, each of launches of its own:

    bases           stacks, data formats and precisions, without recipes, where there are several
    recipes         the best bases of each stack, alone and with one recipe
    together        each of them with all recipes that helped, and with all that did not hurt, or
                    that there was no time to try
    around          the best of these with one recipe less or more, until it stays the best
    confirmation    the winner against what the user has now, for a gain that was not picked

A proof takes about as long as a launch, and most configurations lose: what is ahead is proven, as
soon as it is, and leaves if it is wrong. Both of the confirmation are proven before they start.
"""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from cnnbench import catalog, prepare, recipes, tuned
from cnnbench.case import Arm, digest
from cnnbench.link import bundle
from cnnbench.plan import BUDGETS
from cnnbench.race import Race
from cnnbench.racing import Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from cnnbench import events
    from cnnbench.case import Case
    from cnnbench.prepare import Own
    from cnnbench.record import Facts, Launch
    from cnnbench.store.database import Store

OBJECTIVES = {
    "throughput": "images_per_second",
    "time-to-accuracy": "time_to_accuracy",
    "images-per-joule": "energy_per_image",
    "memory": "peak_memory",
}
KEPT = 2  # bases that recipes are tried on, at least, where so many may be the best
# Few windows: a launch costs its beginning, and configurations differ by more than noise does.
BUDGET = replace(BUDGETS["quick"], windows=(5, 10), margin=0.02)
RULES = Rules(confidence=tuned.CONFIDENCE, margin=BUDGET.margin, blocks=(2, 5))
TOGETHER = RULES._replace(blocks=(3, 8))
CONFIRMATION = RULES._replace(blocks=(5, 5))
# How many of those that are ahead are proven; 0 where all are before they start.
AHEAD = {
    tuned.BASES: KEPT,
    tuned.SINGLY: 1,
    tuned.COMBINED: 1,
    tuned.AROUND: 1,
    tuned.CONFIRMED: 0,
}
# The share of the time after which no block of a race begins: the later ones tell the answer.
# None begins that would end after all of it.
ENDS = {
    tuned.BASES: 0.3,
    tuned.SINGLY: 0.5,
    tuned.COMBINED: 0.65,
    tuned.AROUND: 0.85,
    tuned.CONFIRMED: 1.0,
}


class Tuning:
    """Tunes one training.

    Args:
        present: What the user has now.
        bases: Cases without recipes, to begin from; the present one is added.
        wanted: Names of the recipes to try.
        objective: One of `OBJECTIVES`.
        seconds: After which no more is tried.
        own: The user's own files and environments.
        machine: Facts of this host.
        store: Where launches go.
        resume: Whether an interrupted tuning of the same is gone on with.
    """

    def __init__(
        self,
        present: Case,
        bases: Sequence[Case],
        wanted: Sequence[str],
        *,
        objective: str,
        seconds: float,
        own: Own,
        machine: Facts,
        store: Store,
        resume: bool = True,
    ) -> None:
        plain = replace(present, recipes=())
        self._present = present
        self._bases = tuple(dict.fromkeys([plain, *bases]))
        self._wanted = tuple(wanted)
        self._objective = objective
        self._seconds = seconds
        self._own, self._machine, self._store = own, machine, store
        self._resume = resume
        self._begun = time.monotonic()
        self._name = ""
        self._laps: list[tuned.Lap] = []

    def run(self) -> events.Events:
        """Race until the winner is confirmed, or time is up."""
        self._begun, self._name = time.monotonic(), self._begin()
        kept = list(self._bases)
        if len(kept) > 1:
            found = yield from self._race(tuned.BASES, self._bases, RULES)
            kept = tuned.promising(found, KEPT, self._having)
        if kept:
            found = yield from self._race(tuned.SINGLY, self._singly(kept), RULES)
            yield from self._together(kept, found)
            winner = tuned.winner(tuned.chooser(self._laps))
            if winner and winner != self._present:
                pair = (self._present, winner)
                yield from self._race(tuned.CONFIRMED, pair, CONFIRMATION, pair)
        self._store.end_campaign(self._name)

    def answer(self) -> tuned.Answer:
        """What was found so far."""
        final = tuned.chooser(self._laps)
        best = tuned.winner(final)
        confirmed = next((lap for lap in self._laps if lap.name == tuned.CONFIRMED), None)
        present = tuned.label(self._present)
        return tuned.Answer(
            objective=self._objective,
            present=self._present,
            best=best,
            maybe=final.standing.inside if final and final.standing else (),
            gain=tuned.gain(confirmed, tuned.label(best), present) if best and confirmed else None,
            contributions=tuned.contributions(final, best) if final and best else {},
            races=tuple(self._laps),
            seconds=time.monotonic() - self._begun,
        )

    def _race(
        self,
        kind: str,
        cases: Sequence[Case],
        rules: Rules,
        stay: Sequence[Case] = (),
        name: str = "",
    ) -> Generator[events.Event, None, tuned.Lap]:
        """Have configurations race.

        Args:
            kind: Of race: when it must end, and how much of it is proven.
            cases: The configurations.
            rules: Of the race.
            stay: Those that never leave.
            name: Of the race, where there are several of a kind.
        """
        name = name or kind
        arms = [Arm(name=tuned.label(case), case=case) for case in dict.fromkeys(cases)]
        race = Race(
            arms,
            rules,
            value_of(self._objective),
            self._begun + self._seconds * ENDS[kind],
            first_end=self._begun + self._seconds * first_end(kind),
            end=self._begun + self._seconds,
            earlier=[one for lap in self._laps for one in lap.launches],
            name=name,
            part_of=self._name,
            stay=[tuned.label(case) for case in stay],
            # Building stacks may have taken all the time: it would have been for nothing.
            must=0 if self._laps else 1,
            ahead=AHEAD[kind],
            budget=BUDGET,
            own=self._own,
            machine=self._machine,
            store=self._store,
        )
        try:
            yield from race.run()
        finally:
            self._laps.append(lap(name, arms, race))
        return self._laps[-1]

    def _begin(self) -> str:
        """The campaign that holds the races together: a new one, or one that was interrupted."""
        bases = [*self._bases, self._present]
        stacks = [prepare.stack_of(self._own, case.stack).fingerprint for case in bases]
        name = digest(
            [
                Race.KIND,
                [asdict(case) for case in bases],
                self._wanted,
                self._objective,
                stacks,
                bundle.digest(),
                self._machine.get("machine_id"),
            ]
        )
        taken = self._store.resume_campaign(name) if self._resume else None
        return taken or self._store.begin_campaign(
            digest=name,
            suite=Race.KIND,
            budget=BUDGET,
            probe_digest=bundle.digest(),
            machine=self._machine,
            plan=bases,
        )

    def _singly(self, bases: Sequence[Case]) -> list[Case]:
        """Each base alone, and with each recipe that goes with it."""
        found = []
        for base in bases:
            found += [base, *(replace(base, recipes=(name,)) for name in self._having(base))]
        return found

    def _having(self, base: Case) -> tuple[str, ...]:
        """Names of the recipes to try that go with a base."""
        backend = prepare.stack_of(self._own, base.stack).backend
        cases = [replace(base, recipes=(name,)) for name in self._wanted]
        return tuple(c.recipes[0] for c in cases if recipes.refusal(c, backend) is None)

    def _together(self, bases: Sequence[Case], lap: tuned.Lap) -> Generator[events.Event]:
        """Race all bases with what helped them, and with all that did not hurt.

        The second for what one recipe saves may hide what another does. And of the best one's stack
        the bases alone: what seemed to help may have been noise. Where there was no time for single
        recipes, all at once are better than none: the race says whether they help.
        """
        helped = [replace(base, recipes=tuned.helping(base, lap)) for base in bases]
        unhurt = [replace(base, recipes=self._unhurt(base, lap)) for base in bases]
        expected = [tuned.expected(base, lap) for base in bases]
        best = bases[expected.index(max(expected))]
        alone = [base for base in bases if base.stack == best.stack]
        cases = [self._present, *alone, *helped, *unhurt]
        found = yield from self._race(tuned.COMBINED, cases, TOGETHER, [self._present])
        yield from self._around(found, lap)

    def _unhurt(self, base: Case, lap: tuned.Lap) -> tuple[str, ...]:
        """All recipes that a base may have, as far as is known."""
        if lap.launches:
            return tuned.unhurt(base, lap)
        return tuned.unrivalled(self._having(base))

    def _around(self, found: tuned.Lap, lap: tuned.Lap) -> Generator[events.Event]:
        """Race those of one recipe less or more than the best, until it stays the best.

        Args:
            found: What chose the best.
            lap: Of single recipes.
        """
        centres: list[Case] = []
        while (best := tuned.winner(found)) and best.recipes and best not in centres:
            centres.append(best)
            more = tuned.unhurt(replace(best, recipes=()), lap)
            around = tuned.neighbours(best, more)
            if {arm.case for arm in found.arms}.issuperset(around):
                return
            cases = [self._present, best, *around]
            name = f"{tuned.AROUND} {len(centres)}"
            found = yield from self._race(tuned.AROUND, cases, TOGETHER, [self._present], name)


def first_end(kind: str) -> float:
    """The share of the time by which the first block of a race is over, though it began late.

    One block of each race tells more than several of some: it takes what is the next race's. But
    not what is the confirmation's.
    """
    later = [share for share in ENDS.values() if ENDS[kind] < share < ENDS[tuned.CONFIRMED]]
    return min(later, default=ENDS[kind])


def value_of(objective: str) -> Callable[[Launch], float | None]:
    """What is to be large, of a launch: the metric of an objective, or one over it."""

    def value(launch: Launch) -> float | None:
        name = OBJECTIVES[objective]
        if (name, launch.case.device) == ("peak_memory", "gpu"):
            name = "gpu_peak_memory"
        metric = catalog.module("metrics", name)
        found: float | None = metric.of(launch)
        return 1 / found if found and metric.BETTER == "lower" else found

    return value


def lap(name: str, arms: Sequence[Arm], race: Race) -> tuned.Lap:
    """A race so far, as a value."""
    launches = race.launches()
    return tuned.Lap(
        name=name,
        arms=arms,
        blocks=race.blocks(),
        standing=race.standing(),
        failures={one.arm: one.failure.message for one in launches if one.failure},
        launches=launches,
        proofs=race.proofs(),
    )


def harmless() -> list[str]:
    """The recipes that do not make it another training."""
    names = catalog.names("recipes")
    return [name for name in names if catalog.module("recipes", name).CHANGES != "training"]
