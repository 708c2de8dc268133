"""How long until `compare` says which of two is faster, if they are 10, 3 or 0 % apart?

    python benchmarks/time_to_answer.py [--stack NAME] [--repeats N] [--write]

Two arms train Simple CNN on one stack, one of them slower by a planted share (`planted.py` says
how), until there is a verdict with the budget quick, whose margin is 5 %, and with standard, whose
margin is 2 %. Minutes are wall time from the command to the verdict, the pilot and everything else
included. Every comparison goes into docs/measured/time_to_answer.jsonl when it ends; the same
command goes on. --write puts the table into docs/protocol.md.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from cnnbench.plan import BUDGETS
from cnnbench.report import grid
from lines import keep, recorded
from pages import PROTOCOL, write
from planted import measured

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FOLDER = Path(__file__).parents[1] / "docs" / "measured"
LINES, STORE = FOLDER / "time_to_answer.jsonl", FOLDER / "time_to_answer.sqlite"
APART = (0.10, 0.03, 0.0)


def main() -> None:
    """Measure what is missing, then print the table."""
    flags = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    flags.add_argument("--stack", default="keras3-tensorflow")
    flags.add_argument("--repeats", type=int, default=2)
    flags.add_argument("--write", action="store_true")
    asked = flags.parse_args()
    try:
        for budget, apart in missing(asked.stack, asked.repeats):
            line = measured(asked.stack, apart, BUDGETS[budget], STORE)
            keep(LINES, line | {"budget": budget})
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
    text = page(recorded(LINES))
    print(text)
    if asked.write:
        write(PROTOCOL, "time-to-answer", text)


def missing(stack: str, repeats: int) -> Iterator[tuple[str, float]]:
    """The conditions in turns, as often as they are not recorded yet."""
    done: dict[tuple[str, float], int] = defaultdict(int)
    for line in recorded(LINES):
        if line["stack"] == stack:
            done[line["budget"], line["slowdown"]] += 1
    for turn in range(repeats):
        for budget in ("quick", "standard"):
            for apart in APART:
                if done[budget, apart] <= turn:
                    done[budget, apart] += 1
                    yield budget, apart


def page(lines: Sequence[dict[str, Any]]) -> str:
    """A row for each stack, budget and distance."""
    groups: dict[tuple[str, str, float], list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        groups[line["stack"], line["budget"], line["slowdown"]].append(line)
    rows = [
        {
            "Stack": stack,
            "Budget": budget,
            "Apart": f"{apart:.0%}",
            "Comparisons": str(len(found)),
            "Verdicts": ", ".join(line["verdict"] for line in found),
            "Blocks (median)": f"{median(len(line['logs']) for line in found):.0f}",
            "Minutes (median)": f"{median(line['seconds'] for line in found) / 60:.1f}",
        }
        for (stack, budget, apart), found in sorted(groups.items(), reverse=True)
    ]
    return grid.markdown(rows) if rows else "Nothing was measured yet."


if __name__ == "__main__":
    main()
