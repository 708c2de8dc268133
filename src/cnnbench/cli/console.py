"""Events as progress lines: the only file that prints while measuring."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cnnbench import events
from cnnbench.cli.clock import BlockClock, Clock, clock, duration
from cnnbench.comparison import PILOT_BLOCK
from cnnbench.record import STEADY
from cnnbench.report import goals
from cnnbench.report.table import interval, number
from cnnbench.result import UNSUPPORTED

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
        self._clock: Clock | BlockClock | None = None
        self._cases = 0
        self._reasons: set[str] = set()
        self._images, self._seconds, self._windows = 0, 0.0, 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def follow(self, happened: Iterable[events.Event]) -> None:
        """Show events until there are no more."""
        for event in happened:
            if isinstance(event, events.CampaignStarted):
                self._clock = clock(event)
            elif self._clock is not None:
                self._clock.note(event)
            self._show(event)

    def _show(self, event: events.Event) -> None:  # noqa: C901, PLR0912  one branch an event
        match event:
            case events.CampaignStarted(cases=cases, kept=kept):
                self._cases = len(cases)
                self._say(_beginning(len(cases), len(kept)))
            case events.Forecast(launches=launches) if launches:
                self._say(_foreseen(event, self._cases))
            case events.StackLine(stack=stack, line=line):
                self._status(f"building {stack}: {line}")
                self._plain(f"stack {stack}: {line}")
            case events.Waiting(reason=reason) | events.Shared(reason=reason):
                self._say(reason)
            case events.PeaksStarted() | events.BlockMeasured() | events.RaceStarted():
                self._say(_gone_through(event))
            case events.LaunchStarted() | events.ProofStarted():
                self._begin(event)
            case events.StageEntered(stage=stage):
                self._status(f"{self._title} {stage}")
            case events.WindowTimed():
                self._window(event)
            case events.LaunchEnded(launch=launch) if launch.failure:
                self._say(f"{launch.case.title}: {launch.failure.message}")
            case (
                events.CasePlanned() | events.BlockEnded() | events.LapEnded() | events.ProofEnded()
            ):
                self._say(_learned(event))
            case events.CaseDone(result=result):
                self.results[result.case] = result
                if not self._is_said(result):
                    self._say(_conclusion(result))
            case _:
                pass

    def _is_said(self, result: Result) -> bool:
        """Whether it cannot run for a reason that was said of another case; the table has all."""
        if result.verdict != UNSUPPORTED:
            return False
        known = result.reason in self._reasons
        self._reasons.add(result.reason)
        return known

    def _begin(self, event: events.LaunchStarted | events.ProofStarted) -> None:
        case = event.case
        if isinstance(event, events.LaunchStarted):
            what, told = f"#{event.number}", f"launch {event.number}: {case.title}"
        else:
            what, told = "proof", f"proof: {_proven(case)}"
        self._images, self._seconds, self._windows = 0, 0.0, 0
        self._title = f"{case.stack} {case.model} {what}"
        self._status(f"{self._title} start")
        self._plain(told)

    def _window(self, event: events.WindowTimed) -> None:
        window = event.window
        if window.role != STEADY:
            self._status(f"{self._title} {window.role}")
            return
        self._images += window.images
        self._seconds += window.seconds
        self._windows += 1
        speed = number(self._images / self._seconds)
        learned = "" if window.accuracy is None else f", accuracy {window.accuracy:.1%}"
        self._status(f"{self._title} window {self._windows}: {speed} images/s{learned}")

    def _status(self, text: str) -> None:
        if self._clock is None:
            self._progress.update(self._task, description=text)
            return
        done, total = self._clock.done()
        self._progress.update(
            self._task,
            description=text,
            completed=done,
            total=total and max(total, 1),
            left=self._clock.left(),
        )

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False)

    def _plain(self, text: str) -> None:
        if not self._live:
            self._say(text)


def _beginning(cases: int, kept: int) -> str:
    """What is about to be measured."""
    going_on = f", going on after {_several(kept, 'launch', 'launches')}" if kept else ""
    return _several(cases, "case", "cases") + going_on


def _foreseen(event: events.Forecast, cases: int) -> str:
    """How many cases can run, and how long that takes, as far as anything is known of it."""
    here = len(event.launches)
    count = _several(here, "case", "cases") if here == cases else f"{here} of {cases} cases"
    unknown = sum(seconds is None for seconds in event.launches.values())
    if unknown == here:
        return f"{count} can run here; how long is not known before the first launch"
    more = f", and {_several(unknown, 'case', 'cases')} of unknown length" if unknown else ""
    return f"{count} can run here: about {duration(event.seconds)} at least{more}"


def _learned(
    event: events.CasePlanned | events.BlockEnded | events.LapEnded | events.ProofEnded,
) -> str:
    """What is known by now: of a proof, a case's noise, a comparison, or a race."""
    if isinstance(event, events.BlockEnded):
        return _block(event)
    if isinstance(event, events.LapEnded):
        return _lap(event)
    if isinstance(event, events.ProofEnded):
        return f"{_proven(event.case)}: {event.proof.outcome}{_because(event.proof.reason)}"
    launches, windows, seconds = event.outlook
    return (
        f"{event.case.title}: ±{event.precision:.0%} takes about {launches} launches of {windows}"
        f" windows, {duration(seconds)} in all"
    )


def _gone_through(event: events.PeaksStarted | events.BlockMeasured | events.RaceStarted) -> str:
    """How far a diagnosis is, or a tuning."""
    if isinstance(event, events.PeaksStarted):
        return "measuring what this machine can do at best"
    if isinstance(event, events.RaceStarted):
        at_most = "" if math.isinf(event.seconds) else f": {duration(event.seconds)} at most"
        return event.name + at_most
    if not event.number:
        return "pilot: what can run is known"
    return f"{event.counted} of {_several(event.blocks, 'block', 'blocks')} measured"


def _block(event: events.BlockEnded) -> str:
    """What a comparison has come to."""
    if event.number == PILOT_BLOCK:
        return "pilot: every arm runs" if not event.outcome.failures else "pilot: an arm fails"
    found = event.outcome
    parts = [
        f"{one.candidate} {one.ratio.point:.3f} of {one.baseline}"
        + (f" ({one.ratio.low:.3f} - {one.ratio.high:.3f})" if one.ratio.low else "")
        + f": {one.reason or one.verdict}"
        for one in found.comparisons
        if one.ratio
    ]
    how = "in turns" if event.interleaved else "one after the other"
    return f"block {event.number} ({how}), {found.blocks} count: {'; '.join(parts) or 'none yet'}"


def _lap(event: events.LapEnded) -> str:
    """How a race stands."""
    found = event.standing
    still = f"{len(found.inside)} of {len(found.behind)}"
    return f"block {event.number}: {found.leader} is ahead; still in the race: {still}"


def _proven(case: Case) -> str:
    """What a proof is of, in one line."""
    parts = [case.stack, case.model, case.method, case.data_format]
    precision = [case.precision] if case.precision != "float32" else []
    return " · ".join([*parts, *precision, *case.recipes])


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _several(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _conclusion(result: Result) -> str:
    if result.case.until is not None:
        return (
            f"{result.case.title}: {goals.told(result)}, {result.verdict}{_because(result.reason)}"
        )
    speed = result.images_per_second
    if speed is None:
        return f"{result.case.title}: {result.verdict}: {result.reason}"
    told = f"{number(speed.point)} images/s ({interval(speed)})"
    return f"{result.case.title}: {told}, {result.verdict}{_because(result.reason)}"
