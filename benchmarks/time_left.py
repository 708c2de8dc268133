"""Is the time left that progress tells right?

    python benchmarks/time_left.py [--stack NAME]... [--write]

`run quick` is watched twice with a store of its own: first nothing is known of this machine, then
what the first campaign measured. Said is what stood on the screen after a quarter, a half and three
quarters of the campaign; left is what it took from there. --write puts the table into docs/look.md.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from rich.console import Console

from cnnbench.campaign import Campaign
from cnnbench.cli.clock import Clock
from cnnbench.cli.measuring import here
from cnnbench.cli.run import planned_suite
from cnnbench.events import Forecast
from cnnbench.prepare import Own
from cnnbench.report import grid
from cnnbench.store.database import Store
from pages import ROOT, write

LOOK = ROOT / "docs" / "look.md"
STACKS = ("keras3-jax", "keras3-tensorflow", "keras3-torch")
PARTS = (0.25, 0.5, 0.75)


def main() -> None:
    """Watch two campaigns, then print the table."""
    flags = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    flags.add_argument("--stack", action="append")
    flags.add_argument("--write", action="store_true")
    asked = flags.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            row
            for known in ("nothing", "an earlier campaign")
            for row in watched(known, asked.stack or STACKS, Path(folder) / "store.sqlite")
        ]
    text = grid.markdown(rows)
    print(text)
    if asked.write:
        write(LOOK, "time-left", text)


def watched(known: str, stacks: list[str] | tuple[str, ...], place: Path) -> list[dict[str, str]]:
    """A row for each part of a campaign's time."""
    own, clock, told = Own(), Clock(), list[tuple[float, float]]()
    with Store.open(place) as store:
        suite = planned_suite("quick", {"stack": list(stacks)}, own)
        for event in Campaign(suite, own, here(None), store, resume=False, verify=False).run():
            clock.note(event)
            seconds = clock.seconds_left()
            if seconds is not None and (told or isinstance(event, Forecast)):
                told.append((time.monotonic(), seconds))
                Console(stderr=True).print(f"{known}: {clock.left()}", end="\r")
    begun, ended = told[0][0], time.monotonic()
    rows = []
    for part in PARTS:
        moment = begun + part * (ended - begun)
        at, said = max(pair for pair in told if pair[0] <= moment)
        rows.append(
            {
                "Known of this machine": known,
                "Gone": f"{part:.0%}",
                "Said to be left (s)": f"{said:.0f}",
                "Left (s)": f"{ended - at:.0f}",
                "Said / left": f"{said / (ended - at):.2f}",
            }
        )
    return rows


if __name__ == "__main__":
    main()
