"""Where arms meet: blocks in which each is launched once, in fresh processes. Yields events."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING

import psutil

from cnnbench import block, catalog, events, prepare, recipes
from cnnbench.case import digest
from cnnbench.comparison import PILOT_BLOCK
from cnnbench.executor import TRIES, Alone, LostError, Readied, UnbegunError, heard
from cnnbench.ledger import Ledger
from cnnbench.link import bundle
from cnnbench.prover import proven
from cnnbench.stopping import seconds

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from cnnbench.case import Arm, Budget, Case
    from cnnbench.executor import Executor, Happening, Happenings, Place
    from cnnbench.prepare import NotReady, Own, Ready
    from cnnbench.record import Facts, Launch
    from cnnbench.store.database import Store

# Share of the free memory that the processes of a block may take together.
MEMORY_SHARE = 0.7


class Arena:
    """Launches arms in blocks, as a subclass says in `_blocks`.

    Args:
        arms: With different names.
        budget: How long to measure.
        own: The user's own files and environments.
        machine: Facts of this host.
        store: Where launches and windows go the moment they are known.
        resume: Whether an interrupted campaign of the same arms is gone on with.
        verify: Whether training is proven to be right where that is not known.
        executor: Where launches live, all of a block in one place; without one, on this machine.
    """

    KIND: str  # the name of its campaigns
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
        executor: Executor | None = None,
    ) -> None:
        self._arms = tuple(arms)
        self._budget = budget
        self._own = own
        self._machine = machine
        self._store = store
        self._resume = resume
        self._verify = verify
        self._executor = executor or Alone()
        self._ready = Readied(own)
        self._lost = 0  # in a row
        self._restless = False  # whether processes that wait keep the CPUs busy
        self._proofs: dict[Case, Facts] = {}
        self._about: Facts = {}  # of every launch
        self._launches: list[Launch] = []
        self._spent = 0.0
        self.campaign = ""

    def run(self) -> events.Events:
        """Measure until there is nothing left to measure."""
        self._begin()
        cases = tuple(arm.case for arm in self._arms)
        kept = tuple(self._launches)
        yield events.CampaignStarted(self.campaign, cases, self._budget, kept, in_blocks=True)
        with ExitStack() as held:
            yield from self._executor.begin(held)
            yield from heard(self._executor, self._measure())
        self._store.end_campaign(self.campaign)
        yield events.CampaignEnded(self.campaign)

    def launches(self) -> Sequence[Launch]:
        """Every launch so far."""
        return tuple(self._launches)

    def _measure(self) -> Happenings:
        ready = yield from self._prepare()
        yield from self._blocks(ready)

    def _blocks(self, ready: dict[str, Ready]) -> Iterator[Happening]:
        """Launch blocks of the arms that are ready, by name."""
        raise NotImplementedError

    def _last(self) -> int:
        """The number of the latest block; 0 before the first."""
        return max((one.block or 0 for one in self._launches), default=0)

    def _able(self) -> list[str]:
        """Arms none of whose launches failed."""
        failed = {one.arm for one in self._launches if one.failure}
        return [arm.name for arm in self._arms if arm.name not in failed]

    def _digest(self, *more: str) -> str:
        """Names all that must be equal for an interrupted campaign to be gone on with."""
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

    def _prepare(self) -> Generator[Happening, None, dict[str, Ready]]:
        """Make every arm ready; what cannot be is recorded with its reason."""
        ready = {}
        for arm in self._arms:
            made = yield from self._admitted(arm.case)
            if isinstance(made, prepare.NotReady):
                self._refuse(arm.name, made, PILOT_BLOCK)
            else:
                ready[arm.name] = made
        return ready

    def _admitted(self, case: Case) -> Generator[Happening, None, Ready | NotReady]:
        """A case as it must be before its first launch."""
        return self._made(case, verify=self._verify)

    def _made(self, case: Case, *, verify: bool) -> Generator[Happening, None, Ready | NotReady]:
        """A case made ready, or proven, where the pilot block will live, again if that is lost."""
        while True:
            place = yield from self._place(PILOT_BLOCK)
            try:
                made = yield from self._ready.at(place, case)
                if verify:
                    made, self._proofs[case] = yield from proven(
                        made, self._own, self._store, place, self._machine
                    )
            except LostError as lost:
                self._note_loss(lost)
            else:
                self._lost = 0
                return made

    def _note_loss(self, lost: LostError) -> None:
        """Count what was lost in a row, and raise it if it is too much."""
        self._lost += not isinstance(lost, UnbegunError)
        if self._lost == TRIES:
            raise lost

    def _place(self, number: int) -> Generator[Happening, None, Place]:
        """Where a block lives: every place has its turn."""
        while not (places := self._executor.places()):
            yield None
        return places[number % len(places)]

    def _refuse(self, name: str, made: NotReady, number: int) -> None:
        """Record an arm that cannot be launched."""
        known = self._proofs.get(made.case)
        self._launches.append(self._ledger.refuse(made, number + 1, known, arm=name, block=number))

    def _block(
        self, number: int, ready: Mapping[str, Ready], windows: int, *, turns: bool
    ) -> Happenings:
        """Launch some arms, each once; of a block that is lost, what was acknowledged is kept."""
        begun = time.monotonic()
        try:
            yield from self._launch_all(number, ready, windows, turns=turns)
            self._lost = 0
        except block.RestlessError as error:
            self._restless = True
            yield events.Waiting(f"{error}; from now on, one after the other")
        except LostError as lost:
            self._note_loss(lost)
            self._launches = self._store.launches(campaign=self.campaign)
        self._spent += time.monotonic() - begun

    def _launch_all(
        self, number: int, ready: Mapping[str, Ready], windows: int, *, turns: bool
    ) -> Happenings:
        place = yield from self._place(number)
        there = {}
        for name, one in ready.items():
            made = yield from self._ready.at(place, one.case)
            if isinstance(made, prepare.NotReady):
                self._refuse(name, made, number)
                return
            there[name] = made
        living = [
            self._ledger.launch(
                one,
                self._ledger.head(
                    one.case, one.stack.fingerprint, number + 1, arm=name, block=number
                ),
                self._budget,
                place,
                windows=windows,
                facts={
                    **self._about,
                    **self._proofs.get(one.case, {}),
                    **({"interleaved": True} if turns else {}),
                },
            )
            for name, one in there.items()
        ]
        if turns:
            self._launches += yield from block.in_turns(living)
        else:
            self._launches += yield from block.one_after_the_other(living, each=self.GOES_ON)

    def _may_take_turns(self, ready: dict[str, Ready], names: Sequence[str]) -> bool:
        """Whether the processes of a block may live at once.

        Not in a fleet, whose events are late; not on a GPU, whose memory one process may take
        whole; not with devices that share a step, whose processes wait for each other; not where
        batches are read ahead while others train, which would be reading for nothing; not where
        one that waits does not idle; and not where memory is short.
        """
        if self._restless or not isinstance(self._executor, Alone):
            return False
        cases = [ready[name].case for name in names]
        if not all(map(recipes.idles, cases)):
            return False
        if any(case.device != "cpu" or case.devices > 1 for case in cases):
            return False
        if not all(catalog.module("methods", case.method).IN_MEMORY for case in cases):
            return False
        peaks = {one.case: one.facts.get("peak_memory_bytes") for one in self._launches}
        known = [peak for case in cases if isinstance(peak := peaks.get(case), int | float)]
        if len(known) < len(cases):
            return False
        return sum(known) <= MEMORY_SHARE * psutil.virtual_memory().available
