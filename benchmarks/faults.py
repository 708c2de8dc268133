"""Is a launch ever lost, or counted twice, when what measures dies?

    python benchmarks/faults.py [--kills 200] [--seed 1] [--write]

A Ray cluster of three nodes, a PostgreSQL server and `cnnbench run --executor ray`, all on this
machine, measure the null stack. At random moments one of them is killed: a worker, a node (another
joins), the head with all nodes (a new cluster begins), the database (it starts again) or the driver
(the same command is given again). Campaigns follow each other until so many were killed; then,
and whenever a campaign has completed, the database is read:

    every case has as many launches as were asked for, none of them failed
    no launch is there twice
    every launch that was there with its end before something was killed is still there, with as
    many windows

--write puts the table into docs/fleet.md. About half an hour on two cores.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from cnnbench.errors import StoreError
from cnnbench.report import grid
from cnnbench.store.database import Store
from pages import ROOT, write
from servers import Nodes, postgresql, workers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGE = ROOT / "docs" / "fleet.md"
NODES, LAUNCHES = 3, 3
KINDS = {"worker": 8, "node": 5, "database": 4, "driver": 4, "head": 1}  # with weights
PAUSE = (0.2, 10.0)  # seconds between two kills: a driver needs some to begin
LONGEST = 300.0  # seconds that a campaign which nobody disturbs may take
SUITE = f"""
about = "The null stack, on nodes that die"
budget = "quick"
[axes]
stack = ["null"]
method = ["fit_generator"]
dataset = ["synthetic-32"]
batch_size = [1, 2, 4, 8, 16, 32]
[limits]
launches = [{LAUNCHES}, {LAUNCHES}]
"""
CASES = 6


class Scene:
    """All that can be killed, and what was acknowledged.

    Attributes:
        killed: How often, by kind.
        completed: Campaigns that came to their end.
        begun: How often the driver was started.
        kept: Launches that were acknowledged before something was killed, with their windows.
        faults: What the store should not have had, or should have; nothing, if all is well.
    """

    def __init__(self, held: ExitStack, folder: Path, chance: random.Random) -> None:
        self.killed: Counter[str] = Counter()
        self.completed = self.begun = 0
        self.kept: dict[str, int] = {}
        self.faults: list[str] = []
        self._chance, self._folder = chance, folder
        self._suite = folder / "suite.toml"
        self._suite.write_text(SUITE, "utf-8")
        self._server = held.enter_context(postgresql())
        self._cluster = Nodes(NODES)
        held.callback(self._end_cluster)
        held.callback(self._end_driver)
        self._driver: subprocess.Popen[str] | None = None
        self._url = self._server.new()

    def kill_one(self) -> None:
        """Kill something, after what was acknowledged is written down."""
        self._note()
        kind = self._chance.choices(list(KINDS), list(KINDS.values()))[0]
        if getattr(self, f"_kill_{kind}")():
            self.killed[kind] += 1

    def keep_going(self) -> None:
        """Start the driver where there is none; look at a campaign that has completed."""
        if self._driver is not None and (status := self._driver.poll()) is not None:
            if status == 0:
                self._check()
                self.completed += 1
                self.kept = {}
                self._url = self._server.new()
            self._driver = None
        if self._driver is None:
            self._begin()

    def finish(self) -> None:
        """Let the last campaign complete, and look at it."""
        before, deadline = self.completed, time.monotonic() + LONGEST
        while self.completed == before:
            if time.monotonic() > deadline:
                self.faults.append(f"the campaign does not complete: {self.said()}")
                return
            self.keep_going()
            time.sleep(0.2)

    def _check(self) -> None:
        """Hold every campaign of the store that has ended against what it has to have.

        There are two where the driver was killed after the first had ended, before it could say so.
        """
        with Store.open(self._url, read_only=True) as store:
            campaigns = [one.id for one in store.campaigns() if one.ended_at is not None]
            found = {name: store.launches(campaign=name) for name in campaigns}
            every = store.launches()
        for launches in found.values():
            counted = Counter(launch.case for launch in launches)
            if len(counted) != CASES or set(counted.values()) != {LAUNCHES}:
                self.faults.append(f"launches by case: {sorted(counted.values())}")
        if not found:
            self.faults.append("completed, and no campaign has ended")
        self.faults += [f"failed: {one.failure.message}" for one in every if one.failure]
        windows = {launch.id: len(launch.windows) for launch in every}
        if len(windows) < len(every):
            self.faults.append("a launch is there twice")
        lost = [name for name, many in self.kept.items() if windows.get(name) != many]
        self.faults += [f"acknowledged, and lost: {name}" for name in lost]

    def said(self) -> str:
        """The end of what the driver said."""
        return self._log.read_text("utf-8", "replace")[-2000:] if self._log.exists() else ""

    @property
    def _log(self) -> Path:
        return self._folder / "driver.log"

    def _begin(self) -> None:
        command = [sys.executable, "-m", "cnnbench", "run", str(self._suite), "--store", self._url]
        command += ["--executor", "ray", "--address", self._cluster.address, "--no-verify"]
        with self._log.open("a", encoding="utf-8") as log:
            self._driver = subprocess.Popen(  # noqa: S603
                command, stdout=log, stderr=log, text=True, start_new_session=True
            )
        self.begun += 1

    def _note(self) -> None:
        """Write down what the store acknowledges now."""
        with suppress(StoreError), Store.open(self._url, read_only=True) as store:
            self.kept |= {launch.id: len(launch.windows) for launch in store.launches()}

    def _end_cluster(self) -> None:
        self._cluster.end()

    def _kill_worker(self) -> bool:
        found = workers()
        with suppress(psutil.NoSuchProcess):
            if found:
                self._chance.choice(found).kill()
                return True
        return False

    def _kill_node(self) -> bool:
        self._cluster.kill(self._chance.choice(self._cluster.nodes()))
        self._cluster.add()
        return True

    def _kill_head(self) -> bool:
        self._cluster.end()
        time.sleep(1.0)
        self._end_driver()  # it waits a minute for its head to come back; a user would not
        self._cluster = Nodes(NODES)
        return True

    def _kill_database(self) -> bool:
        self._server.kill()
        time.sleep(self._chance.uniform(0, 1))
        self._server.start()
        return True

    def _kill_driver(self) -> bool:
        if self._driver is None or self._driver.poll() is not None:
            return False
        self._end_driver()
        return True

    def _end_driver(self) -> None:
        if self._driver is not None and self._driver.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._driver.pid, signal.SIGKILL)
            self._driver.wait()
            self._driver = None


def killed(kills: int, seed: int) -> Iterator[Scene]:
    """Kill so many; the scene after each."""
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="cnnbench-faults-")))
        chance = random.Random(seed)  # noqa: S311
        scene = Scene(held, folder, chance)
        while scene.killed.total() < kills:
            scene.keep_going()
            time.sleep(chance.uniform(*PAUSE))
            scene.kill_one()
            yield scene
        scene.finish()
        yield scene


def page(found: Mapping[str, Any]) -> str:
    """The table."""
    return grid.markdown([{name: str(value) for name, value in found.items()}])


def main() -> None:
    """Kill, and tell what came of it."""
    flags = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    flags.add_argument("--kills", type=int, default=200)
    flags.add_argument("--seed", type=int, default=1)
    flags.add_argument("--write", action="store_true")
    asked = flags.parse_args()
    begun = time.monotonic()
    for scene in killed(asked.kills, asked.seed):
        print(f"{scene.killed.total()} killed, {scene.completed} completed", file=sys.stderr)
    found = {
        "Killed": scene.killed.total(),
        **{kind.capitalize(): scene.killed[kind] for kind in KINDS},
        "Driver started": scene.begun,
        "Campaigns completed": scene.completed,
        "Lost, twice or failed": len(scene.faults),
        "Minutes": f"{(time.monotonic() - begun) / 60:.0f}",
    }
    text = page(found)
    print(text)
    if asked.write:
        write(PAGE, "faults", text)
    if scene.faults:
        sys.exit("\n".join(scene.faults))


if __name__ == "__main__":
    main()
