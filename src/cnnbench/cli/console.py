"""Events as progress lines: the only file that prints while measuring."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cnnbench import events
from cnnbench.record import STEADY
from cnnbench.report.table import interval, number

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from cnnbench.case import Case
    from cnnbench.result import Result


class Display:
    """Shows a campaign on standard error: a live line in a terminal, plain lines elsewhere.

    Attributes:
        results: Of the cases that are done, by case.
    """

    def __init__(self) -> None:
        self.results: dict[Case, Result] = {}
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._live = self._console.is_terminal
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=12),
            TextColumn("{task.fields[left]}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._live,
        )
        self._task = self._progress.add_task("starting", total=1, left="")
        self._clock = Clock()
        self._images, self._seconds, self._windows = 0, 0.0, 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def follow(self, happened: Iterable[events.Event]) -> None:
        """Show events until there are no more."""
        for event in happened:
            self._clock.note(event)
            self._show(event)

    def _show(self, event: events.Event) -> None:  # noqa: C901  one branch an event
        match event:
            case events.CampaignStarted(cases=cases, kept=kept):
                self._say(_beginning(len(cases), kept))
            case events.StackLine(stack=stack, line=line):
                self._status(f"building {stack}: {line}")
                self._plain(f"stack {stack}: {line}")
            case events.Waiting(reason=reason):
                self._say(reason)
            case events.LaunchStarted(case=case, number=nth):
                self._images, self._seconds, self._windows = 0, 0.0, 0
                self._title = f"{case.stack} {case.model} #{nth}"
                self._status(f"{self._title} start")
                self._plain(f"launch {nth}: {case.title}")
            case events.StageEntered(stage=stage):
                self._status(f"{self._title} {stage}")
            case events.WindowTimed():
                self._window(event)
            case events.LaunchEnded(launch=launch) if launch.failure:
                self._say(f"{launch.case.title}: {launch.failure.message}")
            case events.CaseDone(result=result):
                self.results[result.case] = result
                self._say(_conclusion(result))
            case _:
                pass

    def _window(self, event: events.WindowTimed) -> None:
        window = event.window
        if window.role != STEADY:
            self._status(f"{self._title} {window.role}")
            return
        self._images += window.images
        self._seconds += window.seconds
        self._windows += 1
        speed = number(self._images / self._seconds)
        self._status(f"{self._title} window {self._windows}: {speed} images/s")

    def _status(self, text: str) -> None:
        done, total = self._clock.launches()
        left = self._clock.left()
        self._progress.update(
            self._task, description=text, completed=done, total=max(total, 1), left=left
        )

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False)

    def _plain(self, text: str) -> None:
        if not self._live:
            self._say(text)


class Clock:
    """How much of a campaign is done, and what is left of it at the pace so far."""

    def __init__(self) -> None:
        self._open: dict[Case, list[float]] = {}
        self._fewest = 1
        self._ended = 0
        self._begun = 0.0

    def note(self, event: events.Event) -> None:
        """Learn from an event."""
        match event:
            case events.CampaignStarted(cases=cases, budget=budget):
                self._open = {case: [] for case in cases}
                self._fewest = budget.launches[0]
            case events.LaunchStarted():
                self._begun = time.monotonic()
            case events.LaunchEnded(case=case):
                self._ended += 1
                if case in self._open:
                    self._open[case].append(time.monotonic() - self._begun)
            case events.CaseDone(result=result):
                self._open.pop(result.case, None)
            case _:
                pass

    def launches(self) -> tuple[int, int]:
        """Launches done, and at least to do in all."""
        return self._ended, self._ended + sum(self._missing(t) for t in self._open.values())

    def left(self) -> str:
        """Time left at the pace so far, or nothing while there is no pace."""
        known = [t for times in self._open.values() for t in times]
        if not known:
            return ""
        typical = sum(known) / len(known)
        seconds = sum(
            self._missing(times) * (sum(times) / len(times) if times else typical)
            for times in self._open.values()
        )
        return f"about {_duration(seconds)} left"

    def _missing(self, times: list[float]) -> int:
        return max(self._fewest - len(times), 1)


def _beginning(cases: int, kept: int) -> str:
    """What is about to be measured."""
    going_on = f", going on after {_several(kept, 'launch', 'launches')}" if kept else ""
    return _several(cases, "case", "cases") + going_on


def _several(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _conclusion(result: Result) -> str:
    speed = result.images_per_second
    if speed is None:
        return f"{result.case.title}: {result.verdict}: {result.reason}"
    told = f"{number(speed.point)} images/s ({interval(speed)})"
    reason = f": {result.reason}" if result.reason else ""
    return f"{result.case.title}: {told}, {result.verdict}{reason}"


def _duration(seconds: float) -> str:
    if seconds < 90:  # noqa: PLR2004
        return f"{seconds:.0f} s"
    if seconds < 5400:  # noqa: PLR2004
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
