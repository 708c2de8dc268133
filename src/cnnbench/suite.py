"""A suite: a TOML file of axes and a budget, expanded into cases.

about = "one line"
budget = "quick"              # or standard, strict; [limits] below changes single values

[axes]                        # every combination is a case
stack = ["all"]               # every stack for the device, or names
model = ["simple_cnn"]
dataset = ["synthetic-32"]
method = ["train_on_batch"]
data_format = ["channels_last"]
batch_size = [32]

[[include]]                   # more cases: as the axes' first values, but for what is said
model = "resnet50"

[[exclude]]                   # cases that match all that is said are left out
stack = "keras3-jax"

[limits]
precision = 0.05
"""

from __future__ import annotations

import itertools
import tomllib
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError

from cnnbench import errors, plan
from cnnbench.case import Budget, Case, Suite

FOLDER = Path(__file__).parent / "suites"


class Axes(BaseModel):
    """The values of each axis."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stack: list[str] = ["all"]
    model: list[str] = ["simple_cnn"]
    dataset: list[str] = ["synthetic-32"]
    method: list[str] = ["train_on_batch"]
    data_format: list[Literal["channels_last", "channels_first"]] = ["channels_last"]
    batch_size: list[PositiveInt] = [32]
    precision: list[Literal["float32", "bfloat16", "float16"]] = ["float32"]
    device: list[Literal["cpu", "gpu"]] = ["cpu"]
    augment: list[bool] = [False]
    threads: list[int] = [0]


class Definition(BaseModel):
    """What a suite's file may hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    about: str
    budget: Literal["quick", "standard", "strict"] = "standard"
    axes: Axes = Axes()
    include: list[dict[str, Any]] = []
    exclude: list[dict[str, Any]] = []
    limits: dict[str, Any] = {}


def names() -> list[str]:
    """The suites that ship with cnnbench."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read(name_or_path: str) -> tuple[str, Definition]:
    """A suite by name or by the path of its file.

    Returns:
        Its name and what it says.

    Raises:
        UsageError: There is no such suite, or its file is wrong; names the file and the field.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        if name_or_path not in names():
            raise errors.unknown("suite", name_or_path, names())
        path = FOLDER / f"{name_or_path}.toml"
    try:
        return path.stem, Definition.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise errors.UsageError(f"cannot read suite {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise errors.UsageError(f"suite {path.name} is not TOML: {error}") from None
    except ValidationError as error:
        raise errors.UsageError(f"suite {path.name}: {first_fault(error)}") from None


def expand(name: str, definition: Definition, stacks: dict[str, list[str]]) -> Suite:
    """The cases of a suite, each once, in the order of its axes.

    Args:
        name: Of the suite.
        definition: What its file says, or flags.
        stacks: The stacks that `all` stands for, by device.
    """
    base = definition.axes.model_dump()
    cases: dict[Case, None] = dict.fromkeys(_product(base, stacks))
    for extra in definition.include:
        single = {axis: values[:1] for axis, values in base.items()}
        more = {axis: v if isinstance(v, list) else [v] for axis, v in extra.items()}
        axes = _checked(name, Axes, single | more)
        cases |= dict.fromkeys(_product(axes.model_dump(), stacks))
    kept = tuple(case for case in cases if not _excluded(case, definition.exclude))
    if not kept:
        raise errors.UsageError(f"suite {name} has no case: its exclude leaves nothing")
    return Suite(name=name, about=definition.about, cases=kept, budget=_budget(name, definition))


def first_fault(error: ValidationError) -> str:
    """The first fault of a file, in one line: where and what."""
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"])
    return f"{where}: {fault['msg'][:1].lower()}{fault['msg'][1:]} (found {fault['input']!r:.60})"


def _product(axes: dict[str, list[Any]], stacks: dict[str, list[str]]) -> list[Case]:
    found = []
    for values in itertools.product(*axes.values()):
        point = dict(zip(axes, values, strict=True))
        several = stacks[point["device"]] if point["stack"] == "all" else [point["stack"]]
        found += [Case(**(point | {"stack": stack})) for stack in several]
    return found


def _excluded(case: Case, exclude: list[dict[str, Any]]) -> bool:
    known = asdict(case)
    return any(all(known.get(k) == v for k, v in rule.items()) for rule in exclude)


def _budget(name: str, definition: Definition) -> Budget:
    budget = plan.BUDGETS[definition.budget]
    known = {field.name for field in fields(Budget)}
    for limit in definition.limits:
        if limit not in known:
            raise errors.unknown(f"limit in suite {name}", limit, known)
    pairs: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in definition.limits.items()
    }
    return replace(budget, **pairs)


def _checked(name: str, kind: type[Axes], values: dict[str, Any]) -> Axes:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise errors.UsageError(f"suite {name}: include: {first_fault(error)}") from None
