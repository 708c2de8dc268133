"""Tuning a real training: it becomes faster, what is broken never wins, and a script gets it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cnnbench import handover, tuning
from cnnbench.envs import cache, stack
from tests.stacks.here import answer, available

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.stacks, pytest.mark.quiet]

TORCH, REFERENCE = "keras3-torch", "native-torch"
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "train.py"
MODEL = '''
"""Two convolutions with batch normalisation: as small as can be, and the user's own."""


def build(keras, shape, classes):
    layers = keras.layers
    image = layers.Input(shape=shape)
    axis = 1 if keras.backend.image_data_format() == "channels_first" else -1
    x = image
    for _ in range(2):
        x = layers.Conv2D(16, (3, 3))(x)
        x = layers.BatchNormalization(axis=axis)(x)
        x = layers.Activation("relu")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.models.Model(image, layers.Dense(classes, activation="softmax")(x))


def compile(keras, model):
    model.compile(loss="mean_squared_error", optimizer="sgd")
'''


@pytest.fixture(autouse=True)
def _beside_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else runs on the machine of these tests may run."""
    monkeypatch.setattr(tuning, "BUDGET", replace(tuning.BUDGET, disturbance=1.0))


def tuned(folder: Path, *command: str) -> Any:
    """The JSON of `cnnbench tune`."""
    told, done = answer(folder, "tune", *command, "--output", str(folder / handover.NAME))
    assert done.exit_code in (0, 3), done.output
    return told


def test_a_users_model_becomes_faster_and_the_users_script_too(tmp_path: Path) -> None:
    available(TORCH)
    (tmp_path / "net.py").write_text(MODEL)
    command = ["--stack", TORCH, "--model", str(tmp_path / "net.py"), "--minutes", "4"]
    command += ("--data-format", "channels_last", "--recipe", "fused_batch_norm+keep_memory")

    told = tuned(tmp_path, *command)

    assert "fused_batch_norm" in told["best"]["recipes"]
    assert told["gain"] is None or told["gain"]["ratio"] > 1
    script = tmp_path / "mine.py"
    script.write_text("import cnnbench_tuned\n" + EXAMPLE.read_text())
    python = cache.build(stack.load(TORCH), print)
    variables = os.environ | handover.before(tmp_path / handover.NAME)
    done = subprocess.run(
        [python, script], env=variables, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "images/s" in done.stdout


def test_a_recipe_that_breaks_training_never_wins(
    tmp_path: Path, change: Callable[..., None], shallow: Callable[[], None]
) -> None:
    available(TORCH, REFERENCE)
    shallow()
    # Much faster: it leaves normalisation out.
    change(
        "recipes/fused_batch_norm.py",
        "        axis = self.axis % IMAGES\n",
        "        return inputs\n        axis = self.axis % IMAGES\n",
    )
    command = ["--stack", TORCH, "--model", "resnet20_cifar", "--minutes", "2"]
    command += ("--data-format", "channels_last", "--recipe", "fused_batch_norm")

    told = tuned(tmp_path, *command)

    assert told["best"]["recipes"] == []
    refused = {name: why for race in told["races"] for name, why in race["failures"].items()}
    assert any("fused_batch_norm" in name for name in refused), refused
