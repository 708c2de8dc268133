"""A campaign: launches cases, interleaved, until each is settled. Yields events, stores everything.

Launches of different cases alternate in rounds of random order, so that a drift of the machine
falls on all of them alike.
"""

from __future__ import annotations

import random
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from cnnbench import convergence, events, forecast, memory, prepare, stopping
from cnnbench.case import digest
from cnnbench.ledger import Ledger
from cnnbench.link import bundle
from cnnbench.prover import proven
from cnnbench.readiness import exclusive, readied

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from cnnbench.case import Case, Suite
    from cnnbench.prepare import Own, Ready
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
    ) -> None:
        self._suite = suite
        self._own = own
        self._machine = machine
        self._store = store
        self._resume = resume
        self._halve = halve
        self._verify = verify
        self._proofs: dict[Case, Facts] = {}
        self._launches: dict[Case, list[Launch]] = defaultdict(list)
        self._spent: dict[Case, float] = defaultdict(float)
        self._campaign = ""

    def run(self) -> Iterator[events.Event]:
        """Measure until every case is done. Whatever ends it early, what was measured is kept."""
        kept = self._begin()
        cases, budget = self._suite.cases, self._suite.budget
        yield events.CampaignStarted(self._campaign, cases, budget, kept)
        with ExitStack() as held:
            yield from exclusive(held)
            ready = yield from self._prepare()
            yield from self._forecast(ready)
            yield from self._rounds(ready)
        self._store.end_campaign(self._campaign)
        yield events.CampaignEnded(self._campaign)

    def _rounds(self, ready: dict[Case, Ready]) -> Iterator[events.Event]:
        """Launch each open case once a round, until none is open."""
        waiting = list(ready)
        while waiting:
            random.shuffle(waiting)
            for case in list(waiting):
                yield from self._launch(ready[case])
                if not self._is_open(case):
                    waiting.remove(case)
                    yield self._done(case)
                    half = self._half(case)
                    if half is not None and half not in ready:
                        ready[half] = replace(ready[case], case=half)
                        self._proofs[half] = self._proofs.get(case, {})
                        waiting.append(half)

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

    def _begin(self) -> int:
        """Begin a campaign or take up an interrupted one; how many launches are kept."""
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
            self._spent[launch.case] += stopping.seconds(launch)
        return len(kept)

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

    def _prepare(self) -> Generator[events.Event, None, dict[Case, Ready]]:
        """Make every case ready; those that cannot be are done with their reason."""
        ready = {}
        for case in self._wanted():
            if self._launches[case] and not self._is_open(case):
                yield self._done(case)
                continue
            made = yield from readied(case, self._own)
            if self._verify:
                made, self._proofs[case] = yield from proven(made, self._own, self._store)
            if isinstance(made, prepare.NotReady):
                refused = self._ledger.refuse(made, 1, self._proofs.get(case))
                self._launches[case].append(refused)
                yield self._done(case)
            else:
                ready[case] = made
        return ready

    def _forecast(self, ready: Mapping[Case, Ready]) -> Iterator[events.Event]:
        """Say how long the open cases will take, by what this machine needed for them before."""
        here = self._machine.get("machine_id")
        earlier = self._store.newest_launches()
        budget = self._suite.budget
        known: dict[Case, float | None] = {}
        planned: list[events.CasePlanned] = []
        for case in ready:
            if ready[case].stack.backend == "null":
                known[case] = None  # its clock is virtual
                continue
            like = earlier.get((case, here), [])
            known[case] = forecast.launch_seconds(case, budget, like, self._machine)
            planned += self._planned(case, like)
        done = {case: len(launches) for case, launches in self._launches.items()}
        yield events.Forecast(known, forecast.left(known, done, budget))
        yield from planned

    def _planned(self, case: Case, launches: Sequence[Launch]) -> Iterator[events.CasePlanned]:
        """What a case takes to be settled, where launches of it have told of its noise."""
        fewest, most = self._suite.budget.launches
        good = [launch for launch in launches if launch.failure is None]
        outlook = stopping.outlook(good, self._suite.budget) if fewest < most else None
        if outlook is not None:
            yield events.CasePlanned(case, self._suite.budget.precision, outlook)

    def _is_open(self, case: Case) -> bool:
        """Whether a case wants another launch. A failure is an answer too."""
        launches = self._launches[case]
        if any(launch.failure for launch in launches):
            return False
        return stopping.needs_launch(launches, self._spent[case], self._suite.budget)

    def _launch(self, ready: Ready) -> Iterator[events.Event]:
        case, budget = ready.case, self._suite.budget
        known = self._launches[case]
        begun = time.monotonic()
        launch = yield from self._ledger.launch(
            ready,
            self._ledger.head(case, ready.stack.fingerprint, len(known) + 1),
            budget,
            windows=stopping.windows_wanted(known, budget),
            facts=self._facts(case),
        )
        known.append(launch)
        self._spent[case] += time.monotonic() - begun
        if len(known) == budget.launches[0] and self._is_open(case):
            yield from self._planned(case, known)

    def _facts(self, case: Case) -> Facts:
        """What launches of a case say that their guests do not know."""
        halved = {} if case in self._suite.cases else {"batch_halved": True}
        return {**self._proofs.get(case, {}), **halved}

    def _done(self, case: Case) -> events.CaseDone:
        return events.CaseDone(self._conclude(case))

    def _conclude(self, case: Case) -> Result:
        return convergence.conclude(self._launches[case], self._suite.budget, self._launches)
