"""The flags that choose cases, shared by every command that measures."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from cnnbench.errors import UsageError

Stacks = Annotated[
    list[str] | None, typer.Option("--stack", help="Stack, or 'all'; see: cnnbench list stacks.")
]
Models = Annotated[list[str] | None, typer.Option("--model", help="Model, or your own FILE.py.")]
Datasets = Annotated[
    list[str] | None,
    typer.Option("--dataset", help="Data set, or your own FILE.py or folder of class folders."),
]
Methods = Annotated[
    list[str] | None,
    typer.Option("--method", help="fit, train_on_batch...; see: cnnbench list methods."),
]
Formats = Annotated[
    list[str] | None,
    typer.Option("--data-format", help="channels_last or channels_first."),
]
BatchSizes = Annotated[
    list[int] | None, typer.Option("--batch-size", help="Images in a step of one device.")
]
Precisions = Annotated[
    list[str] | None, typer.Option("--precision", help="float32, tf32, bfloat16 or float16.")
]
Devices = Annotated[list[str] | None, typer.Option("--device", help="cpu or gpu.")]
DeviceCounts = Annotated[
    list[int] | None,
    typer.Option("--devices", min=1, help="Devices that share a step; on a CPU they are virtual."),
]
GlobalBatches = Annotated[
    list[int] | None,
    typer.Option("--global-batch", min=1, help="Images in a step of all devices together."),
]
FewerDevices = Annotated[
    bool,
    typer.Option("--fewer-devices", help="Take as many devices as are here where more are asked."),
]
HalveBatch = Annotated[
    bool,
    typer.Option("--halve-batch", help="Out of memory, measure half the batch, and say so."),
]
Augment = Annotated[bool, typer.Option("--augment", help="Shift and flip images while training.")]
Threads = Annotated[
    list[int] | None, typer.Option("--threads", help="CPUs to use; all without it.")
]
Python = Annotated[
    Path | None,
    typer.Option("--python", help="Interpreter of your own environment: stack 'local'."),
]
Launches = Annotated[
    int | None, typer.Option("--launches", min=1, help="Exactly so many processes a case.")
]
Budgets = Annotated[str | None, typer.Option("--budget", help="quick, standard or strict.")]
Until = Annotated[
    str | None,
    typer.Option(
        "--until", metavar="accuracy=A", help="Train until so many held-out images are right: 0.6."
    ),
]
Recipes = Annotated[
    list[str] | None,
    typer.Option("--recipe", help="Recipes, as jit+keep_memory; see: cnnbench list recipes."),
]
Loaders = Annotated[
    list[str] | None,
    typer.Option(
        "--loader", help="How fit_generator reads its batches; see: cnnbench list loaders."
    ),
]
StoreUrl = Annotated[
    str | None,
    typer.Option("--store", help="File or database URL of results.", envvar="CNNBENCH_STORE"),
]
Json = Annotated[
    str | None, typer.Option("--json", help="Write JSON to a file; '-' or nothing for stdout.")
]
Source = Annotated[
    list[Path] | None,
    typer.Option("--from", help="File of raw launches, or a folder of them; not the store."),
]
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Where data sets stand.", envvar="CNNBENCH_DATA_DIR"),
]
InstanceType = Annotated[
    str | None, typer.Option("--instance-type", help="Name of this machine in the first column.")
]
Executor = Annotated[
    str, typer.Option("--executor", help="local, or ray: on the nodes of a Ray cluster.")
]
Address = Annotated[
    str | None,
    typer.Option("--address", help="Of the Ray cluster; without it, the one on this machine."),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Do not go on with what was interrupted.")]
Verify = Annotated[
    bool,
    typer.Option("--verify/--no-verify", help="Prove first that training is right; once a case."),
]


def axes(
    stack: list[str] | None,
    model: list[str] | None,
    dataset: list[str] | None,
    method: list[str] | None,
    data_format: list[str] | None,
) -> dict[str, list[str] | None]:
    """The values of each axis that cases are chosen by, as `Case.has` takes them; None is any."""
    return {
        "stack": stack,
        "model": model,
        "dataset": dataset,
        "method": method,
        "data_format": data_format,
    }


def accuracy(text: str) -> float:
    """The accuracy that `--until` names.

    Raises:
        UsageError: It names none.
    """
    what, _, value = text.partition("=")
    try:
        accuracy = float(value)
    except ValueError:
        accuracy = math.nan
    if what != "accuracy" or not 0 < accuracy < 1:
        raise UsageError(f"--until {text}: give accuracy=A with A between 0 and 1, as accuracy=0.6")
    return accuracy
