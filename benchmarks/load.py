"""What ten thousand cases ask of the driver, and how soon a store of a million windows is read.

    python benchmarks/load.py [--cases 10000] [--windows 1000000] [--write]

*Scheduler*: campaigns of cases with three launches each on 16 places that answer at once, so that
what takes time is the campaign, its verdicts and its store: launches a second, and the memory of
the process. *Store*: launches of 50 windows, half of them of comparisons, written and read by the
command line. Each at growing sizes, of which the last is what was asked for. --write puts the
tables into docs/fleet.md.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from cnnbench import events
from cnnbench.campaign import Campaign
from cnnbench.case import Arm, Case, Suite
from cnnbench.comparison import SUITE
from cnnbench.envs.stack import load
from cnnbench.plan import BUDGETS
from cnnbench.prepare import Own, Ready
from cnnbench.readiness import readied
from cnnbench.record import FIRST_STEP, STEADY, Launch, Window
from cnnbench.report import grid
from cnnbench.store.database import Store, new_id
from cnnbench.store.exchange import Origin, Recorded
from pages import ROOT, write

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from contextlib import ExitStack

    from cnnbench.record import Facts

PAGE = ROOT / "docs" / "fleet.md"
PLACES, LAUNCHES = 16, 3
WINDOWS, BLOCKS = 50, 10  # of a launch, of a comparison
MACHINE: Facts = {"machine_id": "made up", "cpu": "made up", "cpus_usable": 2}
BUDGET = replace(BUDGETS["quick"], launches=(LAUNCHES, LAUNCHES), case_seconds=1e9)


class Instant:
    """A place whose launches end as soon as they begin, with speeds that are drawn."""

    def __init__(self, number: int) -> None:
        self.facts: Facts = {"node": f"n{number}"}
        self.alive = True
        self._draw = random.Random(number)  # noqa: S311

    def run(
        self, work: Callable[..., Generator[Any, None, Any]], *arguments: Any
    ) -> Generator[Any, None, Any]:
        """What `live` and `readied` would give."""
        yield None
        if work is readied:
            case, _ = arguments
            return Ready(
                case=case,
                stack=load("null"),
                python=Path(sys.executable),
                data=None,
                model_file=None,
                dataset_file=None,
            )
        _, head, _, windows = arguments  # of `live`
        made = replace(head, windows=drawn(1 + (windows or 5), self._draw), stages={"build": 0.1})
        for window in made.windows:
            yield events.WindowTimed(head.case, head.id, window)
        return made


class Instants:
    """An executor of such places."""

    def __init__(self) -> None:
        self._places = [Instant(number) for number in range(PLACES)]

    def begin(self, held: ExitStack) -> Iterator[events.Event]:  # noqa: ARG002
        """Nothing."""
        return iter(())

    def places(self) -> list[Instant]:
        """All."""
        return self._places

    def wait(self) -> None:
        """There is always something to do."""


def scheduled(cases: int) -> dict[str, Any]:
    """A campaign of so many cases, in a process of its own: what it took."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, __file__, "--schedule", str(cases)],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def schedule(cases: int) -> dict[str, Any]:
    """The same, in this process."""
    planned = tuple(
        Case(
            stack="null",
            model="simple_cnn",
            dataset="synthetic-32",
            method="fit",
            batch_size=number + 1,
        )
        for number in range(cases)
    )
    suite = Suite(name="load", about="load", cases=planned, budget=BUDGET)
    before = psutil.Process().memory_info().rss
    with tempfile.TemporaryDirectory() as name, Store.open(Path(name) / "runs.sqlite") as store:
        campaign = Campaign(suite, Own(), MACHINE, store, verify=False, executor=Instants())
        begun = time.monotonic()
        ended = sum(isinstance(event, events.LaunchEnded) for event in campaign.run())
        took = time.monotonic() - begun
        kept = len(store.launches())
    if not ended == kept == cases * LAUNCHES:
        raise AssertionError(f"{ended} launches ended, {kept} are kept, of {cases * LAUNCHES}")
    grown = psutil.Process().memory_info().rss - before
    return {"launches": ended, "seconds": took, "bytes": grown}


def recorded(windows: int) -> Recorded:
    """Launches with so many windows in all: half of cases, half of comparisons of two arms."""
    draw = random.Random(2)  # noqa: S311
    launches: list[Launch] = []
    campaigns = {"cases": Origin(suite="load", budget=BUDGET, machine=MACHINE)}
    count = windows // WINDOWS
    for number in range(count // 2 // 10):
        case = Case(
            stack="null",
            model="simple_cnn",
            dataset="synthetic-32",
            method="fit",
            batch_size=number + 1,
        )
        launches += (made(case, "cases", one + 1, draw) for one in range(10))
    cases = [
        Case(stack="null", model=model, dataset="synthetic-32", method="train_on_batch")
        for model in ("simple_cnn", "resnet20_cifar")
    ]
    arms = tuple(Arm(name=case.model, case=case) for case in cases)
    for number in range(count // 2 // (2 * BLOCKS)):
        name = f"compare{number}"
        campaigns[name] = Origin(
            suite=SUITE, budget=BUDGETS["standard"], machine=MACHINE, arms=arms
        )
        launches += (
            replace(made(arm.case, name, block, draw), arm=arm.name, block=block)
            for block in range(1, BLOCKS + 1)
            for arm in arms
        )
    return Recorded(campaigns=campaigns, launches=tuple(launches))


def made(case: Case, campaign: str, number: int, draw: random.Random) -> Launch:
    """A launch of a noisy speed."""
    return Launch(
        id=new_id(),
        campaign=campaign,
        case=case,
        number=number,
        seed=draw.randrange(2**31),
        stack_fingerprint="f",
        probe_digest="p",
        started_at="2026-01-01T00:00:00.000000+00:00",
        machine=MACHINE,
        stages={"build": 0.1, "first step": 1.0},
        facts={"backend": "null"},
        windows=drawn(WINDOWS, draw),
    )


def drawn(count: int, draw: random.Random) -> tuple[Window, ...]:
    """So many windows of one launch, the first step among them."""
    speed = draw.lognormvariate(6, 0.01)
    return tuple(
        Window(
            index=index,
            role=STEADY if index else FIRST_STEP,
            steps=10,
            images=round(speed / 2),
            seconds=0.5 * draw.lognormvariate(0, 0.005),
            started=0.5 * index,
        )
        for index in range(count)
    )


COMMANDS = {
    "show": ["show"],
    "show --all": ["show", "--all"],
    "history": ["history", "--stack", "null", "--all-machines"],
    "export": ["export", "--format", "csv", "--output", "all.csv"],
    "report": ["report", "--output", "page"],
}


def read(windows: int) -> dict[str, float]:
    """A store of so many windows: seconds to fill it, and of each command that reads it."""
    found = {}
    with tempfile.TemporaryDirectory() as name:
        place = Path(name) / "runs.sqlite"
        begun = time.monotonic()
        with Store.open(place) as store:
            store.add(recorded(windows))
        found["fill"] = time.monotonic() - begun
        environment = os.environ | {"CNNBENCH_STORE": str(place)}
        for said, words in COMMANDS.items():
            begun = time.monotonic()
            subprocess.run(  # noqa: S603
                [sys.executable, "-m", "cnnbench", *words],
                cwd=name,
                env=environment,
                check=True,
                stdout=subprocess.DEVNULL,
            )
            found[said] = time.monotonic() - begun
    return found


def growing(most: int) -> list[int]:
    """Three sizes, each ten times the last."""
    return [max(most // 100, 1), max(most // 10, 1), most]


def main() -> None:
    """Measure at growing sizes."""
    flags = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    flags.add_argument("--cases", type=int, default=10_000)
    flags.add_argument("--windows", type=int, default=1_000_000)
    flags.add_argument("--schedule", type=int, help=argparse.SUPPRESS)
    flags.add_argument("--write", action="store_true")
    asked = flags.parse_args()
    if asked.schedule:
        print(json.dumps(schedule(asked.schedule)))
        return
    campaigns = []
    for cases in growing(asked.cases):
        print(f"{cases} cases", file=sys.stderr)
        told = scheduled(cases)
        campaigns.append(
            {
                "Cases": f"{cases:,}",
                "Launches": f"{told['launches']:,}",
                "Launches/s": f"{told['launches'] / told['seconds']:.0f}",
                "Driver's memory (MiB)": f"{told['bytes'] / 2**20:.0f}",
            }
        )
    stores = []
    for windows in growing(asked.windows):
        print(f"{windows} windows", file=sys.stderr)
        times = {f"{name} (s)": f"{seconds:.1f}" for name, seconds in read(windows).items()}
        stores.append({"Windows": f"{windows:,}", **times})
    text = f"{grid.markdown(campaigns)}\n\n{grid.markdown(stores)}"
    print(text)
    if asked.write:
        write(PAGE, "load", text)


if __name__ == "__main__":
    main()
