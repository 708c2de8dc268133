"""Takes a training step apart on this machine, by experiments in blocks. Yields events.

It begins with a pilot block, which shows what can run and what memory it takes, so that experiments
can take turns, window by window, in the blocks that count.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cnnbench import diagnosis, events, launch, prepare
from cnnbench.arena import Arena
from cnnbench.comparison import PILOT_BLOCK, TRIES
from cnnbench.diagnosis import AS_IS, Peaks
from cnnbench.errors import ProbeError
from cnnbench.link.conversation import Conversation
from cnnbench.plan import BUDGETS
from cnnbench.probe import wire
from cnnbench.proving import hearing
from cnnbench.proving.hearing import SILENCE_SECONDS, UnverifiableError
from cnnbench.readiness import plain_pytorch

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from cnnbench.case import Case
    from cnnbench.diagnosis import Diagnosis
    from cnnbench.executor import Happening
    from cnnbench.prepare import Own, Ready
    from cnnbench.record import Facts
    from cnnbench.store.database import Store

PEAKS = "peaks of this machine"
# Parts of a step are differences: single launches need not be precise, blocks are many enough.
BUDGET = replace(BUDGETS["quick"], windows=(6, 12))


class Diagnosing(Arena):
    """Takes a case apart.

    Args:
        case: As it is.
        blocks: Of all experiments, to be measured.
        own: The user's own files and environments.
        machine: Facts of this host.
        store: Where launches go.
        resume: Whether an interrupted diagnosis of the same is gone on with.
    """

    KIND, GOES_ON = diagnosis.SUITE, True

    def __init__(
        self, case: Case, blocks: int, own: Own, machine: Facts, store: Store, *, resume: bool
    ) -> None:
        backend = prepare.stack_of(own, case.stack).backend
        arms = diagnosis.arms(case, backend, launch.threads(case.threads))
        budget = replace(BUDGET, blocks=(blocks, blocks))
        super().__init__(arms, budget, own, machine, store, resume=resume)
        self._case = case
        self._unmeasured: dict[str, str] = {}

    def diagnosis(self) -> Diagnosis:
        """What is known so far."""
        return diagnosis.concluded(self._case, self._launches, self._budget, self._unmeasured)

    def _blocks(self, ready: dict[str, Ready]) -> Iterator[Happening]:
        if AS_IS not in ready:
            return
        yield from self._gauge()
        wanted = self._budget.blocks[0]
        if not any(one.windows for one in self._launches if one.block == PILOT_BLOCK):
            yield from self._launched(PILOT_BLOCK, ready)
            yield events.BlockMeasured(PILOT_BLOCK, 0, wanted)
        while self.diagnosis().blocks < wanted and self._last() < TRIES * wanted:
            if AS_IS not in self._able():
                return
            number = self._last() + 1
            yield from self._launched(number, ready)
            yield events.BlockMeasured(number, self.diagnosis().blocks, wanted)

    def _launched(self, number: int, ready: dict[str, Ready]) -> Iterator[Happening]:
        """A block of all that can run; of the pilot, which does not count, a window each."""
        chosen = {name: ready[name] for name in self._able() if name in ready}
        is_pilot = number == PILOT_BLOCK
        turns = not is_pilot and self._may_take_turns(ready, list(chosen))
        windows = 1 if is_pilot else self._budget.windows[0]
        yield from self._block(number, chosen, windows, turns=turns)

    def _gauge(self) -> Generator[events.Event, None, None]:
        """Measure what this machine can do at best, unless that is known of this diagnosis."""
        known = (diagnosis.peaks_of(one.facts) for one in self._launches)
        if found := next(filter(None, known), None):
            self._about = diagnosis.peak_facts(found)
            return
        found, unmeasured = yield from peaks(self._case, self._own)
        self._unmeasured |= unmeasured
        if found is not None:
            self._about = diagnosis.peak_facts(found)


def peaks(
    case: Case, own: Own
) -> Generator[events.Event, None, tuple[Peaks | None, dict[str, str]]]:
    """What this machine can do at best, in float32 and the precision of a case.

    Returns:
        None where it could not be measured, and why it, or a part of it, was not.
    """
    if case.stack == "null":
        return None, {PEAKS: "null computes nothing"}
    made = yield from plain_pytorch(case, own)
    if isinstance(made, prepare.NotReady):
        return None, {PEAKS: made.failure.message}
    yield events.PeaksStarted()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="cnnbench-") as name,
            launch.start(made, Path(name)) as process,
        ):
            told = gauged(Conversation(process, SILENCE_SECONDS), case)
    except (UnverifiableError, ProbeError) as error:
        return None, {PEAKS: str(error)}
    refused = {f"{PEAKS} in {kind}": why for kind, why in told.refused.items()}
    return Peaks(told.peaks, told.bytes_per_second), refused


def gauged(conversation: Conversation, case: Case) -> wire.Gauged:
    """What a guest says of the machine at best, in float32 and the precision of a case.

    Raises:
        UnverifiableError: It failed.
    """
    conversation.tell(
        wire.Gauge(
            version=wire.VERSION,
            threads=launch.threads(case.threads),
            device=case.device,
            precisions=list(dict.fromkeys(["float32", case.precision])),
        )
    )
    told: wire.Gauged = hearing.answer(conversation, wire.Gauged)
    return told
