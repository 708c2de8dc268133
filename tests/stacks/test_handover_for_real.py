"""What a tuned file gives a script of the user's, on real stacks."""

from __future__ import annotations

import math
import subprocess
from typing import TYPE_CHECKING

import pytest

from cnnbench import handover
from cnnbench.case import Case
from cnnbench.envs import cache, stack
from tests.stacks.here import available
from tests.stacks.small import write_photographs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.stacks


def told(folder: Path, case: Case, script: str) -> list[str]:
    """What a script prints that begins with the file of a configuration."""
    available(case.stack)
    found = stack.load(case.stack)
    (folder / handover.NAME).write_text(handover.text(case, found.backend, "x"))
    (folder / "mine.py").write_text("import cnnbench_tuned\n" + script)
    done = subprocess.run(
        [cache.build(found, print), "mine.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


# Trains for two epochs on photographs, and prints how many steps each had and its loss.
TRAIN = """
import keras

class Steps(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None): self.seen = 0
    def on_train_batch_end(self, batch, logs=None): self.seen += 1
    def on_epoch_end(self, epoch, logs=None): print("epoch", self.seen, logs["loss"])

found = cnnbench_tuned.batches(FOLDER, batch_size=6, size=(32, 32))
image = keras.Input((32, 32, 3))
x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(image))
model = keras.Model(image, keras.layers.Dense(2, activation="softmax")(x))
model.compile("sgd", "categorical_crossentropy")
model.fit(found, epochs=2, verbose=0, callbacks=[Steps()])
"""


@pytest.mark.parametrize(
    ("name", "loader"),
    [
        ("keras3-torch", "threads"),
        ("keras3-torch", "turbo"),
        ("keras3-torch", "torch_dataloader"),
        ("keras3-jax", "turbo"),
        ("keras3-tensorflow", "tf_data"),
    ],
)
def test_a_script_trains_by_the_loader_that_won(name: str, loader: str, tmp_path: Path) -> None:
    write_photographs(tmp_path / "photographs")
    case = Case(
        stack=name, model="net", dataset="x", method="fit_generator", loader=loader, threads=1
    )

    lines = told(tmp_path, case, TRAIN.replace("FOLDER", repr(str(tmp_path / "photographs"))))

    epochs = [line.split()[1:] for line in lines if line.startswith("epoch")]
    assert [int(steps) for steps, _ in epochs] == [14, 14]  # of 80 photographs
    assert all(math.isfinite(float(loss)) for _, loss in epochs)


# Each prints whether a GPU would multiply float32 in TF32.
READ = {
    "keras3-torch": "import torch; print(torch.backends.cuda.matmul.allow_tf32)",
    "keras3-jax": "import jax; print(jax.config.jax_default_matmul_precision == 'tensorfloat32')",
    "keras3-tensorflow": "import tensorflow as tf\n"
    "print(tf.config.experimental.tensor_float_32_execution_enabled())",
}


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize(("precision", "is_tf32"), [("tf32", "True"), ("float32", "False")])
def test_a_gpu_multiplies_float32_as_it_did(
    name: str, precision: str, is_tf32: str, tmp_path: Path
) -> None:
    case = Case(
        stack=name, model="net", dataset="x", method="fit", device="gpu", precision=precision
    )

    assert told(tmp_path, case, READ[name])[-1] == is_tf32
