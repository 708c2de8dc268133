"""A campaign: launches cases, interleaved, until each is settled. Yields events, stores everything.

Launches of different cases alternate in rounds of random order, so that a drift of the machine
falls on all of them alike.
"""

from __future__ import annotations

import functools
import queue
import random
import threading
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, TypeVar

from cnnbench import events, folders, forecast, memory, plan, prepare
from cnnbench.case import digest
from cnnbench.launch import live
from cnnbench.link import bundle
from cnnbench.machine import lock
from cnnbench.record import Launch
from cnnbench.redact import redact
from cnnbench.result import conclude
from cnnbench.store.database import new_id, now

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from cnnbench.case import Case, Suite
    from cnnbench.prepare import NotReady, Own, Ready
    from cnnbench.record import Facts
    from cnnbench.result import Result
    from cnnbench.store.database import Store

T = TypeVar("T")

SEED_LIMIT = 2**31


class Campaign:
    """Measures the cases of a suite.

    Args:
        suite: What to measure, and for how long.
        own: The user's own files and environments.
        machine: Facts of this host.
        store: Where launches and windows go the moment they are known.
        resume: Whether an interrupted campaign of the same cases is gone on with.
        halve: Whether a case that is out of memory is followed by one of half its batch.
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
    ) -> None:
        self._suite = suite
        self._own = own
        self._machine = machine
        self._store = store
        self._resume = resume
        self._halve = halve
        self._launches: dict[Case, list[Launch]] = defaultdict(list)
        self._spent: dict[Case, float] = defaultdict(float)
        self._campaign = ""

    def run(self) -> Iterator[events.Event]:
        """Measure until every case is done. Whatever ends it early, what was measured is kept."""
        kept = self._begin()
        cases, budget = self._suite.cases, self._suite.budget
        yield events.CampaignStarted(self._campaign, cases, budget, kept)
        with ExitStack() as held:
            yield from _exclusive(held)
            ready = yield from self._prepare()
            yield self._forecast(ready)
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
                        waiting.append(half)

    def results(self) -> list[Result]:
        """What is concluded so far, also of cases that are not done, in the order of the suite."""
        return [
            conclude(self._launches[case], self._suite.budget)
            for case in self._wanted()
            if self._launches[case]
        ]

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
        kept = self._store.launches(campaign=self._campaign) if taken else []
        for launch in kept:
            self._launches[launch.case].append(launch)
            self._spent[launch.case] += _seconds(launch)
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
            work = functools.partial(prepare.prepare, case, self._own)
            made = yield from _streamed(case.stack, work)
            if isinstance(made, prepare.NotReady):
                yield from self._refuse(made)
            else:
                ready[case] = made
        return ready

    def _forecast(self, ready: Mapping[Case, Ready]) -> events.Forecast:
        """How long the open cases will take, by what this machine needed for them before."""
        here = self._machine.get("machine_id")
        earlier = self._store.launches_by_case()
        budget = self._suite.budget
        known: dict[Case, float | None] = {}
        for case in ready:
            if ready[case].stack.backend == "null":
                known[case] = None  # its clock is virtual
                continue
            like = [e for e in earlier.get(case, ()) if e.machine.get("machine_id") == here]
            known[case] = forecast.launch_seconds(case, budget, like, self._machine)
        done = {case: len(launches) for case, launches in self._launches.items()}
        return events.Forecast(known, forecast.left(known, done, budget))

    def _is_open(self, case: Case) -> bool:
        """Whether a case wants another launch. A failure is an answer too."""
        launches = self._launches[case]
        if any(launch.failure for launch in launches):
            return False
        speeds = [value for launch in launches if (value := plan.speed(launch))]
        return plan.needs_launch(speeds, self._spent[case], self._suite.budget)

    def _refuse(self, case: NotReady) -> Iterator[events.Event]:
        """Record a case that cannot be launched, as a result like any other."""
        launch = self._head(case.case, case.stack.fingerprint if case.stack else "")
        facts: dict[str, Any] = {}
        if case.stack:
            facts = {"package": case.stack.package, "backend": case.stack.backend}
        failure = replace(case.failure, message=redact(case.failure.message))
        self._store.begin_launch(launch)
        self._store.end_launch(launch.id, {}, facts, failure)
        self._launches[case.case].append(replace(launch, facts=facts, failure=failure))
        yield self._done(case.case)

    def _launch(self, ready: Ready) -> Iterator[events.Event]:
        case = ready.case
        head = self._head(case, ready.stack.fingerprint)
        begun = time.monotonic()
        self._store.begin_launch(head)
        yield events.LaunchStarted(case, head.id, head.number)
        launch = yield from self._stored(live(ready, head, self._suite.budget))
        if case not in self._suite.cases:
            launch = replace(launch, facts={**launch.facts, "batch_halved": True})
        self._store.end_launch(launch.id, launch.stages, launch.facts, launch.failure)
        self._launches[case].append(launch)
        self._spent[case] += time.monotonic() - begun
        yield events.LaunchEnded(case, launch)

    def _stored(
        self, launch: Generator[events.Event, None, Launch]
    ) -> Generator[events.Event, None, Launch]:
        """Pass a launch's events on, each window stored first."""
        while True:
            try:
                event = next(launch)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            if isinstance(event, events.WindowTimed):
                self._store.add_window(event.launch, event.window)
            yield event

    def _head(self, case: Case, fingerprint: str) -> Launch:
        return Launch(
            id=new_id(),
            campaign=self._campaign,
            case=case,
            number=len(self._launches[case]) + 1,
            seed=random.randrange(SEED_LIMIT),  # noqa: S311
            stack_fingerprint=fingerprint,
            probe_digest=bundle.digest(),
            started_at=now(),
            machine=self._machine,
        )

    def _done(self, case: Case) -> events.CaseDone:
        return events.CaseDone(conclude(self._launches[case], self._suite.budget))


def _exclusive(held: ExitStack) -> Iterator[events.Event]:
    """Take the machine, saying so if somebody else has it: builds disturb a measurement too."""
    path = folders.cache() / "measuring.lock"
    try:
        held.enter_context(lock.exclusive(path, wait=False))
    except lock.Busy as busy:
        yield events.Waiting(str(busy))
        held.enter_context(lock.exclusive(path))


def _seconds(launch: Launch) -> float:
    """What a stored launch took: its stages and windows."""
    return sum(launch.stages.values()) + sum(window.seconds for window in launch.windows)


def _streamed(
    stack: str, work: Callable[[Callable[[str], None]], T]
) -> Generator[events.Event, None, T]:
    """Run work that calls back with lines; yield each as an event, return what the work returns."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    answer: list[T] = []
    trouble: list[BaseException] = []

    def run() -> None:
        try:
            answer.append(work(lines.put))
        except BaseException as error:  # noqa: BLE001  raised again by the caller
            trouble.append(error)
        lines.put(None)

    threading.Thread(target=run, daemon=True).start()
    while (line := lines.get()) is not None:
        yield events.StackLine(stack, line)
    if trouble:
        raise trouble[0]
    return answer[0]
