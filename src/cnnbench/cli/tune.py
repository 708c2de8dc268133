"""`cnnbench tune`: the fastest right configuration of a training, on this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cnnbench import handover, prepare, tuning
from cnnbench import recipes as mixtures
from cnnbench.case import KERAS
from cnnbench.cli import flags, output
from cnnbench.cli.common_case import UNDECIDED
from cnnbench.cli.measuring import followed, here, leave_early
from cnnbench.cli.run import planned_suite, stacks_named
from cnnbench.envs import stack as stacks
from cnnbench.errors import UsageError, unknown
from cnnbench.report import tuned
from cnnbench.store.address import default_url
from cnnbench.store.database import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnbench.case import Case
    from cnnbench.tuned import Answer

GOAL = "time-to-accuracy"
FORMATS = ["channels_last", "channels_first"]

Minutes = Annotated[float, typer.Option("--minutes", min=0.1, help="When to stop trying.")]
Objective = Annotated[
    str, typer.Option("--objective", help=f"What is to be good: {', '.join(tuning.OBJECTIVES)}.")
]
Output = Annotated[
    Path, typer.Option("--output", help="The file that gives your own script the configuration.")
]
Present = Annotated[
    str,
    typer.Option("--present", metavar="RECIPES", help="Recipes that you have now, joined by +."),
]
Tried = Annotated[
    list[str] | None,
    typer.Option("--recipe", help="A recipe to try; without, all that leave training as it is."),
]


def tune(  # noqa: PLR0917  one parameter a flag
    stack: flags.Stacks = None,
    model: flags.Models = None,
    dataset: flags.Datasets = None,
    method: flags.Methods = None,
    data_format: flags.Formats = None,
    batch_size: flags.BatchSizes = None,
    precision: flags.Precisions = None,
    device: flags.Devices = None,
    augment: flags.Augment = False,
    threads: flags.Threads = None,
    recipe: Tried = None,
    present: Present = mixtures.NONE,
    loader: flags.Loaders = None,
    python: flags.Python = None,
    objective: Objective = "throughput",
    minutes: Minutes = 30.0,
    until: flags.Until = None,
    store: flags.StoreUrl = None,
    output_file: Output = Path(handover.NAME),
    json: flags.Json = None,
    data_dir: flags.DataDir = None,
    instance_type: flags.InstanceType = None,
    fresh: flags.Fresh = False,
) -> None:
    """Find the fastest right configuration of a training on this machine.

    Stacks, data formats and precisions race; then recipes on the best of each stack, one by one and
    together. What is slower leaves early; what is ahead is proven to train rightly, or leaves. The
    first value of each flag is what you have now: the winner is measured against it once more at
    the end.

    cnnbench tune --stack keras3-torch --model resnet56_cifar

    cnnbench tune --stack all --model net.py --dataset photographs/ --precision float32
    --precision bfloat16

    An interrupted tuning goes on where it was. Exit status: 0 there is an answer; 1 nothing could
    be measured; 3 there was no time to try all, or to confirm what was found.
    """
    _check(json, output_file, objective)
    own = prepare.Own(data_dir=data_dir)
    named = stacks_named(own, stack, python)
    chosen: dict[str, Any] = {
        "until": [flags.accuracy(until or "")] if until or objective == GOAL else None,
        "stack": named or [name for name in stacks.names() if _is_modern(name, device)],
        "model": model,
        "dataset": dataset,
        "method": method,
        "data_format": data_format or FORMATS,
        "batch_size": batch_size,
        "precision": precision,
        "device": device,
        "augment": [True] if augment else None,
        "threads": threads,
        "loader": loader,
    }
    bases = planned_suite("quick", chosen, own).cases
    _check_single(bases)
    machine = here(instance_type)
    with Store.open(store or default_url()) as opened:
        running = tuning.Tuning(
            replace(bases[0], recipes=mixtures.read(present)),
            bases,
            _wanted(recipe),
            objective=objective,
            seconds=60 * minutes,
            own=own,
            machine=machine,
            store=opened,
            resume=not fresh,
        )
        cut_off = followed(running.run())
    found = running.answer()
    if json != "-":
        output.print_tuned(found)
    if json:
        output.write_json(tuned.document(found, machine), json)
    leave_early(cut_off)
    _leave(found, own, output_file)


def _leave(found: Answer, own: prepare.Own, output_file: Path) -> None:
    """Hand the winner over, and end with the status that the answer asks for."""
    if found.best is None:
        raise typer.Exit(1)
    _hand_over(found.best, next(tuned.remarks(found)), own, output_file)
    if not found.is_confirmed:
        raise typer.Exit(UNDECIDED)


def _check(json: str | None, output_file: Path, objective: str) -> None:
    """See that all can be written, and that the objective exists, before anything is measured."""
    if json:
        output.check_target(json)
    if objective not in tuning.OBJECTIVES:
        raise unknown("objective", objective, tuning.OBJECTIVES)
    output.check_target(str(output_file), "--output")
    handover.check_free(output_file)


def _hand_over(best: Case, about: str, own: prepare.Own, place: Path) -> None:
    """Write the file, and say how to use it."""
    if reason := handover.refusal(best):
        typer.echo(reason, err=True)
        return
    backend = prepare.stack_of(own, best.stack).backend
    output.write_text(str(place), handover.text(best, backend, about))
    early = " and start it by: cnnbench exec -- python" if handover.before(place) else ""
    if best.loader != KERAS:
        told = f"photographs are read so by model.fit({place.stem}.batches(folder))"
        typer.echo(f"{place}: loader {best.loader} was best; {told}", err=True)
    typer.echo(f"{place}: import it in the first line of your script{early}", err=True)


def _is_modern(name: str, device: list[str] | None) -> bool:
    """Whether a stack is of Keras 3, for the device that was asked for."""
    kind = device[0] if device else "cpu"
    return name.startswith("keras3-") and kind in stacks.load(name).devices


def _wanted(said: list[str] | None) -> list[str]:
    """The recipes to try: those that were said, or all that do not make it another training."""
    if said is not None:
        return [name for text in said for name in mixtures.read(text)]
    return tuning.harmless()


def _check_single(bases: Sequence[Case]) -> None:
    """See that only what may be tuned differs."""
    for axis in ("model", "dataset", "method", "device", "augment"):
        if len({getattr(case, axis) for case in bases}) > 1:
            raise UsageError(f"--{axis} has several values; tune one training at a time")
