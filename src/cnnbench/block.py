"""A block: every arm once, in fresh processes; one after the other, or window by window in turns.

Taking turns, all processes of a block live at once and all but one wait. Each is brought to where
its windows may count; then they are asked for one window each, in an order that is turned round
every time. Windows that are compared are so half a second apart, not half a minute, and a machine
that changes its speed from minute to minute, as virtual ones do, changes it for all arms alike.
`benchmarks/turns.py` measures what that gives. A process that does not idle while it waits would
slow the others and not itself: then nobody takes turns.
"""

from __future__ import annotations

import random
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

from cnnbench import events
from cnnbench.errors import CnnbenchError
from cnnbench.machine.idle import wait_until_idle

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from cnnbench.executor import Happening
    from cnnbench.record import Launch

    Living = Generator[Happening, None, Launch]

TRAINING = "training"
PATIENCE = 3  # waits that were in vain, of each player those in a row


class RestlessError(CnnbenchError):
    """A process that waited for its turn kept the CPUs busy; nothing of its block counts."""


def one_after_the_other(
    launches: Sequence[Living], *, each: bool = False
) -> Generator[Happening, None, list[Launch]]:
    """Live launches one by one, in random order; up to one that failed, unless each counts."""
    ended = []
    for launch in random.sample(launches, len(launches)):
        ended.append((yield from launch))
        if ended[-1].failure and not each:
            break
    return ended


def in_turns(launches: Sequence[Living]) -> Generator[Happening, None, list[Launch]]:
    """Live launches at once, window by window; ends all as soon as one failed.

    Raises:
        RestlessError: Those that wait do not idle.
    """
    players = [_Player(launch) for launch in random.sample(launches, len(launches))]
    with ExitStack() as held:
        for player in players:
            held.enter_context(closing(player.living))
        for player in players:
            yield from player.play(until=TRAINING)
        playing = players
        while playing := [p for p in playing if p.ended is None]:
            if any(p.ended is not None and p.ended.failure for p in players):
                break
            playing = playing[::-1]
            for player in playing:
                others = [p.pid for p in players if p is not player and p.ended is None]
                # The turn of one that never idles is the only one that is not waited for in vain.
                player.in_vain = 0 if wait_until_idle(others) else player.in_vain + 1
                if sum(one.in_vain for one in playing) >= PATIENCE:
                    raise RestlessError("a process that waits for its turn keeps the CPUs busy")
                yield from player.play(until="")
    return [player.ended for player in players if player.ended is not None]


class _Player:
    """A launch that stops where it is told."""

    def __init__(self, living: Living) -> None:
        self.living = living
        self.pid = 0
        self.in_vain = 0  # waits for its turn, in a row
        self.ended: Launch | None = None

    def play(self, until: str) -> Iterator[Happening]:
        """Go on until a stage is entered, or for one window if none is named, or to the end."""
        while True:
            try:
                event: Any = next(self.living)
            except StopIteration as end:
                self.ended = end.value
                return
            if isinstance(event, events.GuestStarted):
                self.pid = event.pid
            yield event
            if isinstance(event, events.StageEntered) and until == event.stage:
                return
            if isinstance(event, events.WindowTimed) and not until:
                return
