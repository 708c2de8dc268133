"""A campaign: launches cases, interleaved, until each is settled. Yields events, stores everything.

Launches of different cases alternate in rounds of random order, so that a drift of the machine
falls on all of them alike. Where an executor has several places, each works on another launch.
"""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING

from cnnbench import convergence, events, forecast, memory, prepare, stopping
from cnnbench.case import digest
from cnnbench.executor import TRIES, Alone, LostError, Readied, UnbegunError, heard, together
from cnnbench.ledger import Ledger
from cnnbench.link import bundle
from cnnbench.prover import proven
from cnnbench.record import Failure
from cnnbench.stats import sequential

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from cnnbench.case import Case, Suite
    from cnnbench.executor import Executor, Happenings, Place
    from cnnbench.prepare import NotReady, Own, Ready
    from cnnbench.record import Facts, Launch
    from cnnbench.result import Result
    from cnnbench.store.database import Store


class Campaign:
    """Measures the cases of a suite.

    Args:
        suite: What to measure, and for how long.
        own: The user's own files and environments.
        machine: Facts of this host.
        store: Where launches and windows go the moment they are known.
        resume: Whether an interrupted campaign of the same cases is gone on with.
        halve: Whether a case that is out of memory is followed by one of half its batch.
        verify: Whether training is proven to be right where that is not known.
        executor: Where launches live; without one, on this machine.
    """

    def __init__(
        self,
        suite: Suite,
        own: Own,
        machine: Facts,
        store: Store,
        *,
        resume: bool = True,
        halve: bool = False,
        verify: bool = True,
        executor: Executor | None = None,
    ) -> None:
        self._suite = suite
        self._planned = frozenset(suite.cases)
        self._own = own
        self._machine = machine
        self._store = store
        self._resume = resume
        self._halve = halve
        self._verify = verify
        self._proofs: dict[Case, Facts] = {}
        self._launches: dict[Case, list[Launch]] = defaultdict(list)
        self._spent: dict[Case, float] = defaultdict(float)
        self._executor = executor or Alone()
        self._campaign = ""
        self._unready: dict[Case, None] = {}
        self._open: dict[Case, None] = {}
        self._round: list[Case] = []
        self._ready = Readied(own)
        self._under_way: Counter[Case] = Counter()
        self._lost: Counter[Case] = Counter()
        self._begun: Counter[Case] = Counter()  # launches, those that were lost among them

    def run(self) -> events.Events:
        """Measure until every case is done. Whatever ends it early, what was measured is kept."""
        return heard(self._executor, self.happening())

    def happening(self) -> Happenings:
        """The same, to be heard beside others: None while launches elsewhere say nothing."""
        kept = self._begin()
        cases, budget = self._suite.cases, self._suite.budget
        yield events.CampaignStarted(self._campaign, cases, budget, kept)
        with ExitStack() as held:
            yield from self._executor.begin(held)
            self._unready = dict.fromkeys(self._wanted())
            yield from self._all(self._unready, self._first, self._prepare)
            yield from self._forecast()
            yield from self._all(self._open, self._next, self._measure)
        self._store.end_campaign(self._campaign)
        yield events.CampaignEnded(self._campaign)

    def _all(
        self,
        left: Mapping[Case, None],
        take: Callable[[], Case | None],
        work: Callable[[Case, Place], Happenings],
    ) -> Happenings:
        """Have every place take cases and work on them, until none is left."""

        def serve(place: Place) -> Happenings:
            while left and place.alive:
                if (case := take()) is None:
                    yield None
                    continue
                self._under_way[case] += 1
                try:
                    yield from work(case, place)
                    self._lost[case] = 0
                except LostError as lost:
                    self._lose(case, lost)
                self._under_way[case] -= 1
                yield from self._finish(case)

        yield from together(self._executor, serve, lambda: bool(left))

    def _lose(self, case: Case, lost: LostError) -> None:
        """Have work done once more that was lost; a case that is lost time and again has failed."""
        self._lost[case] += not isinstance(lost, UnbegunError)
        if self._lost[case] < TRIES:
            return
        failure = Failure(stage="start", kind="killed", message=f"{lost}, {TRIES} times in a row")
        stack = prepare.stack_of(self._own, case.stack)
        self._refuse(prepare.NotReady(case=case, stack=stack, failure=failure))
        self._unready.pop(case, None)
        self._open.pop(case, None)

    def _finish(self, case: Case) -> Iterator[events.Event]:
        """Conclude a case of which nothing is wanted or under way; open its half, if it has one."""
        if self._under_way[case] or case in self._unready or case in self._open:
            return
        yield events.CaseDone(self._conclude(case))
        half = self._half(case)
        if half is None or half in self._unready or self._launches[half]:
            return
        self._proofs[half] = self._proofs.get(case, {})
        self._open[half] = None

    def results(self) -> list[Result]:
        """What is concluded so far, also of cases that are not done, in the order of the suite."""
        return [self._conclude(case) for case in self._wanted() if self._launches[case]]

    def _wanted(self) -> list[Case]:
        """The cases of the suite, each followed by its halves if it was out of memory."""
        found: dict[Case, None] = {}
        for planned in self._suite.cases:
            case: Case | None = planned
            while case is not None and case not in found:
                found[case] = None
                case = self._half(case)
        return list(found)

    def _half(self, case: Case) -> Case | None:
        """What is measured in place of a case that was out of memory, if anything is."""
        failures = [launch.failure for launch in self._launches[case] if launch.failure]
        if self._halve and any(memory.is_out_of_memory(failure) for failure in failures):
            return memory.halved(case)
        return None

    def _begin(self) -> Sequence[Launch]:
        """Begin a campaign or take up an interrupted one, whose launches are kept."""
        name = self._digest()
        taken = self._store.resume_campaign(name) if self._resume else None
        self._campaign = taken or self._store.begin_campaign(
            digest=name,
            suite=self._suite.name,
            budget=self._suite.budget,
            probe_digest=bundle.digest(),
            machine=self._machine,
            plan=self._suite.cases,
        )
        self._ledger = Ledger(self._store, self._campaign, self._machine)
        kept = self._store.launches(campaign=self._campaign) if taken else []
        for launch in kept:
            self._launches[launch.case].append(launch)
            self._begun[launch.case] = max(self._begun[launch.case], launch.number)
            self._spent[launch.case] += stopping.seconds(launch)
        return kept

    def _digest(self) -> str:
        """Names all that must be equal for an interrupted campaign to be gone on with."""
        stacks = sorted({case.stack for case in self._suite.cases})
        return digest(
            [
                [asdict(case) for case in self._suite.cases],
                self._halve,
                asdict(self._suite.budget),
                [prepare.stack_of(self._own, name).fingerprint for name in stacks],
                bundle.digest(),
                self._machine.get("machine_id"),
            ]
        )

    def _first(self) -> Case | None:
        """The next case that is not ready and nobody is making so."""
        return next((case for case in self._unready if not self._under_way[case]), None)

    def _prepare(self, case: Case, place: Place) -> Happenings:
        """Make a case ready and prove it; what cannot be is recorded with its reason."""
        if not self._launches[case] or self._is_open(case):
            made = yield from self._ready.at(place, case)
            if self._verify:
                made, self._proofs[case] = yield from proven(
                    made, self._own, self._store, place, self._machine
                )
            if isinstance(made, prepare.NotReady):
                self._refuse(made)
            else:
                self._open[case] = None
        del self._unready[case]

    def _refuse(self, made: NotReady) -> None:
        known = self._launches[made.case]
        known.append(self._ledger.refuse(made, len(known) + 1, self._proofs.get(made.case)))

    def _forecast(self) -> Iterator[events.Event]:
        """Say how long the open cases will take, by what this machine needed for them before."""
        here = self._machine.get("machine_id")
        earlier = self._store.newest_launches()
        budget = self._suite.budget
        known: dict[Case, float | None] = {}
        planned: list[events.CasePlanned] = []
        for case in self._open:
            if prepare.stack_of(self._own, case.stack).backend == "null":
                known[case] = None  # its clock is virtual
                continue
            like = earlier.get((case, here), [])
            known[case] = forecast.launch_seconds(case, budget, like, self._machine)
            planned += self._outlook(case, like, earlier=True)
        done = {case: len(launches) for case, launches in self._launches.items()}
        places = max(1, len(self._executor.places()))
        yield events.Forecast(known, forecast.left(known, done, budget) / places)
        yield from planned

    def _outlook(
        self, case: Case, launches: Sequence[Launch], *, earlier: bool = False
    ) -> Iterator[events.CasePlanned]:
        """What a case takes to be settled, where launches of it have told of its noise."""
        fewest, most = self._suite.budget.launches
        good = [launch for launch in launches if launch.failure is None]
        if fewest == most:
            return
        outlook = stopping.outlook(good, self._suite.budget, earlier=earlier)
        if outlook is not None:
            yield events.CasePlanned(case, self._suite.budget.precision, outlook)

    def _is_open(self, case: Case) -> bool:
        """Whether a case wants another launch. A failure is an answer too."""
        launches = self._launches[case]
        if any(launch.failure for launch in launches):
            return False
        return stopping.needs_launch(launches, self._spent[case], self._suite.budget)

    def _next(self) -> Case | None:
        """The next case to launch: each once a round, in random order; None if all have theirs."""
        for _ in range(2):
            while self._round:
                case = self._round.pop()
                if case in self._open and self._may_begin(case):
                    return case
            self._round = random.sample(list(self._open), len(self._open))
        return None

    def _may_begin(self, case: Case) -> bool:
        """Whether one more launch than are under way is surely wanted."""
        so_far = len(self._launches[case])
        looks = sequential.looks(*self._suite.budget.launches)
        planned = next((look for look in looks if look > so_far), so_far + 1)
        return so_far + self._under_way[case] < planned

    def _measure(self, case: Case, place: Place) -> Happenings:
        """Launch a case once, and see whether it wants another launch."""
        ready = yield from self._ready.at(place, case)
        if isinstance(ready, prepare.NotReady):
            self._refuse(ready)
        else:
            yield from self._launch(ready, place)
        if case in self._open and not self._is_open(case):
            del self._open[case]

    def _launch(self, ready: Ready, place: Place) -> Happenings:
        case, budget = ready.case, self._suite.budget
        known = self._launches[case]
        begun = time.monotonic()
        self._begun[case] += 1
        launch = yield from self._ledger.launch(
            ready,
            self._ledger.head(case, ready.stack.fingerprint, self._begun[case]),
            budget,
            place,
            windows=stopping.windows_wanted(known, budget),
            facts=self._facts(case),
        )
        known.append(launch)
        self._spent[case] += time.monotonic() - begun
        if len(known) == budget.launches[0] and self._is_open(case):
            yield from self._outlook(case, known)

    def _facts(self, case: Case) -> Facts:
        """What launches of a case say that their guests do not know."""
        halved = {} if case in self._planned else {"batch_halved": True}
        return {**self._proofs.get(case, {}), **halved}

    def _conclude(self, case: Case) -> Result:
        return convergence.conclude(self._launches[case], self._suite.budget, self._launches)
