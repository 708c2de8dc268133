"""What looking at training costs: `fit` against `fit` with an observer, in turns, on each stack.

    python benchmarks/observer.py [--stack NAME]... [--blocks 6] [--write]

Observers are a callback that is called after every batch, a progress bar, `train_on_batch`, which
gives each batch's loss to Python, and, the other way round, eight steps before Keras comes back to
Python. They cost something once a batch, so a batch is one image here: the shortest step, of which
it is the greatest share. Printed is how much longer a step takes than by bare `fit`: the mean over
blocks of fresh processes, whose windows alternate, with its 95 % interval. A process' step is that
of its median window: a window in which all threads wait for seconds, as happens by `fit` on
TensorFlow, is no cost of looking, and would hide it; how many are twice as long is printed too. A
line of docs/measured/observer.jsonl for each stack, about ten minutes; the same command goes on
from there. `--write` puts the table into docs/protocol.md.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Any

from cnnbench import comparison
from cnnbench.case import Arm, Case
from cnnbench.cli.measuring import followed, here
from cnnbench.contest import Contest
from cnnbench.link import bundle
from cnnbench.plan import BUDGETS
from cnnbench.prepare import Own
from cnnbench.report import grid
from cnnbench.stats.interval import arithmetic
from cnnbench.store.database import Store
from lines import keep, origin, recorded
from pages import PROTOCOL, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cnnbench.case import Budget

LINES = Path(__file__).parents[1] / "docs" / "measured" / "observer.jsonl"

STACKS = (
    "keras3-tensorflow",
    "keras3-jax",
    "keras3-torch",
    "keras2.1.5-tensorflow1.7.0",
    "keras2.1.6-mxnet1.1.0",
    "keras2.2.4-mxnet1.9.1",
)
BASELINE = "fit"
OBSERVERS = ("fit_batch_callback", "fit_progress_bar", "train_on_batch", "fit_steps_per_execution")
BLOCKS, FEWEST = 6, 2
WINDOWS = 10
BATCH_SIZE = 1
SLOW = 2.0  # times the median window
COLUMNS = (
    "Stack",
    "Observer",
    "More a batch",
    "95 % interval",
    "Step by fit",
    "Blocks",
    "Slow windows (by fit)",
)


def main() -> None:
    """Measure what is not measured yet; print the table."""
    flags = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    flags.add_argument("--stack", action="append", choices=STACKS)
    flags.add_argument("--blocks", type=int, default=BLOCKS)
    flags.add_argument("--write", action="store_true")
    asked = flags.parse_args()
    if asked.blocks < FEWEST:
        flags.error(f"an interval needs --blocks {FEWEST} at least")
    blocks, windows = (asked.blocks, asked.blocks), (WINDOWS, WINDOWS)
    budget = replace(BUDGETS["standard"], blocks=blocks, windows=windows)
    done = {line["stack"] for line in recorded(LINES) if line["guest"] == bundle.digest()}
    for stack in asked.stack or STACKS:
        if stack not in done:
            keep(LINES, measured(stack, budget))
    text = page(recorded(LINES))
    print(text)
    if asked.write:
        write(PROTOCOL, "observer", text)


def measured(stack: str, budget: Budget) -> dict[str, Any]:
    """A comparison of all observers that a stack has.

    Returns:
        What a line of the file holds: by method, the `seconds` of a step in each block, how many
        windows were `slow` in all, and why others were `refused`.
    """
    print(f"{stack}: {', '.join(OBSERVERS)}", file=sys.stderr, flush=True)
    arms = [arm(stack, method) for method in (BASELINE, *OBSERVERS)]
    refused: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name, Store.open(Path(name) / "runs.sqlite") as store:
        while True:
            contest = Contest(arms, budget, Own(), here(None), store, verify=False)
            if followed(contest.run()) is not None:
                sys.exit("observer.py: interrupted; the same command goes on from here")
            failures = contest.outcome().failures
            if not failures:
                break
            # One arm that cannot run ends a comparison; the others are compared without it.
            for method, failure in failures.items():
                if failure.kind != "unsupported" or method == BASELINE:
                    sys.exit(f"observer.py: {stack}, {method}: {failure.message}")
                refused[method] = failure.message
            arms = [one for one in arms if one.name not in failures]
        launches = store.launches(campaign=contest.campaign)
    good, set_aside = comparison.blocks(launches, arms, budget)
    if len(good) < budget.blocks[0]:
        sys.exit(f"observer.py: {stack}: only {len(good)} blocks count, {set_aside}; try it again")
    ran = {(one.block, one.arm): one for one in launches if one.failure is None}
    steps = {
        one.name: [
            [window.seconds / window.steps for window in ran[block.number, one.name].steady]
            for block in good
        ]
        for one in arms
    }
    return {
        "stack": stack,
        "batch_size": BATCH_SIZE,
        "seconds": {name: [median(own) for own in all_] for name, all_ in steps.items()},
        "slow": {name: sum(map(slow, all_)) for name, all_ in steps.items()},
        "refused": refused,
        **origin(launches[0]),
    }


def slow(seconds: Sequence[float]) -> int:
    """How many windows of a launch took far longer than its others."""
    typical = median(seconds)
    return sum(one > SLOW * typical for one in seconds)


def arm(stack: str, method: str) -> Arm:
    """A method on a stack."""
    case = Case(
        stack=stack,
        model="simple_cnn",
        dataset="synthetic-32",
        method=method,
        batch_size=BATCH_SIZE,
    )
    return Arm(name=method, case=case)


def page(lines: Sequence[Mapping[str, Any]]) -> str:
    """What was found, the newest of each stack."""
    newest = {line["stack"]: line for line in lines}
    rows = [one for stack in STACKS if stack in newest for one in observers(newest[stack])]
    return grid.markdown(rows) if rows else "Nothing was measured yet."


def observers(line: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """A row for each observer of a stack."""
    bare = line["seconds"][BASELINE]
    for method in OBSERVERS:
        if method in line["refused"]:
            yield row(line["stack"], method, line["refused"][method])
            continue
        longer = [one - other for one, other in zip(line["seconds"][method], bare, strict=True)]
        cost = arithmetic(longer, BUDGETS["standard"].confidence)
        low, high = (f"{1e6 * bound:+.0f}" for bound in (cost.low, cost.high) if bound is not None)
        yield row(
            line["stack"],
            method,
            f"{1e6 * cost.point:+.0f} µs",
            f"{low} to {high} µs",
            f"{1e6 * mean(bare):.0f} µs",
            str(len(bare)),
            f"{line['slow'][method]} ({line['slow'][BASELINE]})",
        )


def row(*cells: str) -> dict[str, str]:
    """The cells by column; those that are left out are empty."""
    return dict(itertools.zip_longest(COLUMNS, cells, fillvalue=""))


if __name__ == "__main__":
    main()
