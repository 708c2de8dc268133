"""What every plug-in must define, met by every file in the plug-in folders."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import cnnbench
from cnnbench import catalog
from cnnbench.case import PRECISIONS
from cnnbench.errors import UsageError

if TYPE_CHECKING:
    from types import ModuleType

KINDS = ("backends", "models", "datasets", "methods", "loaders", "recipes", "metrics")
PACKAGE = Path(cnnbench.__file__).parent

BACKEND = {
    "boot": ["case", "threads", "seed"],
    "facts": ["keras"],
    "compiled": ["keras", "model"],
    "fence": ["keras", "model"],
    "convolutions": ["keras", "model"],
}


def plugins(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", catalog.names(kind))


def parameters(module: ModuleType, function: str) -> list[str]:
    return list(inspect.signature(getattr(module, function)).parameters)


def is_size(value: Any, length: int) -> bool:
    return len(value) == length and all(type(side) is int and side > 0 for side in value)


@pytest.mark.parametrize("kind", KINDS)
def test_the_folder_is_the_registry(kind: str) -> None:
    folder = PACKAGE / ("probe" if kind in catalog.GUEST_KINDS else ".") / kind
    on_disk = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")}
    assert {name.replace("-", "_") for name in catalog.names(kind)} == on_disk
    assert on_disk


@pytest.mark.parametrize("kind", KINDS)
def test_every_plug_in_says_in_one_line_what_it_is(kind: str) -> None:
    for entry in catalog.entries(kind):
        assert len(entry.about) > len(entry.name) / 2, entry.name
        assert entry.about.endswith("."), entry.name


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_name_has_the_nearest_one(kind: str) -> None:
    name = catalog.names(kind)[0]
    with pytest.raises(UsageError, match=r"unknown .*did you mean") as caught:
        catalog.module(kind, f"{name}x")
    assert name in str(caught.value)


def test_a_name_like_no_other_has_them_all() -> None:
    with pytest.raises(
        UsageError, match=r"known: fit, fit_batch_callback, fit_gen.*, train_on_batch"
    ):
        catalog.module("methods", "qqq")


@plugins("backends")
def test_a_backend_has_the_functions_of_a_backend(name: str) -> None:
    module = catalog.module("backends", name)
    for function, wanted in BACKEND.items():
        assert parameters(module, function) == wanted, function


@plugins("backends")
def test_the_clock_of_a_backend_never_goes_back(name: str) -> None:
    clock = catalog.module("backends", name).clock
    assert clock() <= clock()


@plugins("models")
def test_a_model_has_what_a_model_must(name: str) -> None:
    module = catalog.module("models", name)
    assert parameters(module, "build") == ["keras", "shape", "classes"]
    assert is_size(module.SMALLEST, 2)
    for (shape, classes), count in module.PARAMETERS.items():
        assert is_size(shape, 3)
        assert is_size((classes, count), 2)
    if hasattr(module, "compile"):
        assert parameters(module, "compile") == ["keras", "model"]


@plugins("datasets")
def test_a_data_set_has_what_a_data_set_must(name: str) -> None:
    module = catalog.module("datasets", name)
    assert parameters(module, "open_source") == ["directory", "seed"]
    if hasattr(module, "open_held_out"):
        assert parameters(module, "open_held_out") == ["directory", "seed"]
    assert is_size(module.SHAPE, 3)
    assert is_size((module.CLASSES,), 1)
    assert hasattr(module, "URL") == hasattr(module, "SHA256")
    if module.FOLDER is not None:
        assert module.HOLDS
        assert module.LAYOUT


@plugins("methods")
def test_a_method_has_what_a_method_must(name: str) -> None:
    module = catalog.module("methods", name)
    assert parameters(module, "train") == ["task", "windows"]
    assert type(module.IN_MEMORY) is bool


@plugins("recipes")
def test_a_recipe_has_what_a_recipe_must(name: str) -> None:
    module = catalog.module("recipes", name)
    assert module.CHANGES in {"exact", "rounding", "training"}
    assert len(module.SOURCE) > 10
    assert parameters(module, "refusal") == ["case"]
    hooks = {"environment": ["case"], "build": ["keras"], "compiled": ["keras", "model"]}
    found = {hook for hook in hooks if hasattr(module, hook)}
    assert found
    for hook in found:
        assert parameters(module, hook) == hooks[hook]
    if hasattr(module, "ROUNDS_LIKE"):
        assert module.ROUNDS_LIKE in PRECISIONS
        assert module.CHANGES == "training"


@plugins("metrics")
def test_a_metric_has_what_a_metric_must(name: str) -> None:
    module = catalog.module("metrics", name)
    assert parameters(module, "of") == ["launch"]
    assert module.UNIT in {"s", "bytes", "images", "images/s", "J", "J/image"}
    assert module.BETTER in {"higher", "lower"}
