"""Are all stacks right? Proofs of every stack, model, data format and method, on one page.

    python benchmarks/correctness.py [--seeds N] [--stack NAME]... [--model NAME]...
                                     [--minutes M] [--write]

Every combination is proven with seed 1, as `cnnbench verify` does; with `--seeds N` those of
`train_on_batch` in float32 also with seeds 2 to N, all in one process, to see that what is right is
never refused. Each proof is a line of docs/measured/correctness.jsonl; the same command goes on
from there. --write makes docs/measured/correctness.md, and its plot of the losses of all stacks.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import altair as alt

from cnnbench import prepare, recipes
from cnnbench.case import Case
from cnnbench.cli.measuring import followed, here
from cnnbench.envs.stack import load
from cnnbench.proof import EXPLAINED, SAME, UNVERIFIED, WRONG
from cnnbench.report import grid, proofs, table
from cnnbench.store.database import Store
from cnnbench.verification.explanations import EXPLANATIONS
from cnnbench.verification.given import STEPS
from cnnbench.verify import Verification
from lines import keep
from lines import recorded as every
from pages import ROOT, heading, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FOLDER, ABOUT = ROOT / "docs" / "measured", ROOT / "docs" / "correctness.md"
LINES, PAGE, PLOT = (FOLDER / f"correctness.{kind}" for kind in ("jsonl", "md", "svg"))
STACKS = (
    "keras3-tensorflow",
    "keras3-jax",
    "keras3-torch",
    "keras2.1.5-tensorflow1.7.0",
    "keras2.1.6-mxnet1.1.0",
    "keras2.2.4-mxnet1.9.1",
    "native-torch",
)
MODELS = ("simple_cnn", "resnet56_cifar", "resnet50")
FORMATS = ("channels_last", "channels_first")
METHODS = ("train_on_batch", "fit", "fit_generator")
PRECISIONS = {  # and the stacks that have them, by how their names begin
    "float32": ("",),
    "bfloat16": ("keras3", "native"),
    "float16": ("keras3",),
}
USUAL = ("float32", "train_on_batch")
MENDED = {"keras2.1.6-mxnet1.1.0": "own_buffers"}  # as it comes it is wrong on some CPUs
QUICKER = "no_float16_math"  # where a CPU would take hours without


def main() -> None:
    """Prove what is missing; print the tables."""
    flags = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    flags.add_argument("--seeds", type=int, default=1)
    flags.add_argument("--stack", action="append")
    flags.add_argument("--model", action="append")
    flags.add_argument("--minutes", type=float, default=math.inf)
    flags.add_argument("--write", action="store_true")
    asked = flags.parse_args()
    deadline = time.monotonic() + 60 * asked.minutes
    wanted = missing(asked.stack or STACKS, asked.model or MODELS, asked.seeds)
    for case, seeds in wanted:
        if time.monotonic() >= deadline:
            break
        if not proven(case, seeds):
            print("interrupted; the same command goes on from here", file=sys.stderr)
            break
    text = page(recorded())
    print(text)
    if asked.write:
        PAGE.write_text(text, "utf-8")
        plot(recorded())
        write(ABOUT, "explanations", known_differences())


def missing(
    stacks: Sequence[str], models: Sequence[str], seeds: int
) -> Iterator[tuple[Case, Sequence[int]]]:
    """What is not recorded yet: every combination with the first seed, then with the others."""
    done = {(key(line), line["seed"]) for line in recorded()}
    for some in ([1], range(2, seeds + 1)):
        for case in cases(stacks, models):
            usual = (case.precision, case.method) == USUAL and not case.recipes
            left = [seed for seed in some if (key_of(case), seed) not in done]
            if left and (usual or some == [1]):
                yield case, left


def cases(stacks: Sequence[str], models: Sequence[str]) -> Iterator[Case]:
    """Every combination, in the precisions that a stack has; what may be wrong also mended."""
    for method, precision, model, stack, data_format in itertools.product(
        METHODS, PRECISIONS, models, stacks, FORMATS
    ):
        if stack.startswith(PRECISIONS[precision]):
            case = Case(
                stack=stack,
                model=model,
                dataset="synthetic-32",
                method=method,
                data_format=data_format,
                precision=precision,
            )
            helped = replace(case, recipes=(QUICKER,))
            yield case if recipes.refusal(helped, load(stack).backend) else helped
            if stack in MENDED:
                yield replace(case, recipes=(MENDED[stack],))


def proven(case: Case, seeds: Sequence[int]) -> bool:
    """Prove a case with some seeds, and write their lines; False if it was interrupted."""
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "s.sqlite") as store:
        verification = Verification([case], prepare.Own(), here(None), store, seeds)
        cut_off = followed(verification.run())
        lines = proofs.document(verification.proofs, {})["proofs"]
    for line in lines:
        if line["seed"] != 1:
            line.update(facts={}, losses={})  # hundreds of them, and nobody's question
        keep(LINES, line)
    return cut_off is None


def recorded() -> list[dict[str, Any]]:
    """Every proof so far, the newest of each combination and seed."""
    return list({(key(line), line["seed"]): line for line in every(LINES)}.values())


def key(line: dict[str, Any]) -> tuple[str, ...]:
    """What a recorded proof is of."""
    subject = line["subject"]
    axes = ("stack", "model", "precision", "method", "data_format")
    return (*(subject[axis] for axis in axes), _training(subject.get("recipes", ())))


def key_of(case: Case) -> tuple[str, ...]:
    """What a proof of a case would be of."""
    axes = (case.stack, case.model, case.precision, case.method, case.data_format)
    return (*axes, _training(case.recipes))


def _training(wanted: Sequence[str]) -> str:
    """The recipes that make it another training."""
    return recipes.JOINED.join(name for name in wanted if name != QUICKER)


def page(lines: Sequence[dict[str, Any]]) -> str:
    """The tables as Markdown."""
    lines = sorted(lines, key=_place)
    first = [line for line in lines if line["seed"] == 1]
    parts = [
        *heading("correctness.py", "Proofs of every stack"),
        "Each row trained on the same weights and images; see [correctness](../correctness.md).",
        "*Excess* is the largest deviation over what rounding explains: right if it is at most 1.",
        "",
        grid.markdown([_row(line) for line in first]),
        "",
        "![Loss of each step on every stack](correctness.svg)",
        "",
        "## Is what is right ever refused?",
        "",
        grid.markdown(list(_seeds(lines))),
        "",
    ]
    return "\n".join(parts)


def _place(line: dict[str, Any]) -> tuple[int, ...]:
    """Where a proof stands in the tables, in whatever order they were made."""
    stack, model, precision, method, data_format, mended = key(line)
    return (
        MODELS.index(model),
        list(PRECISIONS).index(precision),
        METHODS.index(method),
        STACKS.index(stack),
        FORMATS.index(data_format),
        bool(mended),
        line["seed"],
    )


def known_differences() -> str:
    """What frameworks do otherwise, as the program knows it."""
    return grid.markdown(
        [
            {
                "Difference": f"*{one.name}*",
                "Where": one.layer,
                "What": one.about,
                "Stacks": one.stacks,
            }
            for one in EXPLANATIONS
        ]
    )


def _row(line: dict[str, Any]) -> dict[str, str]:
    stack, model, precision, method, data_format, _ = key(line)
    excess = proofs.largest_excess(line["checks"])
    where = f" (on {line['subject']['processor']})" if line["outcome"] == WRONG else ""
    return {
        "Model": model,
        "Stack": stack,
        "Precision": precision,
        "Recipes": recipes.JOINED.join(line["subject"].get("recipes", ())),
        "Method": f"`{method}`",
        "Data Format": table.FORMATS[data_format],
        "First loss": f"{line['losses']['seen'][0]:.6f}" if line["losses"] else "",
        "Excess": f"{excess:.2f}" if excess is not None else "",
        "Outcome": line["outcome"],
        "Why": line["reason"] + where,
    }


def _seeds(lines: Sequence[dict[str, Any]]) -> Iterator[dict[str, str]]:
    """A row for each stack, model and precision: outcomes over seeds."""
    grouped = defaultdict(list)
    for line in lines:
        if line["subject"]["method"] == "train_on_batch" and line["outcome"] != UNVERIFIED:
            grouped[key(line)].append(line)
    for (stack, model, precision, _, data_format, mended), group in grouped.items():
        outcomes = Counter(line["outcome"] for line in group)
        found = (proofs.largest_excess(line["checks"]) for line in group)
        worst = max((excess for excess in found if excess is not None), default=math.nan)
        yield {
            "Model": model,
            "Stack": stack,
            "Precision": precision,
            "Recipes": mended,
            "Data Format": table.FORMATS[data_format],
            "Seeds": str(len(group)),
            "Right": str(outcomes[SAME] + outcomes[EXPLAINED]),
            "Largest excess": f"{worst:.2f}",
        }


def plot(lines: Sequence[dict[str, Any]]) -> None:
    """The losses of all stacks: of the steps that are compared, and of all that follow."""
    usual = [
        line
        for line in lines
        if line["seed"] == 1 and key(line)[2:4] == USUAL and not key(line)[5] and line["losses"]
    ]
    chart = alt.vconcat(
        _first_steps(usual).properties(title="The first three steps"),
        _all_steps(usual).properties(title="All steps"),
    )
    chart.save(PLOT)


def _first_steps(lines: Sequence[dict[str, Any]]) -> Any:
    values = [point for line in lines for point in _points(line, "seen") if point["step"] <= STEPS]
    return (
        alt.Chart(alt.InlineData(values=values))
        .mark_point(filled=True, size=40)
        .encode(
            x=alt.X("step:O", title="training step", axis=alt.Axis(labelAngle=0)),
            xOffset="stack:N",  # stacks that agree would hide each other
            y=alt.Y("loss:Q", title="loss", scale=alt.Scale(zero=False)),
            color=alt.Color("stack:N", title="stack"),
            shape=alt.Shape("format:N", title="data format"),
        )
        .properties(width=200, height=180)
        .facet(facet=alt.Facet("model:N", title=None), columns=3)
        .resolve_scale(y="independent")
    )


def _all_steps(lines: Sequence[dict[str, Any]]) -> Any:
    values = [point for line in lines for point in _points(line, "seen")]
    values += [
        point | {"stack": "the reference, in float64"}
        for line in lines
        if line["subject"]["stack"] == "native-torch"
        for point in _points(line, "reference")
    ]
    return (
        alt.Chart(alt.InlineData(values=values))
        .mark_line(opacity=0.6, strokeWidth=1.5)
        .encode(
            x=alt.X("step:Q", title="training step"),
            y=alt.Y("loss:Q", title="loss", scale=alt.Scale(zero=False)),
            color=alt.Color("stack:N", title="stack"),
            strokeDash=alt.StrokeDash("format:N", title="data format"),
        )
        .properties(width=200, height=180)
        .facet(facet=alt.Facet("model:N", title=None), columns=3)
        .resolve_scale(y="independent")
    )


def _points(line: dict[str, Any], whose: str) -> list[dict[str, Any]]:
    """The losses of a proof, one by one."""
    about = {
        "stack": line["subject"]["stack"],
        "model": line["subject"]["model"],
        "format": table.FORMATS[line["subject"]["data_format"]],
    }
    losses = line["losses"].get(whose, [])
    return [{**about, "step": number, "loss": loss} for number, loss in enumerate(losses, 1)]


if __name__ == "__main__":
    main()
