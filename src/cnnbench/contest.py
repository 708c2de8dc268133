"""A comparison that is being measured: blocks until the verdicts are in. Yields events.

It begins with a pilot block, one arm after the other, which does not count: it shows that every arm
can run, what memory it takes, and brings files into the page cache. Every fourth block has the
baseline twice; that it equals itself is the control.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING

import psutil

from cnnbench import block, catalog, comparison, events, prepare
from cnnbench.case import digest
from cnnbench.comparison import CONTROL, PILOT_BLOCK
from cnnbench.ledger import Ledger
from cnnbench.link import bundle
from cnnbench.prover import proven
from cnnbench.readiness import exclusive, readied
from cnnbench.stopping import seconds

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from cnnbench.case import Arm, Budget, Case
    from cnnbench.comparison import Outcome
    from cnnbench.prepare import Own, Ready
    from cnnbench.record import Facts, Launch
    from cnnbench.store.database import Store

CONTROL_EVERY = 4
# Share of the free memory that the processes of a block may take together.
MEMORY_SHARE = 0.7


class Contest:
    """Compares arms.

    Args:
        arms: At least two, with different names; the first is the baseline.
        budget: How long to measure, and which difference matters.
        own: The user's own files and environments.
        machine: Facts of this host.
        store: Where launches and windows go the moment they are known.
        resume: Whether an interrupted comparison of the same arms is gone on with.
        verify: Whether training is proven to be right where that is not known.
    """

    KIND = comparison.SUITE
    GOES_ON = False  # whether a block goes on when one of its launches failed

    def __init__(
        self,
        arms: Sequence[Arm],
        budget: Budget,
        own: Own,
        machine: Facts,
        store: Store,
        *,
        resume: bool = True,
        verify: bool = True,
    ) -> None:
        self._arms = tuple(arms)
        self._budget = budget
        self._own = own
        self._machine = machine
        self._store = store
        self._resume = resume
        self._verify = verify
        self._proofs: dict[Case, Facts] = {}
        self._launches: list[Launch] = []
        self._spent = 0.0
        self.campaign = ""

    def run(self) -> Iterator[events.Event]:
        """Measure until every comparison is decided, or the budget is spent."""
        self._begin()
        cases = tuple(arm.case for arm in self._arms)
        yield events.CampaignStarted(self.campaign, cases, self._budget, len(self._launches))
        with ExitStack() as held:
            yield from exclusive(held)
            ready = yield from self._prepare()
            yield from self._blocks(ready)
        self._store.end_campaign(self.campaign)
        yield events.CampaignEnded(self.campaign)

    def outcome(self) -> Outcome:
        """What is concluded so far."""
        return comparison.outcome(self._launches, self._arms, self._budget)

    def _digest(self, *more: str) -> str:
        """Names all that must be equal for an interrupted comparison to be gone on with."""
        stacks = [prepare.stack_of(self._own, arm.case.stack).fingerprint for arm in self._arms]
        return digest(
            [
                self.KIND,
                *more,
                [asdict(arm) for arm in self._arms],
                asdict(self._budget),
                stacks,
                bundle.digest(),
                self._machine.get("machine_id"),
            ]
        )

    def _begin(self) -> None:
        """Begin, or take up what was interrupted."""
        name = self._digest()
        taken = self._store.resume_campaign(name) if self._resume else None
        self.campaign = taken or self._store.begin_campaign(
            digest=name,
            suite=self.KIND,
            budget=self._budget,
            probe_digest=bundle.digest(),
            machine=self._machine,
            plan=[arm.case for arm in self._arms],
            arms=[arm.name for arm in self._arms],
        )
        self._ledger = Ledger(self._store, self.campaign, self._machine)
        self._launches = self._store.launches(campaign=self.campaign) if taken else []
        self._spent = sum(map(seconds, self._launches))

    def _prepare(self) -> Generator[events.Event, None, dict[str, Ready]]:
        """Make every arm ready; what cannot be is recorded with its reason."""
        ready = {}
        for arm in self._arms:
            made = yield from readied(arm.case, self._own)
            if self._verify:
                made, self._proofs[arm.case] = yield from proven(made, self._own, self._store)
            if isinstance(made, prepare.NotReady):
                refused = self._ledger.refuse(
                    made, 1, self._proofs.get(arm.case), arm=arm.name, block=PILOT_BLOCK
                )
                self._launches.append(refused)
            else:
                ready[arm.name] = made
        if (baseline := self._arms[0].name) in ready:
            ready[baseline + CONTROL] = ready[baseline]
        return ready

    def _blocks(self, ready: dict[str, Ready]) -> Iterator[events.Event]:
        if any(arm.name not in ready for arm in self._arms):
            return
        if not any(one.block == PILOT_BLOCK for one in self._launches):
            yield from self._compare(PILOT_BLOCK, ready)
        while comparison.wants_block(self._launches, self.outcome(), self._spent, self._budget):
            last = max(one.block or 0 for one in self._launches)
            yield from self._compare(last + 1, ready)

    def _compare(self, number: int, ready: dict[str, Ready]) -> Iterator[events.Event]:
        """A block of all arms, at times with the control."""
        names = [arm.name for arm in self._arms]
        if number % CONTROL_EVERY == 1:
            names.append(names[0] + CONTROL)
        turns = number != PILOT_BLOCK and self._may_take_turns(ready, names)
        windows = comparison.windows_wanted(self._launches, self._arms, self._budget)
        yield from self._block(number, {name: ready[name] for name in names}, windows, turns=turns)
        yield events.BlockEnded(number, turns, self.outcome())

    def _block(
        self, number: int, ready: Mapping[str, Ready], windows: int, *, turns: bool
    ) -> Iterator[events.Event]:
        """Launch some arms, each once."""
        living = [
            self._ledger.launch(
                one,
                self._ledger.head(
                    one.case, one.stack.fingerprint, number + 1, arm=name, block=number
                ),
                self._budget,
                windows=windows,
                facts={
                    **self._proofs.get(one.case, {}),
                    **({"interleaved": True} if turns else {}),
                },
            )
            for name, one in ready.items()
        ]
        begun = time.monotonic()
        if turns:
            self._launches += yield from block.in_turns(living)
        else:
            self._launches += yield from block.one_after_the_other(living, each=self.GOES_ON)
        self._spent += time.monotonic() - begun

    def _may_take_turns(self, ready: dict[str, Ready], names: Sequence[str]) -> bool:
        """Whether the processes of a block may live at once.

        Not on a GPU, whose memory one process may take whole; not with devices that share a step,
        whose processes wait for each other; not where batches are read ahead while others train,
        which would be reading for nothing; and not where memory is short.
        """
        cases = [ready[name].case for name in names]
        if any(case.device != "cpu" or case.devices > 1 for case in cases):
            return False
        if not all(catalog.module("methods", case.method).IN_MEMORY for case in cases):
            return False
        peaks = {one.case: one.facts.get("peak_memory_bytes") for one in self._launches}
        known = [peak for case in cases if isinstance(peak := peaks.get(case), int | float)]
        if len(known) < len(cases):
            return False
        return sum(known) <= MEMORY_SHARE * psutil.virtual_memory().available
