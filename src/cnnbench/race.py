"""A race: blocks of arms of which those leave that have lost. Yields events."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from cnnbench import events, racing, tuned
from cnnbench.arena import Arena
from cnnbench.comparison import TRIES
from cnnbench.judge import measured

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnbench.case import Arm
    from cnnbench.executor import Happening
    from cnnbench.judge import Value
    from cnnbench.prepare import Ready
    from cnnbench.racing import Rules, Standing


class Race(Arena):
    """Finds the arms that may be the best.

    Args:
        arms: At least one, with different names.
        rules: When an arm leaves, and when the race is over.
        value: What is to be large, of a launch that counts; None where it has none.
        deadline: No block begins after this, on the monotonic clock, but those that must.
        name: What it is called in there: it shares no launch with another, even of the same arms.
        part_of: The campaign that it belongs to, in which it is run once.
        stay: Arms that never leave, for it is to be known how far they are behind.
        must: How many blocks are launched however late it is.
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
        name: str,
        part_of: str,
        stay: Sequence[str] = (),
        must: int = 0,
        **common: Any,
    ) -> None:
        super().__init__(arms, **common)
        self._name, self._part_of = name, part_of
        self._stay = frozenset(stay)
        self._rules = rules
        self._value = value
        self._deadline = deadline
        self._must = must

    def run(self) -> events.Events:
        """Race until it is over, unless it is."""
        ended = self._store.ended(self._digest())
        if ended is None:
            yield from super().run()
        else:
            self._launches = self._store.launches(campaign=ended)

    def standing(self) -> Standing | None:
        """How it stands; None before anything counts."""
        return racing.replayed(self.blocks(), self._able(), self._rules)

    def blocks(self) -> list[dict[str, float]]:
        """Logarithms by arm, of each block, of the launches that count."""
        return measured(self._launches, self._budget, self._value)

    def _blocks(self, ready: dict[str, Ready]) -> Iterator[Happening]:
        for number in range(self._last() + 1, TRIES * self._rules.blocks[1] + 1):
            found = self.standing()
            on = {*found.inside, *self._stay} if found else set(self._able())
            names = [name for name in self._able() if name in on and name in ready]
            is_late = time.monotonic() >= self._deadline and number > self._must
            if not names or (found and found.is_over) or is_late:
                return
            turns = number > 1 and self._may_take_turns(ready, names)
            chosen = {name: ready[name] for name in names}
            yield from self._block(number, chosen, self._budget.windows[0], turns=turns)
            if found := self.standing():
                yield events.LapEnded(number, found)

    def _digest(self, *more: str) -> str:
        return super()._digest(self._part_of, self._name, *more)
