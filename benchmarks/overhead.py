"""What being measured costs: a bare loop against cnnbench's windows, in turns in one process.

    python benchmarks/overhead.py [--pairs 60] [--stack NAME]... [--method NAME]...

Each pair trains the same number of steps twice: once as a user would write it, timed from outside,
and once by the probe's own method and windows, in random order. Printed for each stack and method:
the ratio of the images/s that the windows tell to those of the bare loop (geometric mean over
pairs) and what each window adds to the wall time, inside of it and outside: fences, messages, and
for `fit` the epoch hook (arithmetic mean), each with its 95 % interval by Student's t. About three
minutes a row.
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

GUEST = Path(__file__).with_name("overhead_guest.py")
STACKS = ("keras3-tensorflow", "keras2.1.5-tensorflow1.7.0")
METHODS = ("train_on_batch", "fit")
WINDOWS, WINDOW_SECONDS, CONFIDENCE = 2, 0.5, 0.95


def main() -> None:
    """Print one row a stack and method."""
    flags = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    flags.add_argument("--pairs", type=int, default=60)
    flags.add_argument("--stack", action="append")
    flags.add_argument("--method", action="append")
    asked = flags.parse_args()
    print("| Stack | Method | Pairs | Measured / bare | 95 % interval | Added a window |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in asked.stack or STACKS:
        for method in asked.method or METHODS:
            print(row(name, method, measure(name, method, asked.pairs)), flush=True)


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
        "windows": WINDOWS,
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
    ratio = geometric([p["bare"]["seconds"] / p["measured"]["seconds"] for p in pairs], CONFIDENCE)
    added = np.array([(p["measured"]["wall"] - p["bare"]["seconds"]) / WINDOWS for p in pairs])
    reach = stats.t.ppf(0.5 + CONFIDENCE / 2, len(added) - 1) * stats.sem(added)
    cells = [
        name,
        method,
        str(len(pairs)),
        f"{ratio.point:.4f}",
        f"{ratio.low:.4f} - {ratio.high:.4f}",
        f"{added.mean() * 1e3:.2f} ± {reach * 1e3:.2f} ms",
    ]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
