"""Does `compare` find a slowdown that was planted, and none where there is none?

    python benchmarks/planted.py [--stack NAME]... [--minutes M] [--write]

Two arms train the same Simple CNN by `train_on_batch`; one of them waits after each step, busily,
for 0, 1, 2, 5 or 10 % of what the step took (`null` lengthens its virtual steps). Every comparison
is one of `cnnbench compare` with the standard budget, and its line goes into
docs/measured/planted.jsonl when it ends; conditions take turns. Ctrl-C keeps what is there, and the
same command goes on until every condition has its number, or M minutes are over. --write puts the
table into docs/protocol.md.

Beside each condition stands what would have been said otherwise of the same launches: by Student's
t-test on all windows pooled, as pyperf compares, and how long a design of a fixed number of blocks
would have taken that decides as surely: one whose plain 95 % interval has half the margin on each
side, with the noise that was found.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import mean, median, stdev, variance
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from cnnbench import arms, comparison, prepare
from cnnbench.cli.console import Display
from cnnbench.cli.measuring import here
from cnnbench.comparison import SLOWER
from cnnbench.contest import Contest
from cnnbench.events import BlockEnded
from cnnbench.plan import BUDGETS
from cnnbench.report import grid
from cnnbench.stats.variance import groups_needed
from cnnbench.store.database import Store
from lines import keep, origin, recorded
from pages import PROTOCOL, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnbench.case import Budget
    from cnnbench.record import Launch

FOLDER = Path(__file__).parents[1] / "docs" / "measured"
LINES, STORE = FOLDER / "planted.jsonl", FOLDER / "planted.sqlite"

# Comparisons of each stack: without a slowdown, and with each.
PLAN = {"null": (40, 40), "keras3-tensorflow": (8, 4)}
SLOWDOWNS = (0.0, 0.10, 0.05, 0.02, 0.01)
BUDGET = BUDGETS["standard"]

MODEL = '''"""Simple CNN, each step of which takes longer by a share of what it took."""

import time

from probe.models import simple_cnn

SHARE = {share}
compile = simple_cnn.compile


def build(keras, shape, classes):
    model = simple_cnn.build(keras, shape, classes)
    if keras.__version__ == "0.0":
        step = model._step
        model._step = lambda images: step(images * (1 + SHARE))
        return model
    train = model.train_on_batch

    def longer(x, y):
        begun = time.perf_counter()
        result = train(x, y)
        end = begun + (1 + SHARE) * (time.perf_counter() - begun)
        while time.perf_counter() < end:
            pass
        return result

    model.train_on_batch = longer
    return model
'''


# As many images as the null stack needs, which looks at none: making more is most of its launch.
IMAGES = '''"""A few black images."""

import numpy as np

SHAPE, CLASSES = (32, 32, 3), 10


def arrays(count, seed):
    return np.zeros((320,) + SHAPE, "uint8"), np.arange(320) % CLASSES
'''


def main() -> None:
    """Measure what is missing, unless only to write; then print the table."""
    flags = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    flags.add_argument("--stack", action="append", choices=sorted(PLAN))
    flags.add_argument("--minutes", type=float, default=math.inf)
    flags.add_argument("--write", action="store_true")
    asked = flags.parse_args()
    deadline = time.monotonic() + 60 * asked.minutes
    try:
        for stack, slowdown in missing(asked.stack or list(PLAN)):
            if time.monotonic() >= deadline:
                break
            keep(LINES, measured(stack, slowdown, BUDGET, STORE))
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
    text = page(recorded(LINES))
    print(text)
    if asked.write:
        write(PROTOCOL, "planted", text)


def missing(wanted: Sequence[str]) -> Iterator[tuple[str, float]]:
    """The conditions in turns, as often as they are not recorded yet."""
    done: dict[tuple[str, float], int] = defaultdict(int)
    for line in recorded(LINES):
        done[line["stack"], line["slowdown"]] += 1
    for stack in wanted:
        plain, slow = PLAN[stack]
        for turn in range(max(plain, slow)):
            for slowdown in SLOWDOWNS:
                planned = plain if slowdown == 0 else slow
                if done[stack, slowdown] <= turn < planned:
                    done[stack, slowdown] += 1
                    yield stack, slowdown


def measured(stack: str, slowdown: float, budget: Budget, place: Path) -> dict[str, Any]:
    """One comparison, from its pilot to its verdict.

    Returns:
        What a line of the file holds: verdict and ratio, `seconds` it took, `logs` of the speeds of
        both arms by block, and `pooled`, count, mean and variance of every window's seconds for
        an image.
    """
    begun, own = time.monotonic(), prepare.Own()
    with tempfile.TemporaryDirectory() as name, Store.open(place) as store:
        said = []
        for arm, share in (("as it is", 0.0), ("planted", slowdown)):
            path = Path(name) / f"{arm.replace(' ', '_')}.py"
            path.write_text(MODEL.format(share=share), "utf-8")
            said.append(f"name={arm},model={path}")
        images = Path(name) / "images.py"
        images.write_text(IMAGES, "utf-8")
        common = {"stack": stack} | ({"dataset": str(images)} if stack == "null" else {})
        both = arms.parse(said, common, own)
        contest = Contest(both, budget, own, here(None), store)
        print(f"{stack}: planted {slowdown:.0%}", file=sys.stderr, flush=True)
        with Display() as display:
            display.follow(e for e in contest.run() if isinstance(e, BlockEnded))
        launches = store.launches(campaign=contest.campaign)
    found = contest.outcome()
    if found.failures:
        sys.exit(f"planted.py: {next(iter(found.failures.values())).message}")
    (one,) = found.comparisons
    good, set_aside = comparison.blocks(launches, both, budget)
    return {
        "stack": stack,
        "slowdown": slowdown,
        "verdict": one.verdict,
        "ratio": one.ratio and [one.ratio.point, one.ratio.low, one.ratio.high],
        "margin": budget.margin,
        "seconds": round(time.monotonic() - begun, 1),
        "logs": [[round(block.logs[arm.name], 5) for arm in both] for block in good],
        "set_aside": set_aside,
        "pooled": [pooled(launches, arm.name) for arm in both],
        **origin(launches[0]),
    }


def pooled(launches: Sequence[Launch], arm: str) -> list[float]:
    """Count, mean and variance of an arm's windows, as if they did not depend on each other."""
    ours = [one for one in launches if one.arm == arm and one.block]
    values = [w.seconds / w.images for one in ours for w in one.steady]
    return [len(values), mean(values), variance(values)]


def page(lines: Sequence[dict[str, Any]]) -> str:
    """What was found, a row for each condition."""
    groups: dict[tuple[str, float], list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        groups[line["stack"], line["slowdown"]].append(line)
    noises = {
        stack: noise(lines, stack) for stack in dict.fromkeys(line["stack"] for line in lines)
    }
    rows = [
        row(stack, slowdown, groups[stack, slowdown], noises[stack])
        for stack in PLAN
        for slowdown in sorted(SLOWDOWNS)
        if (stack, slowdown) in groups
    ]
    return grid.markdown(rows) if rows else "Nothing was measured yet."


def row(
    stack: str, slowdown: float, lines: Sequence[dict[str, Any]], block_noise: float
) -> dict[str, str]:
    """One condition."""
    verdicts = [line["verdict"] for line in lines]
    planned = PLAN[stack][0 if slowdown == 0 else 1]
    per_block = mean(line["seconds"] / max(len(line["logs"]), 1) for line in lines)
    fixed = groups_needed(block_noise, math.log1p(BUDGET.margin) / 2, BUDGET.confidence)
    minutes = sorted(line["seconds"] / 60 for line in lines)
    counted = {word: verdicts.count(word) for word in dict.fromkeys(verdicts)}
    wrong = sum(is_wrong(line) for line in lines)
    return {
        "Stack": stack,
        "Planted": f"{slowdown:.0%}",
        "Comparisons": f"{len(lines)} of {planned}",
        "Verdicts": ", ".join(f"{n} {word}" for word, n in counted.items()),
        "Wrong": str(wrong),
        "Interval holds": f"{sum(map(holds, lines))} of {len(lines)}",
        "Blocks (median)": f"{median(len(line['logs']) for line in lines):.0f}",
        "Minutes (median, most)": f"{median(minutes):.1f}, {minutes[-1]:.1f}",
        "Fixed design": f"{fixed} blocks, {fixed * per_block / 60:.1f} min",
        "Pooled t-test": f"{sum(map(pooled_differs, lines))} of {len(lines)} differ",
    }


def truth(line: dict[str, Any]) -> float:
    """The ratio of speeds that was planted."""
    return float(1 / (1 + line["slowdown"]))


def holds(line: dict[str, Any]) -> bool:
    """Whether the interval has the planted ratio; a step is most, not all, of what is timed."""
    low, high = line["ratio"][1:]
    return bool(low <= truth(line) * 1.001 and high >= truth(line) * 0.999)


def is_wrong(line: dict[str, Any]) -> bool:
    """Whether a verdict says what is not so; `inconclusive` says nothing."""
    true, edge = truth(line), 1 / (1 + float(line["margin"]))
    wrong = {
        SLOWER: true > edge,
        comparison.FASTER: True,
        comparison.EQUIVALENT: true < edge,
        comparison.DIFFERENT: true < edge or line["slowdown"] == 0,
    }
    return wrong.get(line["verdict"], False)


def pooled_differs(line: dict[str, Any]) -> bool:
    """Whether Student's t-test on all windows, taken as independent, says that the arms differ."""
    (n, x, v), (m, y, w) = line["pooled"]
    found = stats.ttest_ind_from_stats(x, math.sqrt(v), n, y, math.sqrt(w), m)
    return bool(found.pvalue < 1 - BUDGET.confidence)


def noise(lines: Sequence[dict[str, Any]], stack: str) -> float:
    """Standard deviation of a block's log ratio, pooled over the comparisons of a stack."""
    parts = [
        [b - a for a, b in line["logs"]]
        for line in lines
        if line["stack"] == stack and len(line["logs"]) > 1
    ]
    weights = [len(part) - 1 for part in parts]
    return math.sqrt(float(np.average([stdev(part) ** 2 for part in parts], weights=weights)))


if __name__ == "__main__":
    main()
