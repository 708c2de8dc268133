"""What being measured costs: a bare loop against cnnbench's windows, in turns in one process.

    python benchmarks/overhead.py [--pairs 100] [--stack NAME]... [--method NAME]... [--write]

Windows of the probe's method alternate, in random order within each pair: a bare one, of which the
clock is read before and after and nothing else is done, and one as cnnbench measures it, with its
fences and messages; for `fit` all of them are epochs of one call, so that a measured one has the
whole epoch hook. Printed for each stack and method: the ratio of the images/s that the measured
windows tell to those of the bare ones, as geometric mean over pairs (interval by Student's t) and
as median (distribution-free interval: stalls of a shared machine hit single windows), and what
being measured adds to the wall time from one request to the next (median). Two minutes a row.
--write puts the table into README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from cnnbench.case import Case
from cnnbench.envs import cache, stack
from cnnbench.link import bundle, environment
from cnnbench.stats.interval import geometric
from pages import README, write

GUEST = Path(__file__).with_name("overhead_guest.py")
STACKS = ("keras3-tensorflow", "keras2.1.5-tensorflow1.7.0")
METHODS = ("train_on_batch", "fit")
WINDOW_SECONDS, CONFIDENCE = 0.5, 0.95


def main() -> None:
    """Print one row a stack and method."""
    flags = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    flags.add_argument("--pairs", type=int, default=100)
    flags.add_argument("--stack", action="append")
    flags.add_argument("--method", action="append")
    flags.add_argument("--write", action="store_true")
    asked = flags.parse_args()
    lines = [
        "| Stack | Method | Pairs | Mean | 95 % interval | Median | 95 % interval | Added |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    print(*lines, sep="\n")
    for name in asked.stack or STACKS:
        for method in asked.method or METHODS:
            lines.append(row(name, method, measure(name, method, asked.pairs)))
            print(lines[-1], flush=True)
    if asked.write:
        write(README, "overhead", "\n".join(lines))


def measure(name: str, method: str, pairs: int) -> dict[str, Any]:
    """Run the guest in a stack and take its answer."""
    described = stack.load(name)
    python = cache.build(described, lambda line: print(line, file=sys.stderr))
    threads = len(os.sched_getaffinity(0))
    case = Case(stack=name, model="simple_cnn", dataset="synthetic-32", method=method)
    order = {
        "case": {field: getattr(case, field) for field in Case.__dataclass_fields__},
        "backend": described.backend,
        "threads": threads,
        "pairs": pairs,
        "window_seconds": WINDOW_SECONDS,
    }
    with tempfile.TemporaryDirectory() as folder:
        variables = environment.variables(
            home=Path(folder),
            backend=described.backend,
            device="cpu",
            threads=threads,
            stack=described.variables,
        )
        probe = bundle.build(Path(folder))
        command = [str(python), "-I", "-B", str(GUEST), str(probe), json.dumps(order)]
        answer = subprocess.run(  # noqa: S603
            command, env=variables, cwd=folder, capture_output=True, check=False
        )
    if answer.returncode:
        sys.exit(answer.stderr.decode(errors="replace")[-4000:])
    return dict(json.loads(answer.stdout))


def row(name: str, method: str, told: dict[str, Any]) -> str:
    """The row of a table."""
    pairs = told["pairs"]
    ratios = [p["bare"]["seconds"] / p["measured"]["seconds"] for p in pairs]
    mean = geometric(ratios, CONFIDENCE)
    added = [1e3 * (p["measured"]["wall"] - p["bare"]["wall"]) for p in pairs]
    cells = [
        *(name, method, str(len(pairs))),
        *(f"{mean.point:.4f}", f"{mean.low:.4f} - {mean.high:.4f}"),
        *(f"{np.median(ratios):.4f}", "{:.4f} - {:.4f}".format(*median_interval(ratios))),
        "{:.2f} ms ({:.2f} - {:.2f})".format(np.median(added), *median_interval(added)),
    ]
    return "| " + " | ".join(cells) + " |"


def median_interval(values: list[float]) -> tuple[float, float]:
    """The interval of a median from order statistics (binomial; Conover 1999, section 3.2)."""
    found: Any = stats.quantile_test(values, p=0.5)
    low, high = found.confidence_interval(CONFIDENCE)
    return float(low), float(high)


if __name__ == "__main__":
    main()
