"""What does tuning give, over what users have and over plain PyTorch?

    python benchmarks/tuned.py [--model NAME]... [--minutes M] [--write]

For each model: `cnnbench tune` of Keras 3 in float32 and, apart, in bfloat16, and of plain PyTorch
in both; then the winners, the defaults of Keras 3 and TensorFlow 1.7 are launched once more in five
blocks that all are in, and compared there. A line of docs/measured/tuned.jsonl for each model;
--write makes docs/measured/tuned.md. M is for each of the four tunings (20); two hours a model.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from cnnbench import events, prepare, tuned, tuning
from cnnbench.case import Arm, Case
from cnnbench.cli.measuring import followed, here
from cnnbench.diagnosing import peaks
from cnnbench.forecast import FLOP_OF_A_MAC, macs
from cnnbench.report import grid
from cnnbench.report.table import FORMATS, number
from cnnbench.report.tuned import interval
from cnnbench.store.database import Store
from lapped import lapped, speed
from lines import keep, recorded
from pages import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnbench.diagnosis import Peaks

FOLDER = ROOT / "docs" / "measured"
LINES, PAGE, STORE = FOLDER / "tuned.jsonl", FOLDER / "tuned.md", FOLDER / "tuned.sqlite"
DATASETS = {
    "simple_cnn": "synthetic-32",
    "resnet56_cifar": "synthetic-32",
    "resnet50": "synthetic-256",
}
KERAS3 = ("keras3-tensorflow", "keras3-jax", "keras3-torch")
NATIVE, OLD = "native-torch", "keras2.1.5-tensorflow1.7.0"
PRECISIONS = ("float32", "bfloat16")
LAST, FIRST = "channels_last", "channels_first"
BLOCKS = 5
KINDS = {"keras": "Keras 3, tuned", "native": "plain PyTorch, tuned"}


def main() -> None:
    """Tune and compare what is missing; print the table."""
    flags = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    flags.add_argument("--model", action="append", choices=sorted(DATASETS))
    flags.add_argument("--minutes", type=float, default=20.0)
    flags.add_argument("--write", action="store_true")
    asked = flags.parse_args()
    done = {line["model"] for line in recorded(LINES)}
    try:
        for model in asked.model or DATASETS:
            if model not in done:
                keep(LINES, measured(model, 60 * asked.minutes))
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
    text = page(recorded(LINES))
    print(text)
    if asked.write:
        PAGE.write_text(text, "utf-8")


def measured(model: str, seconds: float) -> dict[str, Any]:
    """Tune a model, then compare the winners with the defaults."""
    with Store.open(STORE) as store:
        winners: dict[str, Case] = {}
        for precision in PRECISIONS:
            for kind, stacks in (("keras", KERAS3), ("native", (NATIVE,))):
                found = winner(bases(model, stacks, precision), seconds, store)
                if found is not None:
                    winners[f"{KINDS[kind]}, {precision}"] = found
        defaults = [case for case in bases(model, (*KERAS3, OLD), "float32") if is_default(case)]
        cases = list(dict.fromkeys([*winners.values(), *defaults]))
        lap = compared(cases, store)
    return {
        "peaks": convolution_peaks(replace(cases[0], precision=PRECISIONS[-1])),
        "model": model,
        "machine": here(None),
        "macs": macs(cases[0]),
        "winners": {name: asdict(case) for name, case in winners.items()},
        "blocks": lap.blocks,
        "cases": {arm.name: asdict(arm.case) for arm in lap.arms},
        "failures": lap.failures,
    }


def bases(model: str, stacks: Sequence[str], precision: str) -> list[Case]:
    """Stacks in both data formats."""
    return [
        Case(
            stack=stack,
            model=model,
            dataset=DATASETS[model],
            method="train_on_batch",
            data_format=data_format,
            precision=precision,
        )
        for stack in stacks
        for data_format in (LAST, FIRST)
    ]


def is_default(case: Case) -> bool:
    """Keras comes with channels last."""
    return case.data_format == LAST


def winner(cases: Sequence[Case], seconds: float, store: Store) -> Case | None:
    """What `cnnbench tune` chooses."""
    running = tuning.Tuning(
        cases[0],
        cases,
        tuning.harmless(),
        objective="throughput",
        seconds=seconds,
        own=prepare.Own(),
        machine=here(None),
        store=store,
    )
    if (cut_off := followed(running.run())) is not None:
        raise KeyboardInterrupt from cut_off
    return running.answer().best


def compared(cases: Sequence[Case], store: Store) -> tuned.Lap:
    """Five blocks of all."""
    arms = [Arm(name=tuned.label(case), case=case) for case in cases]
    return lapped(arms, store, "benchmarks/tuned.py", BLOCKS)


def convolution_peaks(case: Case) -> dict[str, float]:
    """FLOP/s of the best convolution on this machine by precision: float32 and that of a case."""
    found: list[Peaks] = []

    def gauging() -> events.Events:
        measured, _ = yield from peaks(case, prepare.Own())
        found.extend([measured] if measured else [])

    if (cut_off := followed(gauging())) is not None:
        raise KeyboardInterrupt from cut_off
    return {
        precision: kinds["convolution"]
        for one in found
        for precision, kinds in one.operations.items()
        if "convolution" in kinds
    }


def page(lines: Sequence[dict[str, Any]]) -> str:
    """The tables as Markdown."""
    parts = [
        "<!-- Made by `python benchmarks/tuned.py --write`; do not edit. -->",
        "",
        "# What tuning gives",
        "",
        "`train_on_batch`, batches of 32. *Ratio* is over the first row of its model: the fastest",
        "default of Keras 3, in the same blocks. *Of peak* is the share of what the best",
        "convolution of this machine computes in a second, in the same precision.",
        "",
        grid.markdown([row for line in lines for row in rows(line)])
        if lines
        else "Nothing was measured yet.",
        "",
    ]
    return "\n".join(parts)


def rows(line: dict[str, Any]) -> Iterator[dict[str, str]]:
    """A row for each configuration, the best default first."""
    cases = {name: case_of(fields) for name, fields in line["cases"].items()}
    arms = [Arm(name=name, case=case) for name, case in cases.items()]
    lap = tuned.Lap(
        name="all", arms=arms, blocks=line["blocks"], standing=None, failures={}, launches=[]
    )
    won = {tuned.label(case_of(fields)): name for name, fields in line["winners"].items()}
    plain = [n for n, case in cases.items() if n not in won and case.stack in KERAS3]
    mean = {name: speed(line["blocks"], name) for name in cases}
    base = max(plain, key=lambda name: mean[name])
    for name in sorted(cases, key=lambda name: (name != base, mean[name])):
        against = tuned.gain(lap, name, base)
        case = cases[name]
        yield {
            "Model": line["model"],
            "What": won.get(name, "as it comes"),
            "Stack": case.stack,
            "Data Format": FORMATS[case.data_format],
            "Precision": case.precision,
            "Recipes": ", ".join(case.recipes) or "none",
            "Speed (images/s)": number(mean[name]),
            "Ratio": f"{against.ratio:.2f}" if against else "",
            "95 % interval": interval(against),
            "Of peak": of_peak(line, case, mean[name]),
        }


def of_peak(line: dict[str, Any], case: Case, speed: float) -> str:
    """Share of the FLOP/s of the best convolution; empty where they were not measured."""
    peak = line.get("peaks", {}).get(case.precision)
    return f"{speed * line['macs'] * FLOP_OF_A_MAC / peak:.0%}" if peak else ""


def case_of(fields: dict[str, Any]) -> Case:
    """The inverse of `asdict`, through JSON."""
    return replace(Case(**fields), recipes=tuple(fields["recipes"]))


if __name__ == "__main__":
    main()
