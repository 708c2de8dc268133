"""What does it give that the arms of a block take turns, window by window?

    python benchmarks/turns.py [--stack NAME] [--blocks N] [--write]

One arm is compared with itself. Blocks in which the processes take turns alternate with blocks in
which they live one after the other, so that both kinds see the same machine. Printed: the standard
deviation of a block's log ratio in each kind with its 95 % interval (chi-squared), how long a block
took, and by what factor turns shorten a comparison of equal precision: the variances times the
seconds, one over the other. --write puts the table into docs/protocol.md.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import mean, variance
from typing import TYPE_CHECKING

from scipy.stats import chi2

from cnnbench import arms, comparison, prepare
from cnnbench.cli.console import Display
from cnnbench.cli.measuring import here
from cnnbench.contest import Contest
from cnnbench.events import BlockEnded
from cnnbench.plan import BUDGETS
from cnnbench.report import grid
from cnnbench.store.database import Store
from pages import PROTOCOL, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnbench.prepare import Ready

# Windows of a launch are as many in both kinds, and no block ends the comparison.
BUDGET = replace(BUDGETS["standard"], windows=(10, 10), margin=1e-6, case_seconds=1e9)


class Alternating(Contest):
    """A comparison whose blocks with an even number take no turns."""

    def _may_take_turns(self, ready: dict[str, Ready], names: Sequence[str]) -> bool:
        last = max(one.block or 0 for one in self._launches)
        return last % 2 == 0 and super()._may_take_turns(ready, names)


def main() -> None:
    """Measure and print."""
    flags = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    flags.add_argument("--stack", default="keras3-tensorflow")
    flags.add_argument("--blocks", type=int, default=20)
    flags.add_argument("--write", action="store_true")
    asked = flags.parse_args()
    text = table(asked.stack, measured(asked.stack, asked.blocks))
    print(text)
    if asked.write:
        write(PROTOCOL, "turns", text)


def measured(stack: str, blocks: int) -> dict[bool, list[tuple[float, float]]]:
    """Log ratio and seconds of each block, of those with turns and of those without."""
    own, found = prepare.Own(), dict[int, tuple[bool, float]]()
    both = arms.parse(["name=a", "name=b"], {"stack": stack}, own)
    budget = replace(BUDGET, blocks=(blocks, blocks))
    with tempfile.TemporaryDirectory() as name, Store.open(Path(name) / "runs.sqlite") as store:
        contest = Alternating(both, budget, own, here(None), store)
        begun = time.monotonic()
        with Display() as display:
            for event in contest.run():
                display.follow([event])
                if isinstance(event, BlockEnded):
                    found[event.number] = event.interleaved, time.monotonic() - begun
                    begun = time.monotonic()
        good, _ = comparison.blocks(store.launches(), both, budget)
    kinds: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for block in good:
        turns, seconds = found[block.number]
        kinds[turns].append((block.logs["b"] - block.logs["a"], seconds))
    return kinds


def table(stack: str, kinds: dict[bool, list[tuple[float, float]]]) -> str:
    """A row for each kind."""
    cost = {
        turns: variance(log for log, _ in rows) * mean(seconds for _, seconds in rows)
        for turns, rows in kinds.items()
    }
    return grid.markdown(
        [
            {
                "Stack": stack,
                "Arms": "in turns" if turns else "one after the other",
                "Blocks": str(len(rows)),
                "SD of a block's ratio": spread([log for log, _ in rows]),
                "Seconds a block": f"{mean(seconds for _, seconds in rows):.0f}",
                "Time for equal precision": f"{cost[turns] / cost[False]:.2f}",
            }
            for turns, rows in kinds.items()
        ]
    )


def spread(logs: Sequence[float]) -> str:
    """Standard deviation, and where it may lie."""
    freedom, squares = len(logs) - 1, (len(logs) - 1) * variance(logs)
    low, high = (math.sqrt(squares / chi2.ppf(q, freedom)) for q in (0.975, 0.025))
    return f"{math.sqrt(squares / freedom):.2%} ({low:.2%} - {high:.2%})"


if __name__ == "__main__":
    main()
