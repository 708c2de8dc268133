"""How soon the page of a large store opens, and what it weighs.

python benchmarks/page.py                          2,000 cases x 10 launches x 50 windows
python benchmarks/page.py --cases 200 --keep DIR   fewer, and the page is kept

Launches are made up: speeds are drawn, so that their windows compress as little as real ones. The
page is opened in Chromium from the disk; it is open when its tables are there, filters work and the
plots that can be seen are drawn.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from itertools import islice, product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from playwright.sync_api import sync_playwright

from cnnbench.case import Case
from cnnbench.plan import BUDGETS
from cnnbench.record import FIRST_STEP, PILOT, STEADY, WARM_UP, Launch, Window
from cnnbench.report import grid
from cnnbench.report.page.html import page
from cnnbench.report.page.material import Material
from cnnbench.store.exchange import Origin, Recorded
from pages import ROOT, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnbench.record import Facts

SECONDS, MEGABYTES = 3.0, 5.0  # that the page of 2,000 cases may take
STACKS = ("keras3-tensorflow", "keras3-jax", "keras3-torch", "native-torch")
MODELS = ("simple_cnn", "resnet20_cifar", "resnet56_cifar", "resnet50")
METHODS = ("fit", "train_on_batch", "fit_generator")
FORMATS = ("channels_last", "channels_first")
PRECISIONS = ("float32", "bfloat16")
BATCHES = (8, 16, 32, 64, 128, 256, 24, 48, 96, 192, 12)
MACHINE: Facts = {
    "cpu": "made up",
    "cpus_usable": 2,
    "memory_bytes": 2**34,
    "machine_id": "m",
    "os": "none",
}
BUDGET = replace(BUDGETS["quick"], launches=(2, 20))


def cases() -> Iterator[Case]:
    """Cases, all different."""
    axes = product(BATCHES, MODELS, METHODS, FORMATS, PRECISIONS, STACKS)
    for batch, model, method, data_format, precision, stack in axes:
        yield Case(
            stack=stack,
            model=model,
            dataset="synthetic-32",
            method=method,
            data_format=data_format,
            batch_size=batch,
            precision=precision,
        )


def made(case: Case, number: int, windows: int, draw: np.random.Generator) -> Launch:
    """A launch of noisy windows."""
    speed = 100 * draw.lognormal(0, 0.05)
    roles = [FIRST_STEP, PILOT, WARM_UP]
    noise = draw.lognormal(0, 0.02, windows)
    seconds = [5.0, 0.1, *(0.5 * noise)]
    timed = []
    for index, lasts in enumerate(seconds[:windows]):
        role = roles[index] if index < len(roles) else STEADY
        steps = 1 if index == 0 else 10
        timed.append(
            Window(
                index=index,
                role=role,
                steps=steps,
                images=max(round(speed / 2), 1),
                seconds=float(lasts),
                started=float(sum(seconds[:index])),
            )
        )
    return Launch(
        id=f"{int(draw.integers(2**48)):012x}",
        campaign="c",
        case=case,
        number=number,
        seed=int(draw.integers(2**31)),
        stack_fingerprint="f",
        probe_digest="p",
        started_at=f"2026-01-{number % 28 + 1:02}T00:{draw.integers(60):02}:00.123456+00:00",
        machine=MACHINE,
        stages={
            name: float(seconds * draw.lognormal(0, 0.1))
            for name, seconds in {
                "import": 2.0,
                "data": 0.1,
                "build": 1.0,
                "first step": 5.0,
            }.items()
        },
        facts={
            "backend": "torch",
            "backend_version": "1",
            "peak_memory_bytes": int(2**30 * draw.lognormal(0, 0.01)),
        },
        windows=tuple(timed),
    )


def material(number: int, launches: int, windows: int, seed: int = 1) -> Material:
    """What a page of so many cases is made of."""
    draw = np.random.default_rng(seed)
    found = [
        made(case, one, windows, draw)
        for case in islice(cases(), number)
        for one in range(1, launches + 1)
    ]
    origin = Origin(suite="made up", budget=BUDGET, machine=MACHINE)
    return Material(recorded=Recorded(campaigns={"c": origin}, launches=tuple(found)))


def opened(path: Path) -> float:
    """Seconds until a page is open, in a browser that has just been started."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        begun = time.monotonic()
        tab.goto(path.as_uri())
        tab.wait_for_selector("body[data-ready] .plot svg")
        taken = time.monotonic() - begun
        browser.close()
    return taken


def main() -> None:
    """Make a page, and open it."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--cases", type=int, default=2000)
    arguments.add_argument("--launches", type=int, default=10)
    arguments.add_argument("--windows", type=int, default=50)
    arguments.add_argument("--keep", type=Path)
    arguments.add_argument("--write", action="store_true", help="put the figures into docs/look.md")
    asked = arguments.parse_args()
    if shutil.which("chromium") is None:
        sys.exit("page.py: there is no chromium; install it")
    made_of = material(asked.cases, asked.launches, asked.windows)
    begun = time.monotonic()
    text = page(made_of)
    took = time.monotonic() - begun
    with tempfile.TemporaryDirectory() as folder:
        path = (asked.keep or Path(folder)).absolute() / "index.html"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        times = sorted(opened(path) for _ in range(3))
    weight = len(text.encode()) / 1e6
    row = {
        "Cases": f"{asked.cases:,}",
        "Launches of each": str(asked.launches),
        "Windows of each": str(asked.windows),
        "Made in (s)": f"{took:.0f}",
        f"MB (at most {MEGABYTES:g})": f"{weight:.2f}",
        f"Opens in (s, median of 3; at most {SECONDS:g})": f"{times[1]:.2f}",
    }
    print(grid.markdown([row]))
    if asked.write:
        write(ROOT / "docs" / "look.md", "page", grid.markdown([row]))


if __name__ == "__main__":
    main()
