"""A block: every arm once, in fresh processes; one after the other, or window by window in turns.

Taking turns, all processes of a block live at once and all but one wait. Each is brought to where
its windows may count; then they are asked for one window each, in an order that is turned round
every time. Windows that are compared are so half a second apart, not half a minute, and a machine
that changes its speed from minute to minute, as virtual ones do, changes it for all arms alike.
`benchmarks/turns.py` measures what that gives.
"""

from __future__ import annotations

import random
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

from cnnbench import events
from cnnbench.machine.idle import wait_until_idle

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from cnnbench.record import Launch

    Living = Generator[events.Event, None, Launch]

TRAINING = "training"


def one_after_the_other(
    launches: Sequence[Living], *, each: bool = False
) -> Generator[events.Event, None, list[Launch]]:
    """Live launches one by one, in random order; up to one that failed, unless each counts."""
    ended = []
    for launch in random.sample(launches, len(launches)):
        ended.append((yield from launch))
        if ended[-1].failure and not each:
            break
    return ended


def in_turns(launches: Sequence[Living]) -> Generator[events.Event, None, list[Launch]]:
    """Live launches at once, window by window; ends all as soon as one failed."""
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
                wait_until_idle(p.pid for p in players if p is not player and p.ended is None)
                yield from player.play(until="")
    return [player.ended for player in players if player.ended is not None]


class _Player:
    """A launch that stops where it is told."""

    def __init__(self, living: Living) -> None:
        self.living = living
        self.pid = 0
        self.ended: Launch | None = None

    def play(self, until: str) -> Iterator[events.Event]:
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
