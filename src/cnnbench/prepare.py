"""What a case needs before it can be launched: interpreter, data, files; or why it cannot be."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cnnbench import catalog, data, errors, recipes
from cnnbench.case import KERAS, digest
from cnnbench.envs import cache, cards, local, versions
from cnnbench.machine import gpu
from cnnbench.record import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnbench.case import Case
    from cnnbench.envs.stack import Stack
    from cnnbench.machine.gpu import Gpu


@dataclass(frozen=True, slots=True)
class Own:
    """The user's own files and environment, by the names that cases know them by.

    Attributes:
        models: `<file>@<digest>` to its path.
        datasets: `<file or folder>@<digest>` to its path.
        environments: `local@<digest>` to its description and interpreter.
        data_dir: Where data sets stand, if that was said.
    """

    models: dict[str, Path] = field(default_factory=dict)
    datasets: dict[str, Path] = field(default_factory=dict)
    environments: dict[str, tuple[Stack, Path]] = field(default_factory=dict)
    data_dir: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A case that can be launched, and the GPUs that it gets."""

    case: Case
    stack: Stack
    python: Path
    data: Path | None
    model_file: Path | None
    dataset_file: Path | None
    cards: tuple[Gpu, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotReady:
    """A case that cannot be launched, and why; the stack if it is known."""

    case: Case
    stack: Stack | None
    failure: Failure


def named(case: Case, own: Own) -> Case:
    """The case by the names that results know it by; the user's own files are added to `own`.

    Args:
        case: Whose model or data set may be the path of a file or folder.
        own: What is the user's own so far; a name that it knows stays.

    Raises:
        UsageError: It names something that does not exist.
    """
    stack_of(own, case.stack)
    catalog.module("methods", case.method)
    catalog.module("loaders", case.loader)
    model, dataset = case.model, case.dataset
    if model.endswith(".py"):
        model = _added(own.models, _existing(model))
    elif model not in own.models:
        catalog.module("models", model)
    folder = Path(dataset).expanduser()
    if dataset.endswith(".py"):
        dataset = _added(own.datasets, _existing(dataset))
    elif dataset not in catalog.names("datasets") and folder.is_dir():
        dataset = _added(own.datasets, folder)
    elif dataset not in own.datasets:
        catalog.module("datasets", dataset)
    return replace(case, model=model, dataset=dataset)


def with_fewer_devices(case: Case) -> Case:
    """The case on as many devices as are here, where it asks for more; as it is if none is."""
    here = devices_here(case.device)
    return replace(case, devices=min(case.devices, here)) if here else case


def devices_here(device: str) -> int:
    """How many of a kind a launch could be given; on a CPU, one that is virtual for each CPU."""
    if device == "gpu":
        return len(gpu.visible(gpu.gpus()))
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def add_environment(own: Own, python: Path) -> str:
    """The name that cases use for `--python PATH`.

    Raises:
        StackError: It is no Python with a Keras that cnnbench can run.
    """
    described = local.describe(python)
    own.environments[described.name] = described, python.absolute()
    return described.name


def plain_environment(own: Own) -> str | None:
    """The name of an environment of the user's as plain PyTorch; None if none has PyTorch."""
    for described, python in list(own.environments.values()):
        if found := local.plain(described):
            own.environments[found.name] = found, python
            return found.name
    return None


def stack_of(own: Own, name: str) -> Stack:
    """The stack of a name.

    Raises:
        UsageError: There is none.
    """
    if name in own.environments:
        return own.environments[name][0]
    if name == "local":
        raise errors.UsageError("stack local needs --python PATH, the interpreter to measure")
    return versions.load(name)


def prepare(case: Case, own: Own, say: Callable[[str], None]) -> Ready | NotReady:
    """Make a case ready, building its stack if need be.

    Args:
        case: What is to be measured; its names exist.
        own: The user's own files and environments.
        say: Called with each line of progress.
    """
    stack = stack_of(own, case.stack)
    if reason := _impossible(case, stack, own):
        return _not_ready(case, stack, reason)
    try:
        found = None if case.dataset in own.datasets else data.locate(case.dataset, own.data_dir)
    except errors.DataError as error:
        return _not_ready(case, stack, str(error), stage="data")
    try:
        chosen = cards.cards_for(case, stack)
        if case.stack in own.environments:
            python = own.environments[case.stack][1]
        elif reason := cache.unsupported(stack):
            return _not_ready(case, stack, reason)
        else:
            python = cache.build(stack, say)
    except errors.StackError as error:
        return _not_ready(case, stack, str(error))
    return Ready(
        case=case,
        stack=stack,
        python=python,
        data=found,
        model_file=own.models.get(case.model),
        dataset_file=own.datasets.get(case.dataset),
        cards=chosen,
    )


def _impossible(case: Case, stack: Stack, own: Own) -> str | None:
    """Why the parts of a case do not go together, or None."""
    if case.device not in stack.devices:
        return f"stack {stack.name} computes on {' and '.join(stack.devices)}, not {case.device}"
    if reason := recipes.refusal(case, stack.backend):
        return reason
    if case.loader != KERAS and catalog.module("methods", case.method).IN_MEMORY:
        return f"{case.method} has its images in memory; --loader is of fit_generator"
    if case.device == "cpu" and case.precision == "tf32":
        return "TF32 is of NVIDIA GPUs; take --device gpu or --precision float32"
    if case.device == "cpu" and case.devices > (here := case.threads or devices_here("cpu")):
        return f"{case.devices} CPU devices on {here} CPUs; take --devices {here} or fewer"
    return _too_small(case, own) or _endless(case, own)


def _too_small(case: Case, own: Own) -> str | None:
    """Why the model cannot take the images, or None."""
    if case.model in own.models or case.dataset in own.datasets:
        return None
    smallest = catalog.module("models", case.model).SMALLEST
    height, width, _ = catalog.module("datasets", case.dataset).SHAPE
    if height < smallest[0] or width < smallest[1]:
        return f"{case.model} needs images of {smallest[0]}x{smallest[1]}, not {height}x{width}"
    return None


def _endless(case: Case, own: Own) -> str | None:
    """Why a goal could not be seen to be reached, or None."""
    if case.until is None:
        return None
    if case.devices > 1:
        return "accuracy is only measured on single devices; take --devices 1"
    if case.dataset in own.datasets:
        return None  # its file is asked where it is read
    if not hasattr(catalog.module("datasets", case.dataset), "open_held_out"):
        return f"{case.dataset} has no images that are held out; take cifar10 or synthetic-32"
    return None


def _not_ready(case: Case, stack: Stack, reason: str, stage: str = "stack") -> NotReady:
    failure = Failure(stage=stage, kind="unsupported", message=reason)
    return NotReady(case=case, stack=stack, failure=failure)


def _existing(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_file():
        raise errors.UsageError(f"there is no file {text}")
    return path


def _added(known: dict[str, Path], path: Path) -> str:
    name = f"{path.name}@{_content(path)[:8]}"
    known[name] = path.absolute()
    return name


def _content(path: Path) -> str:
    """Digest of a file's bytes, or of the names and sizes of a folder's files."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    files = sorted(found for found in path.rglob("*") if found.is_file())
    return digest([[found.relative_to(path).as_posix(), found.stat().st_size] for found in files])
