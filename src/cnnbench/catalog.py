"""Names and what they stand for: lists the plug-in folders, which are the registry."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnnbench import errors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

GUEST_KINDS = (
    "backends",
    "models",
    "native",
    "datasets",
    "methods",
    "loaders",
    "recipes",
    "experiments",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A name and its one line."""

    name: str
    about: str


def entries(kind: str) -> list[Entry]:
    """The plug-ins of a kind: `backends`, `models`, `datasets`, `methods`, `recipes`..."""
    return [Entry(name, _about(module)) for name, module in _modules(kind).items()]


def names(kind: str) -> list[str]:
    """The names of a kind."""
    return list(_modules(kind))


def module(kind: str, name: str) -> ModuleType:
    """The file behind a name.

    Raises:
        UsageError: There is none; the message has the nearest names.
    """
    known = _modules(kind)
    if name not in known:
        word = "data set" if kind == "datasets" else kind.removesuffix("s")
        raise errors.unknown(word, name, known)
    return known[name]


def metrics() -> Mapping[str, ModuleType]:
    """Every metric by name."""
    return _modules("metrics")


@functools.cache
def _modules(kind: str) -> dict[str, ModuleType]:
    package = f"cnnbench.probe.{kind}" if kind in GUEST_KINDS else f"cnnbench.{kind}"
    folder = importlib.import_module(package).__path__
    stems = [found.name for found in pkgutil.iter_modules(folder) if found.name[0] != "_"]
    return {_name(kind, stem): importlib.import_module(f"{package}.{stem}") for stem in stems}


def _name(kind: str, stem: str) -> str:
    """Data sets are spelled with hyphens; everything else as its file."""
    return stem.replace("_", "-") if kind == "datasets" else stem


def _about(source: ModuleType) -> str:
    return (inspect.getdoc(source) or "").partition("\n")[0].strip()
