"""Is the time left that progress tells right?

    python benchmarks/time_left.py [--stack NAME]... [--plays N] [--write]

`run quick` is watched twice with a store of its own: first nothing is known of this machine, then
what the first campaign measured. Said is what stood on the screen after a quarter, a half and three
quarters of the campaign; left is what it took from there.

When a campaign ends is also chance: a case that is just not known well enough at a look goes on to
the next. So N campaigns (200) are played through without measuring: of each, cases are drawn from
those in `results/` that have launches enough, and their launches drawn anew, with what each took.
--write puts both tables into docs/look.md.
"""

from __future__ import annotations

import argparse
import itertools
import random
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from unittest import mock

from rich.console import Console

from cnnbench import events, forecast, stopping
from cnnbench.campaign import Campaign
from cnnbench.cli.clock import Clock
from cnnbench.cli.measuring import here
from cnnbench.cli.run import planned_suite
from cnnbench.plan import BUDGETS
from cnnbench.prepare import Own
from cnnbench.report import grid
from cnnbench.result import Result
from cnnbench.store.database import Store
from cnnbench.store.exchange import read
from pages import ROOT, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnbench.case import Budget, Case
    from cnnbench.record import Facts, Launch

LOOK = ROOT / "docs" / "look.md"
STACKS = ("keras3-jax", "keras3-tensorflow", "keras3-torch")
PARTS = (0.25, 0.5, 0.75)
CLOSE = 0.25  # how far off is still right
KNOWN = ("nothing", "an earlier campaign")
RECORDED = ROOT / "results"
MACHINE: Facts = {"cpus_usable": 2}  # that the recorded launches are of
CASES = (3, 12)  # of a campaign that is played
ENOUGH = 4  # launches of a case, to draw from


def main() -> None:
    """Watch two campaigns and play many, then print the tables."""
    flags = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    flags.add_argument("--stack", action="append")
    flags.add_argument("--plays", type=int, default=200)
    flags.add_argument("--write", action="store_true")
    asked = flags.parse_args()
    played = grid.markdown(
        [row for budget in ("quick", "standard") for row in plays(budget, asked.plays)]
    )
    print(played)
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            row
            for known in KNOWN
            for row in watched(known, asked.stack or STACKS, Path(folder) / "store.sqlite")
        ]
    text = grid.markdown(rows)
    print(text)
    if asked.write:
        write(LOOK, "time-left", text)
        write(LOOK, "time-left-played", played)


def watched(known: str, stacks: Sequence[str], place: Path) -> Iterator[dict[str, str]]:
    """A row for each part of a campaign's time."""
    own, told = Own(), list[tuple[float, float]]()
    clock: Clock | None = None
    with Store.open(place) as store:
        suite = planned_suite("quick", {"stack": list(stacks)}, own)
        for event in Campaign(suite, own, here(None), store, resume=False, verify=False).run():
            clock = noted(clock, event)
            seconds = clock.seconds_left()
            if seconds is not None and (told or isinstance(event, events.Forecast)):
                told.append((time.monotonic(), seconds))
                Console(stderr=True).print(f"{known}: {seconds:.0f} s left", end="\r")
    for part, (said, left) in zip(PARTS, parts(told, time.monotonic()), strict=True):
        yield {
            "Known of this machine": known,
            "Gone": f"{part:.0%}",
            "Said to be left (s)": f"{said:.0f}",
            "Left (s)": f"{left:.0f}",
            "Said / left": f"{said / left:.2f}",
        }


def noted(clock: Clock | None, event: events.Event) -> Clock:
    """The clock of a campaign, after an event."""
    if isinstance(event, events.CampaignStarted):
        return Clock(event)
    assert clock is not None  # noqa: S101
    clock.note(event)
    return clock


def parts(told: Sequence[tuple[float, float]], ended: float) -> Iterator[tuple[float, float]]:
    """What was said to be left, and was, after each part of a campaign.

    Args:
        told: When what was said, in seconds.
        ended: When the campaign was over.
    """
    begun = told[0][0]
    for part in PARTS:
        moment = begun + part * (ended - begun)
        at, said = max(pair for pair in told if pair[0] <= moment)
        yield said, ended - at


def plays(name: str, count: int) -> Iterator[dict[str, str]]:
    """A row for each part of the time of many campaigns that are played through."""
    budget, pool = BUDGETS[name], recorded()
    for known, cases in itertools.product(KNOWN, CASES):
        found = []
        for seed in range(count):
            chance = random.Random(seed)  # noqa: S311  nothing is kept secret by it
            earlier = known != KNOWN[0]
            found.append([*parts(*played(chance, pool, cases, budget, known=earlier))])
        for part, said in zip(PARTS, zip(*found, strict=True), strict=True):
            ratios = sorted(told / left for told, left in said)
            close = sum(1 - CLOSE <= ratio <= 1 + CLOSE for ratio in ratios) / count
            yield {
                "Budget": name,
                "Known of this machine": known,
                "Cases": str(cases),
                "Gone": f"{part:.0%}",
                "Said / left, middle": f"{median(ratios):.2f}",
                "Nine of ten": f"{ratios[count // 20]:.2f} - {ratios[-count // 20 - 1]:.2f}",
                f"Within {CLOSE:.0%}": f"{close:.0%}",
            }


def recorded() -> list[list[Launch]]:
    """Launches of recorded cases, of those that have enough."""
    found: dict[Case, list[Launch]] = defaultdict(list)
    for path in sorted(RECORDED.glob("*.jsonl")):
        for launch in read(path).launches:
            if launch.failure is None and launch.case.until is None and launch.steady:
                found[launch.case].append(launch)
    return [launches for launches in found.values() if len(launches) >= ENOUGH]


def played(
    chance: random.Random,
    pool: Sequence[Sequence[Launch]],
    cases: int,
    budget: Budget,
    *,
    known: bool,
) -> tuple[list[tuple[float, float]], float]:
    """What a campaign said while it was played through, and when it ended.

    Args:
        chance: Draws cases and launches.
        pool: Launches of recorded cases.
        cases: Of the campaign.
        budget: Of the campaign.
        known: Whether five launches of each case are known of an earlier campaign.
    """
    drawn = {launches[0].case: launches for launches in chance.sample(pool, cases)}
    earlier = {case: chance.choices(one, k=5) if known else [] for case, one in drawn.items()}
    with mock.patch("cnnbench.cli.clock.time") as watch:
        now = 0.0
        watch.monotonic.side_effect = lambda: now
        clock = Clock(events.CampaignStarted("played", tuple(drawn), budget))
        foreseen = {
            case: forecast.launch_seconds(case, budget, earlier[case], MACHINE) for case in drawn
        }
        clock.note(events.Forecast(foreseen, 0.0))
        for case, launches in earlier.items():
            if outlook := stopping.outlook(launches, budget, earlier=True):
                clock.note(events.CasePlanned(case, budget.precision, outlook))
        told = [(now, clock.seconds_left() or 0.0)]
        had: dict[Case, list[Launch]] = {case: [] for case in drawn}
        is_open = list(drawn)
        while is_open:
            for case in chance.sample(is_open, len(is_open)):
                launch = chance.choice(drawn[case])
                clock.note(events.LaunchStarted(case, launch.id, 1))
                now += stopping.seconds(launch)
                clock.note(events.LaunchEnded(case, launch))
                had[case].append(launch)
                if not stopping.needs_launch(
                    had[case], sum(map(stopping.seconds, had[case])), budget
                ):
                    is_open.remove(case)
                    clock.note(events.CaseDone(done(case)))
                if is_open:
                    told.append((now, clock.seconds_left() or 0.0))
    return told, now


def done(case: Case) -> Result:
    """That a case is done; what it came to is of no matter here."""
    return Result(case=case, verdict="played", reason="", images_per_second=None, metrics={})


if __name__ == "__main__":
    main()
