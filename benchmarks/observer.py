"""What looking at training costs: `fit` against `fit` with an observer, in turns, on each stack.

    python benchmarks/observer.py [--stack NAME]... [--blocks 6] [--write]

Observers are a callback that is called after every batch, a progress bar, `train_on_batch`, which
gives each batch's loss to Python, and, the other way round, eight steps before Keras comes back to
Python. Printed is each one's speed over that of a bare `fit`, as `cnnbench compare` finds it: the
geometric mean over blocks of fresh processes, whose windows alternate. `--write` puts the table
into docs/protocol.md. About a quarter of an hour a stack; launches are kept in
docs/measured/observer.sqlite, and the same command goes on from there.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cnnbench import comparison
from cnnbench.case import Arm, Case
from cnnbench.cli.measuring import followed, here
from cnnbench.contest import Contest
from cnnbench.link import bundle
from cnnbench.plan import BUDGETS
from cnnbench.prepare import Own
from cnnbench.report import grid
from cnnbench.store.database import Store
from pages import PROTOCOL, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cnnbench.case import Budget
    from cnnbench.comparison import Comparison, Outcome

FOLDER = Path(__file__).parents[1] / "docs" / "measured"
STORE = FOLDER / "observer.sqlite"

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
BLOCKS = 6


def main() -> None:
    """Measure what is not measured yet; print the table."""
    flags = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    flags.add_argument("--stack", action="append")
    flags.add_argument("--blocks", type=int, default=BLOCKS)
    flags.add_argument("--write", action="store_true")
    asked = flags.parse_args()
    budget = replace(BUDGETS["standard"], blocks=(asked.blocks, asked.blocks))
    rows: list[Mapping[str, str]] = []
    FOLDER.mkdir(exist_ok=True)
    with Store.open(STORE) as store:
        for stack in asked.stack or STACKS:
            rows += measured(stack, budget, store)
    table = grid.markdown(rows)
    print(table)
    if asked.write:
        write(PROTOCOL, "observer", table)


def measured(stack: str, budget: Budget, store: Store) -> list[dict[str, str]]:
    """The rows of a stack, each observer's."""
    arms = [arm(stack, method) for method in (BASELINE, *OBSERVERS)]
    found = outcome(arms, budget, store)
    refused = dict(found.failures)
    while found.failures and BASELINE not in found.failures:
        # One arm that cannot run ends a comparison; the others are compared without it.
        arms = [one for one in arms if one.name not in found.failures]
        found = outcome(arms, budget, store)
        refused |= found.failures
    rows = [compared(stack, one) for one in found.comparisons if one.candidate not in refused]
    for name, failure in refused.items():
        verdict = f"{failure.kind}: {failure.message}"
        rows.append(row(stack, name, verdict=" ".join(verdict.split())))
    return rows


def arm(stack: str, method: str) -> Arm:
    """A method on a stack."""
    case = Case(stack=stack, model="simple_cnn", dataset="synthetic-32", method=method)
    return Arm(name=method, case=case)


def outcome(arms: Sequence[Arm], budget: Budget, store: Store) -> Outcome:
    """What a comparison says: one that came to its end before, or one that is measured now."""
    for ended in finished(arms, budget, store):
        found = comparison.outcome(store.launches(campaign=ended), arms, budget)
        refused = [failure.kind == "unsupported" for failure in found.failures.values()]
        # Blocks that others disturbed, and arms that were killed, are worth another try.
        if all(refused) if refused else found.blocks >= budget.blocks[0]:
            return found
    contest = Contest(arms, budget, Own(), here(None), store, verify=False)
    print(f"{arms[0].case.stack}: {len(arms)} arms", file=sys.stderr)
    if followed(contest.run()) is not None:
        sys.exit("observer.py: interrupted; the same command goes on from here")
    return contest.outcome()


def finished(arms: Sequence[Arm], budget: Budget, store: Store) -> Iterator[str]:
    """Campaigns of the same comparison that came to their end, the latest first."""
    for campaign in reversed(store.campaigns()):
        same = (campaign.arms, campaign.budget, campaign.probe_digest)
        if campaign.ended_at and same == (tuple(arms), budget, bundle.digest()):
            yield campaign.id


def compared(stack: str, one: Comparison) -> dict[str, str]:
    """The row of an observer that ran."""
    ratio, verdict = one.ratio, f"{one.verdict}: {one.reason}" if one.reason else one.verdict
    if ratio is None or ratio.low is None or ratio.high is None:
        return row(stack, one.candidate, verdict=verdict)
    interval = f"{ratio.low:.3f} - {ratio.high:.3f}"
    return row(stack, one.candidate, f"{ratio.point:.3f}", interval, str(ratio.n), verdict=verdict)


def row(
    stack: str, name: str, ratio: str = "", interval: str = "", blocks: str = "", *, verdict: str
) -> dict[str, str]:
    """The cells by column."""
    return {
        "Stack": stack,
        "Observer": name,
        f"Speed / {BASELINE}": ratio,
        "95 % interval": interval,
        "Blocks": blocks,
        "Verdict": verdict,
    }


if __name__ == "__main__":
    main()
