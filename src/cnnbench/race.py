"""A race: blocks of arms of which those leave that have lost. Yields events.

Where there are many arms, and few of them will matter, a race need not prove them all before they
start. It proves what is ahead after each block, until that is right: what trains wrongly leaves,
and those that left because of it are back.
"""

from __future__ import annotations

import math
import time
from statistics import mean
from typing import TYPE_CHECKING, Any

from cnnbench import events, prepare, racing, tuned
from cnnbench.arena import Arena
from cnnbench.comparison import TRIES
from cnnbench.judge import measured
from cnnbench.prover import said, subject_here
from cnnbench.stopping import seconds

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from cnnbench.case import Arm, Case
    from cnnbench.executor import Happening, Happenings
    from cnnbench.judge import Value
    from cnnbench.prepare import NotReady, Ready
    from cnnbench.racing import Rules, Standing
    from cnnbench.record import Facts, Launch


class Race(Arena):
    """Finds the arms that may be the best.

    Args:
        arms: At least one, with different names.
        rules: When an arm leaves, and when the race is over.
        value: What is to be large, of a launch that counts; None where it has none.
        deadline: No block begins after this, on the monotonic clock, but those that must, and the
            first if it will be over by `first_end`.
        first_end: Later than that, or the same.
        end: No block begins that would not be over by this, as far as launches tell.
        earlier: Launches of other races, which tell how long an arm takes.
        name: What it is called in there: it shares no launch with another, even of the same arms.
        part_of: The campaign that it belongs to, in which it is run once.
        stay: Arms that never leave, for it is to be known how far they are behind.
        must: How many blocks are launched however late it is.
        ahead: How many of those that are ahead are proven, as soon as they are; 0 where all are
            before they start.
        common: As of an arena.
    """

    KIND, GOES_ON = tuned.SUITE, True

    def __init__(
        self,
        arms: Sequence[Arm],
        rules: Rules,
        value: Value,
        deadline: float = math.inf,
        *,
        first_end: float = -math.inf,
        end: float = math.inf,
        earlier: Sequence[Launch] = (),
        name: str,
        part_of: str,
        stay: Sequence[str] = (),
        must: int = 0,
        ahead: int = 0,
        **common: Any,
    ) -> None:
        super().__init__(arms, **common)
        self._name, self._part_of = name, part_of
        self._stay = frozenset(stay)
        self._rules = rules
        self._value = value
        self._deadline, self._first_end, self._end = deadline, first_end, end
        self._took = {one.arm: seconds(one) for one in earlier}
        self._must = must
        self._ahead = ahead
        self._looked_at: set[str] = set()  # arms that were ahead, and whose proof is known

    def run(self) -> events.Events:
        """Race until it is over, unless it is, or there is no time even for a block."""
        ended = self._store.ended(self._digest())
        if ended is not None:
            self._launches = self._store.launches(campaign=ended)
        elif not self._is_late(1, [arm.name for arm in self._arms]):
            yield from super().run()

    def standing(self) -> Standing | None:
        """How it stands; None before anything counts."""
        return racing.replayed(self.blocks(), self._able(), self._rules)

    def blocks(self) -> list[dict[str, float]]:
        """Logarithms by arm, of each block, of the launches that count, of arms that can run."""
        return measured(tuned.unfailed(self._launches), self._budget, self._value)

    def proofs(self) -> dict[str, Facts]:
        """What is known of the training of the arms that were looked at, by name."""
        found = {}
        for arm in self._arms:
            known = self._store.proof(subject_here(arm.case, self._own, self._machine).id)
            if facts := said(known) if known else self._proofs.get(arm.case):
                found[arm.name] = facts
        return found

    def _measure(self) -> Happenings:
        now = time.monotonic()
        left = (self._deadline if now < self._deadline else self._first_end) - now
        yield events.RaceStarted(self._name, max(left, 0.0))
        yield from super()._measure()

    def _admitted(self, case: Case) -> Generator[Happening, None, Ready | NotReady]:
        return self._made(case, verify=self._verify and not self._ahead)

    def _blocks(self, ready: dict[str, Ready]) -> Iterator[Happening]:
        yield from self._prove_ahead(ready)
        for number in range(self._last() + 1, TRIES * self._rules.blocks[1] + 1):
            found = self.standing()
            on = {*found.inside, *self._stay} if found else set(self._able())
            names = [name for name in self._able() if name in on and name in ready]
            if not names or (found and found.is_over) or self._is_late(number, names):
                return
            turns = number > 1 and self._may_take_turns(ready, names)
            chosen = {name: ready[name] for name in names}
            yield from self._block(number, chosen, self._budget.windows[0], turns=turns)
            yield from self._prove_ahead(ready)
            if found := self.standing():
                yield events.LapEnded(number, found)

    def _prove_ahead(self, ready: dict[str, Ready]) -> Iterator[Happening]:
        """Prove those that are ahead until they are right; what is wrong is not in the race."""
        while (found := self.standing()) and (
            unproven := [
                name for name in found.inside[: self._ahead] if name not in self._looked_at
            ]
        ):
            name = unproven[0]
            made = yield from self._made(ready[name].case, verify=self._verify)
            if isinstance(made, prepare.NotReady):
                self._refuse(name, made, self._last())
            self._looked_at.add(name)

    def _is_late(self, number: int, names: Sequence[str]) -> bool:
        """Whether a block of some arms must not begin any more."""
        took = self._took | {one.arm: seconds(one) for one in self._launches}
        usual = mean(took.values()) if took else 0.0
        begin = time.monotonic()
        ends = begin + sum(took.get(name, usual) for name in names)
        if number <= self._must:
            return False
        if number == 1 and begin >= self._deadline:
            return ends >= self._first_end
        return begin >= self._deadline or ends >= self._end

    def _digest(self, *more: str) -> str:
        return super()._digest(self._part_of, self._name, *more)
