"""How much of a campaign is done, and what is left of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cnnbench import events, plan

if TYPE_CHECKING:
    from cnnbench.case import Budget, Case

SHORT = (
    2  # launches of a case, the first ones, that have the fewest windows: noise is not known yet
)


class Clock:
    """How much of a campaign is done, and what is left of it.

    Time left is foreseen, corrected by how the launches that ended compare with what was foreseen
    of them; a case that has launches goes by the mean of those that had as many windows as the rest
    will have, which is known after two. How many launches a case takes is what its
    noise asks for once that is known, and the fewest of the budget before.
    """

    def __init__(self) -> None:
        self._open: dict[Case, list[float]] = {}
        self._foreseen: dict[Case, float | None] = {}
        self._budget: Budget | None = None
        self._planned: dict[Case, int] = {}
        self._ended = 0
        self._begun: dict[str, tuple[Case, float]] = {}  # by launch, of those that live

    def note(self, event: events.Event) -> None:
        """Learn from an event."""
        match event:
            case events.CampaignStarted(cases=cases, budget=budget):
                self._open = {case: [] for case in cases}
                self._budget = budget
            case events.Forecast(launches=launches):
                self._foreseen = dict(launches)
            case events.CasePlanned(case=case, outlook=outlook):
                self._planned[case] = outlook.launches
            case events.LaunchStarted(case=case, launch=launch):
                self._begun[launch] = case, time.monotonic()
            case events.LaunchEnded(case=case, launch=ended):
                self._ended += 1
                _, begun = self._begun.pop(ended.id, (case, time.monotonic()))
                if case in self._open:
                    self._open[case].append(time.monotonic() - begun)
            case events.CaseDone(result=result):
                self._open.pop(result.case, None)
            case _:
                pass

    def launches(self) -> tuple[int, int]:
        """Launches done, and at least to do in all."""
        return self._ended, self._ended + sum(self._missing(case) for case in self._open)

    def left(self) -> str:
        """Time left; nothing while no launch is foreseen or has ended."""
        seconds = self.seconds_left()
        return "" if seconds is None else f"about {duration(seconds)} left"

    def seconds_left(self) -> float | None:
        """Seconds left; None while no launch is foreseen or has ended."""
        lengths = {case: self._length(case) for case in self._open}
        known = [seconds for seconds in lengths.values() if seconds is not None]
        if not known:
            return None
        typical = sum(known) / len(known)
        now = time.monotonic()
        gone = sum(
            min(now - begun, self._length(case) or typical)
            for case, begun in self._begun.values()
            if case in self._open
        )
        missing = sum(
            (typical if length is None else length) * self._missing(case)
            for case, length in lengths.items()
        )
        return (missing - gone) / max(len(self._begun), 1)

    def _length(self, case: Case) -> float | None:
        """Seconds of a launch of an open case."""
        if times := self._open[case]:
            alike = times[SHORT:] or times
            return sum(alike) / len(alike)
        foreseen = self._foreseen.get(case)
        return None if foreseen is None else foreseen * self._pace()

    def _pace(self) -> float:
        """How much longer launches take than was foreseen."""
        pairs = [
            (sum(times), foreseen * len(times))
            for case, times in self._open.items()
            if times and (foreseen := self._foreseen.get(case))
        ]
        return sum(taken for taken, _ in pairs) / sum(said for _, said in pairs) if pairs else 1.0

    def _missing(self, case: Case) -> int:
        if self._budget is None:
            return 1
        wanted = plan.launches_foreseen(
            self._length(case) or 0.0, self._budget, self._planned.get(case, 0)
        )
        return max(wanted - len(self._open[case]), 1)


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:  # noqa: PLR2004
        return f"{seconds:.0f} s"
    if seconds < 5400:  # noqa: PLR2004
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
