"""Every stack trains for real: one tiny launch of each method and data format."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from cnnbench import catalog
from cnnbench.cli import app
from cnnbench.envs import cache, stack
from cnnbench.store.database import Store
from tests.stacks.here import KINDS, available

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.stacks

STACKS = [name for name in stack.names() if stack.load(name).devices == ("cpu",) and name != "null"]
PLAIN_PYTORCH = "native-torch"
KERAS3 = [name for name in STACKS if name.startswith("keras3")]
KERAS2 = [name for name in STACKS if name.startswith("keras2")]
# Methods that are `fit`, looked at: one data format tells whether they work.
OBSERVERS = ("fit_batch_callback", "fit_progress_bar", "fit_steps_per_execution")


@pytest.fixture
def measure(tmp_path: Path, tiny: Path) -> Any:
    """Runs the command line with a tiny budget; gives its results."""

    def run(*flags: str) -> list[dict[str, Any]]:
        place = ["--store", str(tmp_path / "store.sqlite"), "--json", str(tmp_path / "out.json")]
        done = CliRunner().invoke(app, ["run", str(tiny), "--no-verify", *flags, *place])
        assert done.exit_code in (0, 1), done.output
        return list(json.loads((tmp_path / "out.json").read_text())["results"])

    return run


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_trains_by_every_method_and_in_both_data_formats(
    name: str, measure: Any, tmp_path: Path
) -> None:
    available(name)

    methods = [method for method in catalog.names("methods") if method not in OBSERVERS]
    last = measure("--stack", name, *(f for method in methods for f in ("--method", method)))
    first = measure("--stack", name, "--data-format", "channels_first")

    formats = ("channels_last", "channels_first")
    assert {r["case"]["method"] for r in last} == set(methods)
    assert [{r["case"]["data_format"] for r in group} for group in (last, first)] == [
        {one} for one in formats
    ]
    for result in last + first:
        assert result["reason"] == "1 launch gives no interval"
        assert result["images_per_second"]["point"] > 0
        assert result["facts"]["parameters"] == 1250858
        assert result["facts"]["backend"] == stack.load(name).backend
        assert result["facts"]["data_format"] == result["case"]["data_format"]
        assert result["facts"]["convolutions_in"] in formats
        assert result["metrics"]["peak_memory"]["point"] > 2**26
    with Store.open(tmp_path / "store.sqlite", read_only=True) as store:
        for launch in store.launches():
            assert set(launch.stages) == {"import", "data", "build", "compile", "first step"}
            assert all(w.images == 32 * w.steps for w in launch.windows)
            assert all(w.loss is not None and math.isfinite(w.loss) for w in launch.windows)


@pytest.mark.parametrize("name", [*KINDS, "keras3-tensorflow", PLAIN_PYTORCH])
def test_a_stack_trains_by_fit_with_every_observer_or_says_why_not(
    name: str, measure: Any, tmp_path: Path
) -> None:
    available(name)

    results = measure("--stack", name, *(f for one in OBSERVERS for f in ("--method", one)))

    found = {result["case"]["method"]: result for result in results}
    assert set(found) == set(OBSERVERS)
    if name not in KERAS3 or name == "keras3-torch":
        refused = found.pop("fit_steps_per_execution")
        assert refused["verdict"] == "unsupported"
        assert "has no steps_per_execution" in refused["reason"]
    if name == PLAIN_PYTORCH:
        refused = found.pop("fit_progress_bar")
        assert refused["verdict"] == "unsupported"
        assert "has no progress bar" in refused["reason"]
    for result in found.values():
        assert result["images_per_second"]["point"] > 0, result["reason"]
    with Store.open(tmp_path / "store.sqlite", read_only=True) as store:
        for launch in store.launches():
            eight = 8 if launch.case.method == "fit_steps_per_execution" else 1
            assert all(w.steps % eight == 0 for w in launch.windows)
            assert all(w.images == 32 * w.steps for w in launch.windows)
            assert all(w.loss is not None and math.isfinite(w.loss) for w in launch.windows)


@pytest.mark.parametrize("name", STACKS)
def test_every_model_has_its_published_parameters_on_a_stack(name: str, measure: Any) -> None:
    available(name)

    small = measure("--stack", name, "--model", "resnet20_cifar", "--batch-size", "2")
    large = ("--model", "resnet50", "--model", "resnet56_cifar") if name in KINDS else ()
    published = (
        measure("--stack", name, "--dataset", "synthetic-256", "--batch-size", "1", *large)
        if large
        else []
    )

    found = [r["facts"].get("parameters") for r in small + published]
    assert found == [274442, *([25636712, 4958120] if large else [])], [
        r["reason"] for r in small + published
    ]


@pytest.mark.parametrize("name", [*KERAS3, PLAIN_PYTORCH])
def test_stacks_of_today_compute_in_bfloat16_when_asked(name: str, measure: Any) -> None:
    available(name)

    (result,) = measure("--stack", name, "--precision", "bfloat16")

    assert result["facts"]["computes_in"] == "bfloat16"
    assert result["images_per_second"]["point"] > 0


def test_plain_pytorch_says_why_it_takes_no_model_file_and_no_second_device(
    measure: Any, tmp_path: Path
) -> None:
    available(PLAIN_PYTORCH)
    own = tmp_path / "own.py"
    own.write_text("def build(keras, shape, classes):\n    pass\n")

    (file,) = measure("--stack", PLAIN_PYTORCH, "--model", str(own))
    (devices,) = measure("--stack", PLAIN_PYTORCH, "--devices", "2")

    assert file["verdict"] == devices["verdict"] == "unsupported"
    assert "this stack has no Keras" in file["reason"]
    assert "take --devices 1" in devices["reason"]


@pytest.mark.parametrize("name", KERAS2)
def test_keras_2_is_unsupported_in_bfloat16_and_says_why(name: str, measure: Any) -> None:
    available(name)

    (result,) = measure("--stack", name, "--precision", "bfloat16")

    assert result["verdict"] == "unsupported"
    assert "no mixed precision" in result["reason"]


def test_partial_batches_are_counted_exactly_on_real_stacks(measure: Any, tmp_path: Path) -> None:
    own = tmp_path / "seventy.py"
    own.write_text(
        "import numpy as np\nSHAPE = (32, 32, 3)\nCLASSES = 10\n"
        "def arrays(count, seed):\n"
        "    return np.zeros((70, 32, 32, 3), 'uint8'), np.arange(70) % 10\n"
    )
    names = [name for name in STACKS if not cache.unsupported(stack.load(name))]

    results = measure(
        *(flag for name in names for flag in ("--stack", name)),
        *("--method", "fit", "--method", "fit_generator", "--dataset", str(own)),
    )

    assert len(results) == 2 * len(names)
    with Store.open(tmp_path / "store.sqlite", read_only=True) as store:
        for launch in store.launches():
            assert launch.failure is None
            position = 0
            for window in launch.windows:
                if launch.case.method == "fit":
                    # One step is a batch; longer windows are passes of 32 + 32 + 6.
                    whole, rest = divmod(window.steps, 3)
                    assert window.images == whole * 70 + (32 * rest if whole == 0 else 0)
                else:
                    steps = range(position, position + window.steps)
                    assert window.images == sum((32, 32, 6)[step % 3] for step in steps)
                position += window.steps


def test_an_environment_that_the_user_has_is_measured_as_local(measure: Any) -> None:
    name = "keras3-jax"
    available(name)
    python = cache.build(stack.load(name), lambda _: None)

    (result,) = measure("--python", str(python))

    assert result["case"]["stack"].startswith("local@")
    assert result["facts"]["backend"] == "jax"
    assert result["images_per_second"]["point"] > 0


@pytest.mark.images
def test_real_photographs_are_trained_on(measure: Any, real_images: Path) -> None:
    names = ("keras3-torch", "keras2.1.5-tensorflow1.7.0")
    ready = [name for name in names if not cache.unsupported(stack.load(name))]
    stacks = [flag for name in ready for flag in ("--stack", name)]
    there = ("--data-dir", str(real_images))

    cifar = measure(*stacks, *there, "--dataset", "cifar10", "--method", "fit")
    imagenet = measure(
        *(*stacks, *there, "--dataset", "imagenet", "--model", "resnet20_cifar"),
        *("--batch-size", "2", "--method", "fit_generator", "--method", "train_on_batch"),
    )

    assert len(cifar) == len(ready)
    assert len(imagenet) == 2 * len(ready)
    for result in cifar + imagenet:
        assert result["images_per_second"], result["reason"]
    assert {r["facts"]["images_in_a_pass"] for r in cifar} == {50000}
