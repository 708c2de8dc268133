"""A race: blocks of arms of which those leave that have lost. Yields events."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from cnnbench import events, racing
from cnnbench.contest import Contest
from cnnbench.judge import counting, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cnnbench.case import Arm
    from cnnbench.prepare import Ready
    from cnnbench.racing import Rules, Standing
    from cnnbench.record import Launch

    Value = Callable[[Launch], float | None]


TRIES = 2  # blocks made for each that counts, at most


class Race(Contest):
    """Finds the arms that may be the best.

    Args:
        arms: At least one, with different names.
        rules: When an arm leaves, and when the race is over.
        value: What is to be large, of a launch that counts; None where it has none.
        deadline: No block begins after this, on the monotonic clock.
        part_of: The campaign that it belongs to, in which it is run once.
        stay: Arms that never leave, for it is to be known how far they are behind.
        common: As of a contest.
    """

    KIND, GOES_ON = "tune", True

    def __init__(
        self,
        arms: Sequence[Arm],
        rules: Rules,
        value: Value,
        deadline: float = math.inf,
        *,
        part_of: str,
        stay: Sequence[str] = (),
        **common: Any,
    ) -> None:
        super().__init__(arms, **common)
        self._part_of = part_of
        self._stay = frozenset(stay)
        self._rules = rules
        self._value = value
        self._deadline = deadline

    def run(self) -> Iterator[events.Event]:
        """Race until it is over, unless it is."""
        ended = self._store.ended(self._digest())
        if ended is None:
            yield from super().run()
        else:
            self._launches = self._store.launches(campaign=ended)

    def standing(self) -> Standing | None:
        """How it stands; None before anything counts."""
        return racing.replayed(self.measured(), self._able(), self._rules)

    def measured(self) -> list[dict[str, float]]:
        """Logarithms by arm, of each block, of the launches that count."""
        blocks: dict[int, dict[str, float]] = defaultdict(dict)
        for one in self._launches:
            if one.failure is None and one.block:
                goal = one.case.until is not None
                for launch in [one] if goal else counting([judge(one, self._budget)]):
                    if value := self._value(launch):
                        blocks[one.block][one.arm] = math.log(value)
        return [block for _, block in sorted(blocks.items())]

    def launches(self) -> Sequence[Launch]:
        """Every launch so far."""
        return tuple(self._launches)

    def _blocks(self, ready: dict[str, Ready]) -> Iterator[events.Event]:
        for number in range(self._last() + 1, TRIES * self._rules.blocks[1] + 1):
            found = self.standing()
            on = {*found.inside, *self._stay} if found else set(self._able())
            names = [name for name in self._able() if name in on and name in ready]
            if not names or (found and found.is_over) or time.monotonic() >= self._deadline:
                return
            turns = number > 1 and self._may_take_turns(ready, names)
            chosen = {name: ready[name] for name in names}
            yield from self._block(number, chosen, self._budget.windows[0], turns=turns)
            if found := self.standing():
                yield events.LapEnded(number, found)

    def _digest(self, *more: str) -> str:
        return super()._digest(self._part_of, *more)

    def _last(self) -> int:
        """The number of the latest block; 0 before the first."""
        return max((one.block or 0 for one in self._launches), default=0)

    def _able(self) -> list[str]:
        """Arms none of whose launches failed."""
        failed = {one.arm for one in self._launches if one.failure}
        return [arm.name for arm in self._arms if arm.name not in failed]
