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

devices = [1]
# global_batch = [128]        # in place of batch_size: what all devices share
# until = [0.6]               # train until 60 % of the held-out images are classified rightly
recipe = ["none"]             # or names, as "jit+keep_memory"; see: cnnbench list recipes
loader = ["keras"]            # of methods that read while training; see: cnnbench list loaders

[[include]]                   # more cases: as the axes' first values, but for what is said
model = "resnet50"

[[exclude]]                   # cases that match all that is said are left out
stack = "keras3-jax"

[limits]
precision = 0.05

In place of the product, `published = ["cifar10"]` takes the rows of a section of the published
tables, each on its own stack and on every other (`stack = ["own", "all"]`). There, values of model,
dataset, method and data_format select rows, those of other axes replace what was published; on
another device than the published one a row runs with the batch of one.
"""

from __future__ import annotations

import itertools
import tomllib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
)

from cnnbench import errors, plan, published, recipes
from cnnbench.case import KERAS, Budget, Case, Suite

FOLDER = Path(__file__).parent / "suites"

# The axes that say which published row it is.
SELECTING = ("model", "dataset", "method", "data_format")

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


def _rising(value: tuple[int, int]) -> tuple[int, int]:
    if value[0] > value[1]:
        raise ValueError("the fewest are more than the most")
    return value


Values = Annotated[list[T], Field(min_length=1)]
Range = Annotated[tuple[PositiveInt, PositiveInt], AfterValidator(_rising)]


class Axes(BaseModel):
    """The values of each axis."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stack: Values[str] = ["all"]
    model: Values[str] = ["simple_cnn"]
    dataset: Values[str] = ["synthetic-32"]
    method: Values[str] = ["train_on_batch"]
    data_format: Values[Literal["channels_last", "channels_first"]] = ["channels_last"]
    batch_size: Values[PositiveInt] = [32]
    precision: Values[Literal["float32", "tf32", "bfloat16", "float16"]] = ["float32"]
    device: Values[Literal["cpu", "gpu"]] = ["cpu"]
    augment: Values[bool] = [False]
    threads: Values[NonNegativeInt] = [0]
    devices: Values[PositiveInt] = [1]
    global_batch: Values[PositiveInt] | None = None
    until: Values[Annotated[float, Field(gt=0, lt=1)]] | None = None
    recipe: Values[str] = [recipes.NONE]
    loader: Values[str] = [KERAS]


class Limits(BaseModel):
    """The values of a budget that a suite may change; `case.Budget` says what they are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    precision: PositiveFloat | None = None
    confidence: Annotated[float, Field(gt=0, lt=1)] | None = None
    launches: Range | None = None
    warmup_seconds: NonNegativeFloat | None = None
    warmup_windows: NonNegativeInt | None = None
    windows: Range | None = None
    window_seconds: PositiveFloat | None = None
    case_seconds: PositiveFloat | None = None
    silence_seconds: PositiveFloat | None = None
    disturbance: Annotated[float, Field(ge=0, le=1)] | None = None
    passes: PositiveFloat | None = None


class Definition(BaseModel):
    """What a suite's file may hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    about: str
    budget: Literal["quick", "standard", "strict"] = "standard"
    axes: Axes = Axes()
    published: list[Literal["cifar10", "imagenet", "synthetic"]] = []
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
    """The cases of a suite, each once, in the order of its axes, or of the published rows.

    Args:
        name: Of the suite.
        definition: What its file says, or flags.
        stacks: The stacks that `all` stands for, by device.

    Raises:
        UsageError: A rule names no axis, a global batch does not divide, or nothing is left.
    """
    if definition.published:
        cases = dict.fromkeys(_rows(definition, stacks))
    else:
        cases = dict.fromkeys(_product(definition.axes.model_dump(), stacks))
    for extra in definition.include:
        single = {axis: values and values[:1] for axis, values in definition.axes}
        more = {axis: v if isinstance(v, list) else [v] for axis, v in extra.items()}
        if "batch_size" in more:
            single["global_batch"] = None
        axes = _checked(f"{name}: include", Axes, single | more)
        cases |= dict.fromkeys(_product(axes.model_dump(), stacks))
    for rule in definition.exclude:
        for axis in rule.keys() - Axes.model_fields:
            raise errors.unknown(f"axis in exclude of suite {name}", axis, Axes.model_fields)
    kept = tuple(case for case in cases if not _excluded(case, definition.exclude))
    if not kept and definition.published:
        raise errors.UsageError("no published row is like that; see which are: cnnbench reference")
    if not kept:
        raise errors.UsageError(f"suite {name} has no case: its exclude leaves nothing")
    return Suite(
        name=name,
        about=definition.about,
        cases=kept,
        budget=_budget(name, definition),
        published=tuple(definition.published),
    )


def first_fault(error: ValidationError) -> str:
    """The first fault of a file, in one line: where and what."""
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"])
    return f"{where}: {fault['msg'][:1].lower()}{fault['msg'][1:]} (found {fault['input']!r:.60})"


def _product(axes: dict[str, Any], stacks: dict[str, list[str]]) -> list[Case]:
    """Every combination; `global_batch`, where it is said, decides the batch of a device."""
    given = {axis: values for axis, values in axes.items() if values is not None}
    if "global_batch" in given:
        del given["batch_size"]
    points = (
        dict(zip(given, values, strict=True)) for values in itertools.product(*given.values())
    )
    return [case for point in points for case in _on_stacks(_divided(point), stacks)]


def _divided(point: dict[str, Any]) -> dict[str, Any]:
    """The point with the batch of one device in place of the global batch."""
    if "global_batch" not in point:
        return point
    whole, devices = point["global_batch"], point["devices"]
    if whole % devices:
        raise errors.UsageError(
            f"a global batch of {whole} does not divide among {devices} devices; take"
            f" {max(whole // devices, 1) * devices} or {(whole // devices + 1) * devices}"
        )
    kept = {axis: value for axis, value in point.items() if axis != "global_batch"}
    return kept | {"batch_size": whole // devices}


def _on_stacks(point: dict[str, Any], stacks: dict[str, list[str]]) -> list[Case]:
    several = stacks[point["device"]] if point["stack"] == "all" else [point["stack"]]
    given = {axis: value for axis, value in point.items() if axis != "recipe"}
    given["recipes"] = recipes.read(point["recipe"])
    return [Case(**(given | {"stack": stack})) for stack in several]


def _rows(definition: Definition, stacks: dict[str, list[str]]) -> list[Case]:
    """The published rows, each on its own stack first.

    Axes that name a row (`SELECTING`) select rows; the others replace what was published.
    """
    said = definition.axes.model_dump(exclude_unset=True, exclude_none=True)
    wanted = {axis: said.pop(axis) for axis in SELECTING if axis in said}
    cases = []
    for row in (row for section in definition.published for row in published.rows(section)):
        own = published.case(row)
        if any(getattr(own, axis) not in values for axis, values in wanted.items()):
            continue
        for device in said.get("device", [own.device]):
            point = published.on_device(row, device)
            own_axes = {axis: [value] for axis, value in asdict(point).items() if axis != "recipes"}
            axes = {"recipe": [recipes.NONE]} | own_axes | said
            names = said.get("stack", ["own", "all"])
            axes["stack"] = [point.stack if name == "own" else name for name in names]
            cases += _product(axes | {"device": [device]}, stacks)
    return cases


def _excluded(case: Case, exclude: list[dict[str, Any]]) -> bool:
    known = asdict(case) | {"recipe": recipes.written(case)}
    return any(all(known.get(k) == v for k, v in rule.items()) for rule in exclude)


def _budget(name: str, definition: Definition) -> Budget:
    budget = plan.BUDGETS[definition.budget]
    for limit in definition.limits.keys() - Limits.model_fields:
        raise errors.unknown(f"limit in suite {name}", limit, Limits.model_fields)
    limits = _checked(f"{name}: limits", Limits, definition.limits)
    return replace(budget, **limits.model_dump(exclude_none=True))


def _checked(where: str, kind: type[M], values: dict[str, Any]) -> M:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise errors.UsageError(f"suite {where}: {first_fault(error)}") from None
