"""Does `tune` find what an exhaustive sweep finds, in a quarter of its time?

    python benchmarks/sweep.py [--blocks 3] [--write]

Simple CNN on Keras 3: three stacks, two data formats, and every mixture of three recipes, at most
48 configurations. All are launched in as many blocks; then `cnnbench tune` has a quarter of the
time that this took, over the same choices; then both winners are launched once more, beside each
other, in eight blocks. --write makes docs/measured/sweep.md; about an hour, and the same command
goes on from where it was.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from cnnbench import prepare, recipes, tuned, tuning
from cnnbench.case import Arm, Case
from cnnbench.cli.measuring import followed, here
from cnnbench.envs import stack as stacks
from cnnbench.report import grid
from cnnbench.report.table import instance, number
from cnnbench.report.tuned import interval
from cnnbench.stopping import seconds
from cnnbench.store.database import Store
from lapped import lapped, speed
from pages import ROOT, heading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnbench.tuned import Lap

FOLDER = ROOT / "docs" / "measured"
PAGE, STORE = FOLDER / "sweep.md", FOLDER / "sweep.sqlite"
STACKS = ("keras3-tensorflow", "keras3-jax", "keras3-torch")
FORMATS = ("channels_last", "channels_first")
RECIPES = ("jit", "keep_memory", "spin")
PAIR_BLOCKS = 8
SHARE = 0.25  # of the sweep's time, that tuning has


def main() -> None:
    """Sweep, tune, compare; print the table."""
    flags = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    flags.add_argument("--blocks", type=int, default=3)
    flags.add_argument("--write", action="store_true")
    asked = flags.parse_args()
    FOLDER.mkdir(exist_ok=True)
    try:
        with Store.open(STORE) as store:
            text = page(*measured(asked.blocks, store))
    except KeyboardInterrupt:
        sys.exit("sweep.py: interrupted; the same command goes on from here")
    print(text)
    if asked.write:
        PAGE.write_text(text, "utf-8")


def measured(blocks: int, store: Store) -> tuple[Lap, tuned.Answer, Lap | None, float]:
    """The sweep, what tuning says, both winners unless they are the same, the sweep's seconds."""
    swept = lapped(named(configurations()), store, "sweep", blocks)
    took = sum(map(seconds, swept.launches))
    running = tuning.Tuning(
        bases()[0],
        bases(),
        RECIPES,
        objective="throughput",
        seconds=SHARE * took,
        own=prepare.Own(),
        machine=here(None),
        store=store,
    )
    if (cut_off := followed(running.run())) is not None:
        raise KeyboardInterrupt from cut_off
    answer = running.answer()
    if answer.best is None:
        sys.exit("sweep.py: tuning measured nothing")
    if answer.best == best(swept):
        return swept, answer, None, took
    pair = lapped(named([best(swept), answer.best]), store, "winners", PAIR_BLOCKS)
    return swept, answer, pair, took


def bases() -> list[Case]:
    """Configurations without recipes."""
    return [
        Case(
            stack=stack,
            model="simple_cnn",
            dataset="synthetic-32",
            method="train_on_batch",
            data_format=data_format,
        )
        for stack, data_format in itertools.product(STACKS, FORMATS)
    ]


def configurations() -> Iterator[Case]:
    """Every base with every mixture of recipes that goes with it."""
    for base in bases():
        backend = stacks.load(base.stack).backend
        for count in range(len(RECIPES) + 1):
            for mixture in itertools.combinations(RECIPES, count):
                case = replace(base, recipes=mixture)
                if recipes.refusal(case, backend) is None:
                    yield case


def named(cases: Iterator[Case] | Sequence[Case]) -> list[Arm]:
    """Arms by what tells them apart, each once."""
    return [Arm(name=tuned.label(case), case=case) for case in dict.fromkeys(cases)]


def best(swept: Lap) -> Case:
    """The configuration that was fastest, over all blocks."""
    found = tuned.winner(swept)
    if found is None:
        sys.exit("sweep.py: nothing was measured")
    return found


def page(swept: Lap, answer: tuned.Answer, pair: Lap | None, took: float) -> str:
    """The answer as Markdown."""
    theirs, ours = tuned.label(best(swept)), tuned.label(answer.best or best(swept))
    against = tuned.gain(pair, ours, theirs)
    unknown = "the same" if pair is None else ""
    row = {
        "Configurations": str(len(swept.arms)),
        "Sweep (min)": f"{took / 60:.1f}",
        "Tuning (min)": f"{answer.seconds / 60:.1f}",
        "The sweep's best": theirs,
        "Tuning's": ours,
        "Ratio": f"{against.ratio:.3f}" if against else unknown,
        "95 % interval": interval(against, 3),
    }
    ranked = sorted(swept.arms, key=lambda arm: -speed(swept.blocks, arm.name))
    table = [
        {
            "Configuration": arm.name,
            "Images/s": number(mean) if (mean := speed(swept.blocks, arm.name)) else "",
            "Why not": swept.failures.get(arm.name, ""),
        }
        for arm in ranked
    ]
    parts = [
        *heading("sweep.py", "Tuning beside an exhaustive sweep"),
        "*Ratio* is the speed of what tuning chose over the sweep's best, in new launches beside",
        "each other.",
        "",
        f"On {instance(swept.launches[0].machine)}.",
        "",
        grid.markdown([row]),
        "",
        "All configurations, as the sweep has them:",
        "",
        grid.markdown(table),
        "",
    ]
    return "\n".join(parts)


if __name__ == "__main__":
    main()
