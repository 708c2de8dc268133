"""`cnnbench diagnose`: where a training step's time goes, and what each remedy can give."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cnnbench import prepare
from cnnbench.cli import flags, output
from cnnbench.cli.measuring import followed, here, leave_early
from cnnbench.cli.run import planned_suite, stacks_named
from cnnbench.diagnosing import Diagnosing
from cnnbench.errors import UsageError
from cnnbench.report import diagnoses
from cnnbench.store.address import default_url
from cnnbench.store.database import Store

Blocks = Annotated[
    int, typer.Option("--blocks", min=2, help="How often all experiments are launched anew.")
]


def diagnose(  # noqa: PLR0917  one parameter a flag
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
    recipe: flags.Recipes = None,
    loader: flags.Loaders = None,
    python: flags.Python = None,
    blocks: Blocks = 4,
    store: flags.StoreUrl = None,
    json: flags.Json = None,
    data_dir: flags.DataDir = None,
    instance_type: flags.InstanceType = None,
    fresh: flags.Fresh = False,
) -> None:
    """Take a training step apart: input, Keras' loop, waiting, transfer, each step, compute.

    The same training runs beside experiments that each leave a part of it out, in blocks of fresh
    processes. Each part has its time, and the ceiling of whatever remedies it; beside them stands
    what the machine can do at best. Two to three minutes a block.

    cnnbench diagnose --stack keras3-jax --model resnet56_cifar --method train_on_batch

    cnnbench diagnose --stack keras3-torch --model net.py --dataset photographs/ --method
    fit_generator

    An interrupted diagnosis goes on where it was. Exit status: 0 there is an answer; 1 the case
    cannot run.
    """
    if json:
        output.check_target(json)
    own = prepare.Own(data_dir=data_dir)
    chosen: dict[str, Any] = {
        "stack": stacks_named(own, stack, python),
        "model": model,
        "dataset": dataset,
        "method": method,
        "data_format": data_format,
        "batch_size": batch_size,
        "precision": precision,
        "device": device,
        "augment": [True] if augment else None,
        "threads": threads,
        "recipe": recipe,
        "loader": loader,
    }
    case, *others = planned_suite("quick", chosen, own).cases
    if others:
        raise UsageError("one case at a time is taken apart; say one --stack and one of each flag")
    machine = here(instance_type)
    with Store.open(store or default_url()) as opened:
        running = Diagnosing(case, blocks, own, machine, opened, resume=not fresh)
        cut_off = followed(running.run())
    found = running.diagnosis()
    if json != "-":
        output.print_diagnosis(found)
    if json:
        output.write_json(diagnoses.document(found, machine), json)
    leave_early(cut_off)
    if found.speed is None:
        raise typer.Exit(1)
