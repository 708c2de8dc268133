"""How much of a campaign is done, and what is left of it."""

from __future__ import annotations

import math
import time
from statistics import median
from typing import TYPE_CHECKING

from cnnbench import events, stopping
from cnnbench.comparison import PILOT_BLOCK
from cnnbench.stats.foresight import PRIOR, Noise, noise_of

if TYPE_CHECKING:
    from cnnbench.case import Budget, Case
    from cnnbench.record import Launch

SHORT = (
    2  # launches of a case, the first ones, that have the fewest windows: noise is not known yet
)


class Clock:
    """How much of a campaign of cases is done, and what is left of it.

    Time left is foreseen, corrected by how the launches that ended compare with what was foreseen
    of them; a case that has launches goes by the mean of those that had as many windows as the rest
    will have, which is known after two. How many launches a case takes is what is expected at its
    noise, of which before the first look only what is typical of the cases is known, or what an
    earlier campaign had.
    """

    def __init__(self, started: events.CampaignStarted) -> None:
        self._budget = started.budget
        self._open = {case: _Course(case, started.budget) for case in started.cases}
        self._closed: list[_Course] = []
        self._foreseen: dict[Case, float | None] = {}
        self._usual: float | None = None  # launches of a case of which nothing is known
        self._ended = 0
        self._begun: dict[str, tuple[Case, float]] = {}  # by launch, of those that live
        for launch in started.kept:
            if launch.case in self._open:
                self._learn(launch, stopping.seconds(launch))

    def note(self, event: events.Event) -> None:
        """Learn from an event."""
        match event:
            case events.Forecast(launches=launches):
                self._foreseen = dict(launches)
            case events.CasePlanned(case=case, outlook=outlook) if case in self._open:
                self._open[case].planned = outlook.launches
            case events.LaunchStarted(case=case, launch=launch):
                self._begun[launch] = case, time.monotonic()
            case events.LaunchEnded(case=case, launch=ended):
                self._ended += 1
                _, begun = self._begun.pop(ended.id, (case, time.monotonic()))
                if case in self._open:
                    self._learn(ended, time.monotonic() - begun)
            case events.CaseDone(result=result) if result.case in self._open:
                self._closed.append(self._open.pop(result.case))
            case _:
                pass

    def done(self) -> tuple[int, int]:
        """Launches done, and those that are expected in all."""
        return self._ended, self._ended + round(sum(map(self._missing, self._open)))

    def left(self) -> str:
        """Time left, in words; nothing where it is not known."""
        return _about(self.seconds_left())

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
        if times := self._open[case].seconds:
            alike = times[SHORT:] or times
            return sum(alike) / len(alike)
        foreseen = self._foreseen.get(case)
        return None if foreseen is None else foreseen * self._pace()

    def _pace(self) -> float:
        """How much longer launches take than was foreseen."""
        pairs = [
            (sum(course.seconds), foreseen * len(course.seconds))
            for case, course in self._open.items()
            if course.seconds and (foreseen := self._foreseen.get(case))
        ]
        return sum(taken for taken, _ in pairs) / sum(said for _, said in pairs) if pairs else 1.0

    def _learn(self, launch: Launch, seconds: float) -> None:
        """A launch of an open case is over that took so many seconds."""
        self._open[launch.case].add(launch, seconds)
        courses = [*self._open.values(), *self._closed]
        if deviations := [course.noise.deviation for course in courses if course.noise]:
            typical = median(deviations)
            self._usual = stopping.launches_expected([], Noise(typical, PRIOR), self._budget)
            self._open[launch.case].expect(typical)

    def _missing(self, case: Case) -> float:
        """Launches that an open case will have yet: at least one."""
        course, length = self._open[case], self._length(case)
        in_time = math.ceil(course.seconds_left / length) if length else math.inf
        return max(1.0, min(course.missing(self._usual), in_time))


class _Course:
    """The launches of a case.

    Attributes:
        seconds: That each took.
        logs: Logarithms of the speeds of those that count.
        noise: Of these; None before there are two.
        planned: Launches that count, as an earlier campaign tells; 0 if there is none.
    """

    def __init__(self, case: Case, budget: Budget) -> None:
        self._budget = budget
        self._to_goal = case.until is not None
        self._expected: float | None = None
        self.seconds: list[float] = []
        self.logs: list[float] = []
        self.noise: Noise | None = None
        self.planned = 0

    def add(self, launch: Launch, seconds: float) -> None:
        """A launch is over that took so many seconds."""
        self.seconds.append(seconds)
        if self._to_goal or launch.failure is not None:
            return
        self.logs += stopping.log_speeds([launch], self._budget)
        self.noise = noise_of(self.logs)

    def expect(self, typical: float) -> None:
        """See how many launches that count the case will have.

        Args:
            typical: Deviation of the launches of a case: few launches tell little of their own.
        """
        if noise := self.noise:
            if len(self.logs) < self._budget.launches[0]:
                noise = noise.moderated(typical)
            self._expected = stopping.launches_expected(self.logs, noise, self._budget)

    @property
    def seconds_left(self) -> float:
        """Until the time of a case is spent, which ends it."""
        return self._budget.case_seconds - sum(self.seconds)

    def missing(self, usual: float | None) -> float:
        """Launches until the case is settled: what does not count is replaced as often as so far.

        Args:
            usual: Launches of a case that count, where nothing is known of it.
        """
        if self._to_goal:
            return self._budget.launches[0] - len(self.seconds)
        wanted = self._expected or self.planned or usual or self._budget.launches[0]
        for_each = (len(self.seconds) + 1) / (len(self.logs) + 1)  # the first may be an accident
        return (wanted - len(self.logs)) * for_each


class BlockClock:
    """How much of a campaign of blocks is done, and what is left of it.

    A race is over when it is won, which nobody foresees, or when its time is up. Other blocks last
    as long as those did that are over; the pilot block, whose arms do not take turns, says nothing
    of them.
    """

    def __init__(self, started: events.CampaignStarted) -> None:
        self._most = started.budget.case_seconds * len(started.cases)
        self._begun: float | None = None  # the block that lives
        self._seconds: list[float] = []
        self._counted = 0
        self._expected: float | None = None
        self._ends: float | None = None  # when no block of a race begins any more

    def note(self, event: events.Event) -> None:
        """Learn from an event."""
        match event:
            case events.RaceStarted(seconds=seconds) if math.isfinite(seconds):
                self._ends = time.monotonic() + seconds
            case events.LaunchStarted() if self._begun is None:
                self._begun = time.monotonic()
            case events.BlockEnded(number=number, outcome=outcome, expected=expected):
                self._end(number, outcome.blocks, expected)
            case events.BlockMeasured(number=number, counted=counted, blocks=wanted):
                self._end(number, counted, wanted)
            case _:
                pass

    def done(self) -> tuple[int, int | None]:
        """Blocks that count, and those that are expected in all, if that is known."""
        if self._expected is None:
            return self._counted, None
        return self._counted, max(round(self._expected), self._counted)

    def left(self) -> str:
        """Time left, in words; nothing where it is not known. Of a race, how long it may last."""
        if self._ends is None:
            return _about(self.seconds_left())
        seconds = self._ends - time.monotonic()
        return f"at most {duration(seconds)} left" if seconds > 0 else "time is up after this"

    def seconds_left(self) -> float | None:
        """Seconds left; None while no block that may count is over, and of a race."""
        if not self._seconds or self._expected is None:
            return None
        tried = len(self._seconds)
        for_each = max((tried + 1) / (self._counted + 1), 1.0)
        length = sum(self._seconds) / tried
        left = max(self._expected - self._counted, 1) * for_each * length
        gone = 0.0 if self._begun is None else min(time.monotonic() - self._begun, length)
        return min(left, max(self._most - sum(self._seconds), length)) - gone

    def _end(self, number: int, counted: int, expected: float) -> None:
        if number != PILOT_BLOCK and self._begun is not None:
            self._seconds.append(time.monotonic() - self._begun)
        self._begun = None
        self._counted, self._expected = counted, expected


def clock(started: events.CampaignStarted) -> Clock | BlockClock:
    """The clock of a campaign."""
    return BlockClock(started) if started.in_blocks else Clock(started)


def _about(seconds: float | None) -> str:
    return "" if seconds is None else f"about {duration(seconds)} left"


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:  # noqa: PLR2004
        return f"{seconds:.0f} s"
    if seconds < 5400:  # noqa: PLR2004
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
