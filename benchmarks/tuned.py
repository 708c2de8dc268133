"""What does tuning give, over what users have and over plain PyTorch?

    python benchmarks/tuned.py [--model NAME]... [--minutes M] [--write]
    python benchmarks/tuned.py --device gpu --python ENVIRONMENT/bin/python --model NAME

For each model: `cnnbench tune` of Keras 3 in float32 and, apart, in bfloat16, and of plain PyTorch
in both; then the winners, the defaults of Keras 3 and TensorFlow 1.7 are launched once more in five
blocks that all are in, and compared there. A line of docs/measured/tuned.jsonl for each model and
choice of stacks; --write makes docs/measured/tuned.md, and `results.py --write` has the tables in
RESULTS.md. M is for each of the four tunings (20); two hours a model.

On a GPU training is by `fit`, whose next batch is on its way while the GPU computes. --python takes
what an environment of yours has in the place of our stacks: Keras on each backend, and PyTorch
without Keras. Where time is short, --backend limits what is looked at (`old` is TensorFlow 1.7),
and --kind, --precision and --recipe what is tuned; what is not is compared as it comes. --arm adds
a configuration to what is compared, said as in `cnnbench compare`; with --minutes 0 nothing is
tuned.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from cnnbench import events, prepare, tuned, tuning
from cnnbench.arms import parse
from cnnbench.case import Arm, Case
from cnnbench.cli.measuring import followed, here
from cnnbench.diagnosing import peaks
from cnnbench.envs import local, versions
from cnnbench.errors import StackError
from cnnbench.forecast import FLOP_OF_A_MAC, macs
from cnnbench.proof import UNVERIFIED
from cnnbench.report import grid
from cnnbench.report.table import FORMATS, instance, number
from cnnbench.report.tuned import interval
from cnnbench.store.database import Store
from lapped import lapped, speed
from lines import by_machine, keep, recorded
from pages import ROOT, heading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cnnbench.diagnosis import Peaks
    from cnnbench.envs.stack import Stack

FOLDER = ROOT / "docs" / "measured"
LINES, PAGE, STORE = FOLDER / "tuned.jsonl", FOLDER / "tuned.md", FOLDER / "tuned.sqlite"
DATASETS = {
    "simple_cnn": "synthetic-32",
    "resnet56_cifar": "synthetic-32",
    "resnet50": "synthetic-256",
}
METHODS = {"cpu": "train_on_batch", "gpu": "fit"}
KERAS, NATIVE, OLD = "keras", "native", "old"
KINDS = {KERAS: "Keras 3, tuned", NATIVE: "plain PyTorch, tuned"}
STACKS = {
    "cpu": {
        KERAS: ("keras3-tensorflow", "keras3-jax", "keras3-torch"),
        NATIVE: ("native-torch",),
        OLD: ("keras2.1.5-tensorflow1.7.0",),
    },
    "gpu": {
        KERAS: ("keras3-tensorflow-gpu", "keras3-jax-gpu", "keras3-torch-gpu"),
        NATIVE: ("native-torch-gpu",),
        OLD: (),
    },
}
OF_KERAS = ("tensorflow", "jax", "torch")
BACKENDS = (*OF_KERAS, local.PLAIN, OLD)
PRECISIONS = ("float32", "bfloat16")
GIVES = "Each recipe of these, with all the others: speed with it over speed without it."
LAST, FIRST = "channels_last", "channels_first"
ABOUT = (
    "Batches of 32, by `train_on_batch` on CPUs and by `fit` on GPUs. *Ratio* is over the first"
    " row: the fastest default of Keras 3 that is in the same blocks. *Of peak* is the share of"
    " what the best convolution of the machine computes in a second, in the same precision."
    " *Training* is what was proven of it."
)
SEE = (
    "See [Make it faster](../tuning.md), [Is it right?](../correctness.md) and [Tuned steps taken"
    " apart](splits.md)."
)


def main() -> None:
    """Tune and compare what is missing; print the table."""
    flags = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    flags.add_argument("--model", action="append", choices=sorted(DATASETS))
    flags.add_argument("--device", choices=sorted(STACKS), default="cpu")
    flags.add_argument("--python", type=Path)
    flags.add_argument("--backend", action="append", choices=BACKENDS)
    flags.add_argument("--kind", action="append", choices=sorted(KINDS))
    flags.add_argument("--precision", action="append", choices=PRECISIONS)
    flags.add_argument("--recipe", action="append")
    flags.add_argument("--arm", action="append", default=[])
    flags.add_argument("--minutes", type=float, default=20.0)
    flags.add_argument("--blocks", type=int, default=5)
    flags.add_argument("--write", action="store_true")
    asked = flags.parse_args()
    own = prepare.Own()
    backends = asked.backend or BACKENDS
    stacks = ours(asked.device, backends)
    if asked.python:
        stacks = environments(own, asked.python, backends)
    done = {(instance(one["machine"]), one["model"], *keras_of(one)) for one in recorded(LINES)}
    try:
        for model in asked.model or DATASETS:
            if (instance(here(None)), model, *stacks[KERAS]) not in done:
                keep(LINES, measured(model, asked, stacks, own))
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
    text = page(recorded(LINES))
    print(text)
    if asked.write:
        PAGE.write_text(text, "utf-8")


def measured(
    model: str, asked: argparse.Namespace, stacks: Mapping[str, Sequence[str]], own: prepare.Own
) -> dict[str, Any]:
    """Tune a model, then compare the winners with what comes."""
    winners: dict[str, Case] = {}
    gave: dict[str, dict[str, Any]] = {}
    kinds = (asked.kind or [*KINDS]) if asked.minutes else []
    precisions = asked.precision or PRECISIONS
    added = said(asked.arm, bases(model, asked.device, stacks[KERAS], precisions[0])[0], own)
    with Store.open(STORE) as store:
        for precision in precisions:
            for kind in kinds:
                cases = bases(model, asked.device, stacks[kind], precision)
                found = answer(cases, asked.recipe, 60 * asked.minutes, own, store)
                if found.best is not None:
                    winners[f"{KINDS[kind]}, {precision}"] = found.best
                    gave[tuned.label(found.best)] = {
                        name: one._asdict() for name, one in found.contributions.items()
                    }
        cases = [*winners.values(), *as_they_come(model, asked.device, stacks, kinds, precisions)]
        cases += added
        arms = [Arm(name=tuned.label(case), case=case) for case in dict.fromkeys(cases)]
        lap = lapped(arms, store, "benchmarks/tuned.py", asked.blocks, own=own)
    return {
        "peaks": convolution_peaks(replace(cases[0], precision=precisions[-1]), own),
        "model": model,
        "machine": here(None),
        "macs": macs(cases[0]),
        "winners": {name: asdict(case) for name, case in winners.items()},
        "gave": gave,
        "blocks": lap.blocks,
        "cases": {arm.name: asdict(arm.case) for arm in lap.arms},
        "failures": lap.failures,
        "keras": list(stacks[KERAS]),
        "packages": {
            name: f"{about(stack)} in an environment of its own"
            for name, (stack, _) in own.environments.items()
        },
        "proofs": {name: facts["proof_outcome"] for name, facts in lap.proofs.items()},
    }


def ours(device: str, backends: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Our stacks for a device that are of some backends, by kind."""
    return {
        kind: tuple(
            name
            for name in names
            if (kind if kind == OLD else versions.load(name).backend) in backends
        )
        for kind, names in STACKS[device].items()
    }


def environments(
    own: prepare.Own, python: Path, backends: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """What an environment has of some backends, by kind: Keras on each, and PyTorch alone."""
    found = []
    for backend in (one for one in OF_KERAS if one in backends):
        with patch.dict(os.environ, KERAS_BACKEND=backend), suppress(StackError):
            found.append(prepare.add_environment(own, python))
    alone = prepare.plain_environment(own) if local.PLAIN in backends else None
    if not found:
        sys.exit(f"tuned.py: {python} has no Keras with a backend; install them there")
    return {KERAS: tuple(found), NATIVE: (alone,) if alone else (), OLD: ()}


def bases(model: str, device: str, stacks: Sequence[str], precision: str) -> list[Case]:
    """Stacks in both data formats."""
    return [
        Case(
            stack=stack,
            model=model,
            dataset=DATASETS[model],
            method=METHODS[device],
            data_format=data_format,
            precision=precision,
            device=device,
        )
        for stack in stacks
        for data_format in (LAST, FIRST)
    ]


def as_they_come(
    model: str,
    device: str,
    stacks: Mapping[str, Sequence[str]],
    kinds: Sequence[str],
    precisions: Sequence[str],
) -> list[Case]:
    """Keras, old and new, in float32; plain PyTorch in some precisions, if it is not tuned."""
    found = bases(model, device, (*stacks[KERAS], *stacks[OLD]), PRECISIONS[0])
    if NATIVE not in kinds:
        for precision in precisions:
            found += bases(model, device, stacks[NATIVE], precision)
    return [case for case in found if is_default(case)]


def said(texts: Sequence[str], like: Case, own: prepare.Own) -> list[Case]:
    """The configurations that --arm adds, which are like a case in all that they don't say."""
    common = ("model", "dataset", "method", "data_format", "device")
    base = {"stack": like.stack, **{axis: getattr(like, axis) for axis in common}}
    return [arm.case for arm in parse(["name=base", *texts], base, own)[1:]] if texts else []


def is_default(case: Case) -> bool:
    """Keras comes with channels last."""
    return case.data_format == LAST


def answer(
    cases: Sequence[Case],
    wanted: Sequence[str] | None,
    seconds: float,
    own: prepare.Own,
    store: Store,
) -> tuned.Answer:
    """What `cnnbench tune` finds."""
    running = tuning.Tuning(
        cases[0],
        cases,
        wanted or tuning.harmless(),
        objective="throughput",
        seconds=seconds,
        own=own,
        machine=here(None),
        store=store,
    )
    if (cut_off := followed(running.run())) is not None:
        raise KeyboardInterrupt from cut_off
    return running.answer()


def convolution_peaks(case: Case, own: prepare.Own) -> dict[str, float]:
    """FLOP/s of the best convolution on this machine by precision: float32 and that of a case."""
    found: list[Peaks] = []

    def gauging() -> events.Events:
        measured, _ = yield from peaks(case, own)
        found.extend([measured] if measured else [])

    if (cut_off := followed(gauging())) is not None:
        raise KeyboardInterrupt from cut_off
    return {
        precision: kinds["convolution"]
        for one in found
        for precision, kinds in one.operations.items()
        if "convolution" in kinds
    }


def about(stack: Stack) -> str:
    """What an environment of the user's is, by its packages."""
    keras = f"Keras {stack.packages['keras']} on " if stack.backend != local.PLAIN else ""
    return f"{keras}{stack.package} {stack.packages[stack.package]}"


def page(lines: Sequence[Mapping[str, Any]]) -> str:
    """The tables as Markdown."""
    parts = [
        *heading("tuned.py", "What tuning gives"),
        f"{ABOUT} {SEE}",
        "",
    ]
    return "\n".join([*parts, tables(lines)])


def tables(lines: Sequence[Mapping[str, Any]], level: int = 2) -> str:
    """Under a heading of a level for each machine, a table of each model and choice of stacks."""
    parts = []
    for machine, there in by_machine(lines).items():
        parts += [f"{'#' * level} {machine}", ""]
        for line in there:
            parts += [grid.markdown(list(rows(line))), ""]
            if table := list(gains(line)):
                parts += [GIVES, "", grid.markdown(table), ""]
        for stack, what in sorted({pair for line in there for pair in packages(line)}):
            parts += [f"`{stack}`: {what}.", ""]
    return "\n".join(parts or ["Nothing was measured yet.", ""])


def packages(line: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The environments of somebody's own that a line is of, and what they are."""
    for stack, what in line.get("packages", {}).items():
        if any(fields["stack"] == stack for fields in line["cases"].values()):
            yield stack, what


def rows(line: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """A row for each configuration, the best default first."""
    cases = {name: case_of(fields) for name, fields in line["cases"].items()}
    arms = [Arm(name=name, case=case) for name, case in cases.items()]
    lap = tuned.Lap(
        name="all", arms=arms, blocks=line["blocks"], standing=None, failures={}, launches=[]
    )
    won = {tuned.label(case_of(fields)): name for name, fields in line["winners"].items()}
    mean = {name: speed(line["blocks"], name) for name in cases}
    base = max((n for n, c in cases.items() if is_keras_default(line, c)), key=lambda n: mean[n])
    for name in sorted(cases, key=lambda name: (name != base, mean[name])):
        against = tuned.gain(lap, name, base)
        case = cases[name]
        yield {
            "Model": line["model"],
            "What": won.get(name, "with recipes" if case.recipes else "as it comes"),
            "Stack": case.stack,
            "Data Format": FORMATS[case.data_format],
            "Precision": case.precision,
            "Recipes": ", ".join(case.recipes) or "none",
            "Speed (images/s)": number(mean[name]),
            "Ratio": f"{against.ratio:.2f}" if against else "",
            "95 % interval": interval(against),
            "Of peak": of_peak(line, case, mean[name]),
            "Training": line["proofs"].get(name, UNVERIFIED),
        }


def gains(line: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """A row for each recipe of the winners, the largest gain first."""
    for fields in line["winners"].values():
        case = case_of(fields)
        gave = line.get("gave", {}).get(tuned.label(case), {})
        for name in sorted(gave, key=lambda name: -gave[name]["ratio"]):
            gain = tuned.Gain(**gave[name])
            yield {
                "Stack": case.stack,
                "Precision": case.precision,
                "Recipe": name,
                "Ratio with it": f"{gain.ratio:.2f}",
                "95 % interval": interval(gain),
            }


def is_keras_default(line: Mapping[str, Any], case: Case) -> bool:
    """Whether a case is Keras 3 as it comes."""
    plain = is_default(case) and case.precision == PRECISIONS[0] and not case.recipes
    return case.stack in keras_of(line) and plain


def keras_of(line: Mapping[str, Any]) -> Sequence[str]:
    """The stacks of Keras 3 that a line is of."""
    found: Sequence[str] = line.get("keras", STACKS["cpu"][KERAS])
    return found


def of_peak(line: Mapping[str, Any], case: Case, speed: float) -> str:
    """Share of the FLOP/s of the best convolution; empty where they were not measured."""
    peak = line.get("peaks", {}).get(case.precision)
    return f"{speed * line['macs'] * FLOP_OF_A_MAC / peak:.0%}" if peak else ""


def case_of(fields: dict[str, Any]) -> Case:
    """The inverse of `asdict`, through JSON."""
    return replace(Case(**fields), recipes=tuple(fields["recipes"]))


if __name__ == "__main__":
    main()
