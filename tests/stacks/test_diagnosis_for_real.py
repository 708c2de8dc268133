"""Taking a real training step apart: what is slow is found, and steps alone train as Keras does."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import cnnbench
from cnnbench import diagnosing
from cnnbench.envs import cache, stack
from tests.stacks.here import answer, available

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.stacks

TORCH, FIRST = "keras3-torch", "keras2.1.5-tensorflow1.7.0"
STEPPED = ("keras3-tensorflow", "keras3-jax", TORCH, "native-torch")

# Trains two equal models, one as the method does, one by single steps; prints how far apart the
# last kernel's weights are, over how far they have come.
ALIKE = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from probe import plugins, proof
from probe.optimizers import compile_default

name = sys.argv[2]
backend = plugins.load("backends", name)
case = {"data_format": "channels_last", "precision": "float32", "device": "cpu", "devices": 1,
        "model": "simple_cnn"}
keras = backend.boot(case, 1, 1)
getattr(backend, "without_dropout", proof.without_dropout)(keras)
draw = np.random.RandomState(1)
batches = [
    (draw.rand(8, 32, 32, 3).astype("float32"), np.eye(10, dtype="float32")[draw.randint(0, 10, 8)])
    for _ in range(5)
]

def made(weights=None):
    definition = (
        backend.definition("simple_cnn") if hasattr(backend, "definition")
        else plugins.load("models", "simple_cnn")
    )
    model = definition.build(keras, (32, 32, 3), 10)
    getattr(definition, "compile", compile_default)(keras, model)
    if weights is not None:
        model.set_weights(weights)
    return model

one = made()
begun = one.get_weights()
other = made(begun)
for x, y in batches:
    one.train_on_batch(x, y)
other.train_on_batch(*batches[0])
stepper = backend.stepper(keras, other)
for number, (x, y) in enumerate(batches[1:]):
    if number % 2:
        x, y = stepper.resident(x), stepper.resident(y)
    stepper.step(x, y)
    stepper.wait()
stepper.settle()
ways = zip(begun, one.get_weights(), other.get_weights())
print(max(float(np.abs(b - c).max() / np.abs(a - b).max()) for a, b, c in ways))
"""


@pytest.fixture(autouse=True)
def _brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few windows, short ones."""
    brief = replace(
        diagnosing.BUDGET,
        windows=(2, 2),
        warmup_seconds=0.0,
        warmup_windows=1,
        window_seconds=0.2,
        disturbance=1.0,
    )
    monkeypatch.setattr(diagnosing, "BUDGET", brief)


def diagnosed(folder: Path, *command: str) -> Any:
    """The JSON of `cnnbench diagnose`."""
    told, done = answer(folder, "diagnose", "--blocks", "2", *command)
    assert done.exit_code == 0, done.output
    return told


@pytest.mark.parametrize("name", STEPPED)
def test_single_steps_train_as_the_method_does(name: str) -> None:
    available(name)
    python = cache.build(stack.load(name), print)
    sources = Path(cnnbench.__file__).parent
    command: list[str | Path] = [python, "-c", ALIKE, sources, stack.load(name).backend]
    variables = {"KERAS_BACKEND": stack.load(name).backend, "KERAS_HOME": "/nonexistent"}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.splitlines()[-1]) < 0.01


def test_a_slow_loader_is_found_and_the_machine_has_peaks(
    tmp_path: Path, change: Callable[..., None]
) -> None:
    available(TORCH, "native-torch")
    # Half a second for each batch of 32: what is read ahead while a step trains does not hide it.
    change(
        "datasets/_held.py",
        "        chosen = np.asarray(indices, np.int64)\n",
        "{}        import time\n        time.sleep(0.5 * len(chosen) / 32)\n",
    )

    told = diagnosed(tmp_path, "--stack", TORCH, "--method", "fit_generator")

    parts = {part["name"]: part for part in told["parts"]}
    assert list(parts) == ["input", "loop", "transfer", "each step", "compute"]
    assert sum(part["share"]["point"] for part in told["parts"]) == pytest.approx(1.0)
    assert parts["input"]["seconds"]["point"] > 0.1
    (loader,) = (one for one in told["effects"] if one["name"] == "loader")
    assert loader["ratio"]["point"] > 1
    peaks = told["peaks"]["operations"]["float32"]
    assert 0 < told["flop_per_second"] < peaks["convolution"]


def test_what_keras_2_cannot_leave_out_is_told_together(tmp_path: Path) -> None:
    available(FIRST, "native-torch")

    told = diagnosed(tmp_path, "--stack", FIRST)

    names = [part["name"] for part in told["parts"]]
    assert names == ["input", "loop, waiting, transfer, all else"]
    assert "Keras 2 has no step without its loop" in told["failures"]["stepped"]
