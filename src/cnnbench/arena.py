"""Where arms meet: blocks in which each is launched once, in fresh processes. Yields events."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING

import psutil

from cnnbench import block, catalog, events, prepare
from cnnbench.case import digest
from cnnbench.comparison import PILOT_BLOCK
from cnnbench.ledger import Ledger
from cnnbench.link import bundle
from cnnbench.prover import proven
from cnnbench.readiness import exclusive, readied
from cnnbench.stopping import seconds

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from cnnbench.case import Arm, Budget, Case
    from cnnbench.prepare import Own, Ready
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
    ) -> None:
        self._arms = tuple(arms)
        self._budget = budget
        self._own = own
        self._machine = machine
        self._store = store
        self._resume = resume
        self._verify = verify
        self._proofs: dict[Case, Facts] = {}
        self._about: Facts = {}  # of every launch
        self._launches: list[Launch] = []
        self._spent = 0.0
        self.campaign = ""

    def run(self) -> Iterator[events.Event]:
        """Measure until there is nothing left to measure."""
        self._begin()
        cases = tuple(arm.case for arm in self._arms)
        yield events.CampaignStarted(self.campaign, cases, self._budget, len(self._launches))
        with ExitStack() as held:
            yield from exclusive(held)
            ready = yield from self._prepare()
            yield from self._blocks(ready)
        self._store.end_campaign(self.campaign)
        yield events.CampaignEnded(self.campaign)

    def launches(self) -> Sequence[Launch]:
        """Every launch so far."""
        return tuple(self._launches)

    def _blocks(self, ready: dict[str, Ready]) -> Iterator[events.Event]:
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
        return ready

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
                    **self._about,
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
