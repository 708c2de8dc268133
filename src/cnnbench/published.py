"""The 40 published rows of "Detailed CNN Benchmark Results", their flags, and their cases.

`reference/<section>.toml` has a section word for word, and what cnnbench calls the same;
`reference/flags.toml` what is known to be wrong, and with which rows. Here it is only read.
"""

from __future__ import annotations

import functools
import math
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnbench import errors
from cnnbench.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TITLE = "Detailed CNN Benchmark Results"
SECTIONS = ("cifar10", "imagenet", "synthetic")
FOLDER = Path(__file__).parent / "reference"
STACKS = Path(__file__).parent / "stacks"
FORMATS = {"channel last": "channels_last", "channel first": "channels_first"}


@dataclass(frozen=True, slots=True)
class Link:
    """A text, and where it leads: a published address, or None."""

    text: str
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """What a reader must know of a row, by a short name."""

    id: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section and its configuration.

    Attributes:
        name: `cifar10`, `imagenet` or `synthetic`.
        title: As published.
        data_set: As published.
        model: As published; None where the rows name it.
        keras: Version as published.
        tensorflow: Version as published.
        mxnet: Version as published.
        methods: As published.
        scripts: As published.
        columns: The field of `Row` under each published column heading, in order.
        dataset: Name of cnnbench's data set.
        models: Name of cnnbench's model by the published one.
        stacks: Name of the stack that comes nearest, by package.
    """

    name: str
    title: str
    data_set: Link
    model: str | None
    keras: str
    tensorflow: str
    mxnet: str
    methods: tuple[Link, ...]
    scripts: tuple[Link, ...]
    columns: Mapping[str, str]
    dataset: str
    models: Mapping[str, str]
    stacks: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A published row.

    Attributes:
        id: The section and the row's place in it: `cifar10-01`.
        section: Name of the section.
        instance_type: A label; what it promises is not looked up.
        gpus: GPUs used, as published.
        model: As published: `ReNet50V1` too.
        backend: `TensorFlow` or `MXNet`.
        package: The distribution that holds the backend.
        method: `fit`, `train_on_batch` or `fit_generator`; the section's where it has only one.
        batch_size: Images in a step of all devices together.
        data_format: `channel last` or `channel first`.
        images_per_second: As published: an integer.
        keras: Version as published.
        backend_version: Version as published.
        stack: Name of the stack that comes nearest.
        flags: What is known to be wrong with it.
    """

    id: str
    section: str
    instance_type: str
    gpus: int
    model: str
    backend: str
    package: str
    method: str
    batch_size: int
    data_format: str
    images_per_second: int
    keras: str
    backend_version: str
    stack: str
    flags: tuple[Flag, ...] = ()


def sections() -> tuple[Section, ...]:
    """The sections in the document's order."""
    return tuple(place for place, _ in _document().values())


def section(name: str) -> Section:
    """A section by its name.

    Raises:
        UsageError: There is none; the message has the nearest names.
    """
    if name not in SECTIONS:
        raise errors.unknown("section", name, SECTIONS)
    return _document()[name][0]


def rows(name: str | None = None) -> tuple[Row, ...]:
    """The rows in the document's order, of all sections or of one.

    Raises:
        UsageError: There is no such section.
    """
    wanted = SECTIONS if name is None else (section(name).name,)
    return tuple(row for each in wanted for row in _document()[each][1])


def flags() -> tuple[Flag, ...]:
    """The flags of all rows, each once: as their file has them, then those about versions."""
    order = list(_toml(FOLDER / "flags.toml"))
    found = dict.fromkeys(flag for row in rows() for flag in row.flags)
    return tuple(sorted(found, key=lambda flag: [*order, flag.id].index(flag.id)))


def case(row: Row, stack: str | None = None) -> Case:
    """The case that a row is, on its own stack or another.

    Published batches are those of all devices together; a case's is that of one.
    """
    place = section(row.section)
    devices = max(row.gpus, 1)
    return Case(
        stack=stack or row.stack,
        model=place.models[row.model],
        dataset=place.dataset,
        method=row.method,
        data_format=FORMATS[row.data_format],
        batch_size=row.batch_size // devices,
        device="gpu" if row.gpus else "cpu",
        devices=devices,
    )


def on_device(row: Row, device: str) -> Case:
    """The case of a row on a kind of device; on another than the published one, with one of it.

    A device keeps its share of the published batch, and the row the stack of its own versions.
    """
    own = case(row)
    if device == own.device:
        return own
    return replace(own, stack=_counterpart(row, device), device=device, devices=1)


def nearest(measured: Case, backend: str | None = None) -> tuple[Row, tuple[str, ...]] | None:
    """The published row that is nearest to a case, and in what they differ.

    Only rows of the case's model and data set are near. Of them the one that agrees in the first
    of these in which not all agree: method, backend, device, data format, number of devices; then
    that with the nearest number of devices, and the nearest batch size, as ratios; then the first
    in the document. Precision, augmentation and threads are equal in all.

    Args:
        measured: Any case.
        backend: What the case's stack runs; without it, what the stack's file says.

    Returns:
        The row and the differences in short words, like `batch 8, not 32`; None if no row has
        the model on the data set.
    """
    runs = backend or backend_of(measured.stack)
    near = [row for row in rows() if _subject(case(row)) == _subject(measured)]
    if not near:
        return None
    found = min(near, key=lambda row: _distance(measured, runs, row))
    return found, tuple(_differences(measured, runs, found))


def backend_of(stack: str) -> str:
    """The backend that a stack's file names; empty for an environment of the user's."""
    return str(_stack(stack).get("backend", ""))


def _counterpart(row: Row, device: str) -> str:
    """The stack of a row's section and backend that computes on a device."""
    return next(
        name
        for name in section(row.section).stacks.values()
        if backend_of(name) == row.backend.lower() and device in _stack(name)["devices"]
    )


def _subject(measured: Case) -> tuple[str, str]:
    return measured.model, measured.dataset


def _distance(measured: Case, backend: str, row: Row) -> tuple[float, ...]:
    own = case(row)
    return (
        measured.method != own.method,
        backend != row.backend.lower(),
        measured.device != own.device,
        measured.data_format != own.data_format,
        abs(math.log(measured.devices / own.devices)),
        abs(math.log(measured.batch_size / own.batch_size)),
    )


def _differences(measured: Case, backend: str, row: Row) -> Iterator[str]:
    own, published = case(row), row.backend.lower()
    each = " a device" if max(measured.devices, own.devices) > 1 else ""
    runs = (measured.stack, own.stack) if backend == published else (backend, published)
    pairs = [
        ("", measured.method, own.method),
        ("", *(name or "unknown backend" for name in runs)),
        ("", measured.device, own.device),
        ("", measured.data_format, own.data_format),
        ("devices ", measured.devices, own.devices),
        (f"batch{each} ", measured.batch_size, own.batch_size),
        ("", measured.precision, own.precision),
    ]
    yield from (f"{word}{here}, not {there}" for word, here, there in pairs if here != there)
    if measured.augment:
        yield "augmented"
    if measured.threads:
        yield f"{measured.threads} thread{'s' * (measured.threads > 1)}, not all"


@functools.cache
def _document() -> dict[str, tuple[Section, tuple[Row, ...]]]:
    """The whole document by the sections' names."""
    flags = _toml(FOLDER / "flags.toml")
    return {name: _section(name, _toml(FOLDER / f"{name}.toml"), flags) for name in SECTIONS}


def _section(
    name: str, said: dict[str, Any], flags: dict[str, Any]
) -> tuple[Section, tuple[Row, ...]]:
    place = Section(
        name=name,
        title=said["title"],
        data_set=Link(**said["data_set"]),
        model=said.get("model"),
        keras=said["keras"],
        tensorflow=said["tensorflow"],
        mxnet=said["mxnet"],
        methods=tuple(Link(**method) for method in said["methods"]),
        scripts=tuple(Link(**script) for script in said["scripts"]),
        columns=said["columns"],
        **said["case"],
    )
    cells = enumerate(said["rows"], 1)
    return place, tuple(_row(place, f"{name}-{n:02}", values, flags) for n, values in cells)


def _row(place: Section, name: str, cells: list[Any], flags: dict[str, Any]) -> Row:
    """A row, whose model and method are the section's where it does not name them."""
    fields: dict[str, Any] = {"model": place.model, "method": place.methods[0].text}
    fields |= dict(zip(place.columns.values(), cells, strict=True))
    row = Row(
        id=name,
        section=place.name,
        keras=place.keras,
        backend_version=getattr(place, fields["backend"].lower()),
        stack=place.stacks[fields["package"]],
        **fields,
    )
    known = (Flag(k, flag["about"]) for k, flag in flags.items() if _touches(flag["where"], row))
    return replace(row, flags=(*known, *_versions(row)))


def _touches(where: list[dict[str, Any]], row: Row) -> bool:
    return any(all(_is(getattr(row, k), v) for k, v in rule.items()) for rule in where)


def _is(value: Any, wanted: Any) -> bool:
    return value in wanted if isinstance(wanted, list) else bool(value == wanted)


def _versions(row: Row) -> Iterator[Flag]:
    """A flag for each version of the row's own stack that is not the published one."""
    packages = _stack(row.stack)["packages"]
    keras = "keras" if "keras" in packages else "keras-mxnet"
    for package, published in ((keras, row.keras), (row.package, row.backend_version)):
        if (here := packages[package]) != published:
            about = f"The nearest stack has {package} {here}; published is {published}."
            yield Flag(f"{package}-{here}-for-{published}", about)


def _stack(name: str) -> dict[str, Any]:
    path = STACKS / f"{name}.toml"
    return _toml(path) if path.exists() else {}


@functools.cache
def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))
