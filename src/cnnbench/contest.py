"""A comparison that is being measured: blocks until the verdicts are in. Yields events.

It begins with a pilot block, one arm after the other, which does not count: it shows that every arm
can run, what memory it takes, and brings files into the page cache. Every fourth block has the
baseline twice; that it equals itself is the control.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench import comparison, events
from cnnbench.arena import Arena
from cnnbench.comparison import CONTROL, PILOT_BLOCK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnbench.comparison import Outcome
    from cnnbench.executor import Happening
    from cnnbench.prepare import Ready

CONTROL_EVERY = 4


class Contest(Arena):
    """Compares arms: at least two, the first of which is the baseline.

    The budget says which difference matters; other arguments are those of an arena.
    """

    KIND = comparison.SUITE

    def outcome(self) -> Outcome:
        """What is concluded so far."""
        return comparison.outcome(self._launches, self._arms, self._budget)

    def _blocks(self, ready: dict[str, Ready]) -> Iterator[Happening]:
        if any(arm.name not in ready for arm in self._arms):
            return
        baseline = self._arms[0].name
        ready |= {baseline + CONTROL: ready[baseline]}
        if not any(one.block == PILOT_BLOCK for one in self._launches):
            yield from self._compare(PILOT_BLOCK, ready)
        while comparison.wants_block(self._launches, self.outcome(), self._spent, self._budget):
            yield from self._compare(self._last() + 1, ready)

    def _compare(self, number: int, ready: dict[str, Ready]) -> Iterator[Happening]:
        """A block of all arms, at times with the control."""
        names = [arm.name for arm in self._arms]
        if number % CONTROL_EVERY == 1:
            names.append(names[0] + CONTROL)
        turns = number != PILOT_BLOCK and self._may_take_turns(ready, names)
        windows = comparison.windows_wanted(self._launches, self._arms, self._budget)
        yield from self._block(number, {name: ready[name] for name in names}, windows, turns=turns)
        expected = comparison.blocks_expected(self._launches, self._arms, self._budget)
        yield events.BlockEnded(number, turns, self.outcome(), expected)
