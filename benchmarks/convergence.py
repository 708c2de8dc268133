"""How long does Simple CNN take to an accuracy on real CIFAR-10, on which stack?

    python benchmarks/convergence.py [--data-dir DIR] [--stack NAME]... [--launches N] [--write]

`cnnbench run --until accuracy=0.5`, five seeds a stack, plain PyTorch among them. Raw launches go
into docs/measured/convergence.jsonl; Ctrl-C keeps what is there, and the same command goes on.
--write makes docs/measured/convergence.md and its plot. About six minutes a stack.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

import altair as alt

from cnnbench.report import goals
from cnnbench.report.conclusions import conclusions
from cnnbench.store import exchange
from cnnbench.store.exchange import Recorded
from pages import ROOT, heading
from results import ended, stored

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = ROOT / "docs" / "measured"
LINES, PAGE, PLOT = (FOLDER / f"convergence.{kind}" for kind in ("jsonl", "md", "svg"))
STORE = FOLDER / "convergence.sqlite"
STACKS = ("keras3-tensorflow", "keras3-jax", "keras3-torch")
ACCURACY = 0.5
ABOUT = """\
Simple CNN, RMSprop, batches of 32, until half of the 10,000 test images are classified rightly;
several seeds a stack. *Of the reference's* is how many images that took, over what plain PyTorch
needs."""


def main() -> None:
    """Measure what is missing, unless only to write; then print the table."""
    flags = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    flags.add_argument("--stack", action="append")
    flags.add_argument("--launches", type=int, default=5)
    flags.add_argument("--data-dir")
    flags.add_argument("--write", action="store_true")
    asked = flags.parse_args()
    if not asked.write or asked.stack or asked.data_dir:
        measure(asked)
    known = recorded()
    text = page(known)
    print(text)
    if asked.write:
        PAGE.write_text(text, "utf-8")
        plot(known)


def measure(asked: argparse.Namespace) -> None:
    """Run it, and keep what it launched."""
    stacks = [flag for name in asked.stack or STACKS for flag in ("--stack", name)]
    data = ["--data-dir", asked.data_dir] if asked.data_dir else []
    run = [sys.executable, "-m", "cnnbench", "run", *stacks, *data, "--dataset", "cifar10"]
    run += ["--until", f"accuracy={ACCURACY}", "--launches", str(asked.launches)]
    ended([*run, "--store", str(STORE)])
    exchange.write(LINES, exchange.newest(exchange.merge([recorded(), stored(STORE)])))


def recorded() -> Recorded:
    """What the file holds."""
    return exchange.read(LINES) if LINES.exists() else Recorded(campaigns={}, launches=())


def page(known: Recorded) -> str:
    """The table as Markdown."""
    parts = [
        *heading("convergence.py", "Time to accuracy on CIFAR-10"),
        ABOUT,
        "",
        goals.markdown(conclusions(known)) or "Nothing was measured yet.",
        "",
        "![Accuracy of every launch over seconds of training](convergence.svg)",
        "",
    ]
    return "\n".join(parts)


def plot(known: Recorded) -> None:
    """The accuracy of every launch, over seconds of training."""
    chart = (
        alt.Chart(alt.InlineData(values=list(_points(known))))
        .mark_line(point=alt.OverlayMarkDef(size=20), opacity=0.7, strokeWidth=1.2)
        .encode(
            x=alt.X("seconds:Q", title="seconds of training"),
            y=alt.Y("accuracy:Q", title="accuracy on the test images", axis=alt.Axis(format="%")),
            color=alt.Color("stack:N", title="stack"),
            detail="launch:N",
        )
        .properties(width=560, height=300)
    )
    chart.save(PLOT)


def _points(known: Recorded) -> Iterator[dict[str, Any]]:
    for launch in known.launches:
        seconds = 0.0
        for window in launch.windows:
            seconds += window.seconds
            if window.accuracy is not None:
                yield {
                    "stack": launch.case.stack,
                    "launch": launch.id,
                    "seconds": round(seconds, 2),
                    "accuracy": round(window.accuracy, 4),
                }


if __name__ == "__main__":
    main()
