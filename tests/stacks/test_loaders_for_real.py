"""Every loader on a stack that has it: real JPEGs, the same pixels, trained on."""

from __future__ import annotations

import math
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from cnnbench import handover
from cnnbench.case import Case
from cnnbench.envs import cache, stack
from tests.stacks.here import answer, available
from tests.stacks.small import MODEL, write_photographs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.stacks

PAIRS = [
    ("keras3-torch", "threads"),
    ("keras3-torch", "turbo"),
    ("keras3-torch", "torch_dataloader"),
    ("keras3-jax", "turbo"),
    ("keras3-tensorflow", "tf_data"),
    ("keras2.1.5-tensorflow1.7.0", "threads"),
]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("photographs")
    write_photographs(root)
    return root


def measured(folder: Path, tiny: Path, photographs: Path, *command: str) -> Any:
    """The only result of `cnnbench run`."""
    (folder / "net.py").write_text(MODEL)
    what = ["--model", str(folder / "net.py"), "--dataset", str(photographs)]
    what += ["--method", "fit_generator", "--no-verify"]
    told, _ = answer(folder, "run", str(tiny), *what, *command)
    (result,) = told["results"]
    return result


@pytest.mark.parametrize(("name", "loader"), PAIRS)
def test_a_loader_feeds_a_real_training(
    name: str, loader: str, tmp_path: Path, tiny: Path, photographs: Path
) -> None:
    available(name)

    result = measured(tmp_path, tiny, photographs, "--stack", name, "--loader", loader)

    assert result["images_per_second"], result["reason"]
    assert result["case"]["loader"] == loader


# Trains for two epochs on what the file reads, and says how many steps each had.
SCRIPT = """
import cnnbench_tuned
import keras

class Steps(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None): self.seen = 0
    def on_train_batch_end(self, batch, logs=None): self.seen += 1
    def on_epoch_end(self, epoch, logs=None): print("steps", self.seen, logs["loss"])

found = cnnbench_tuned.batches(FOLDER, batch_size=5, size=(32, 32))
image = keras.Input((32, 32, 3))
x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(image))
model = keras.Model(image, keras.layers.Dense(CLASSES, activation="softmax")(x))
model.compile("sgd", "categorical_crossentropy")
model.fit(found, epochs=2, verbose=0, callbacks=[Steps()])
"""


@pytest.mark.parametrize(("name", "loader"), [pair for pair in PAIRS if "keras3" in pair[0]])
def test_a_users_script_trains_by_a_loader_that_was_handed_over(
    name: str, loader: str, tmp_path: Path, photographs: Path
) -> None:
    available(name)
    classes = sorted(folder for folder in photographs.iterdir() if folder.is_dir())
    count = sum(len(list(folder.iterdir())) for folder in classes)
    case = Case(
        stack=name,
        model="simple_cnn",
        dataset="x",
        method="fit_generator",
        loader=loader,
        threads=1,
    )
    found = stack.load(name)
    (tmp_path / handover.NAME).write_text(handover.text(case, found.backend, "x"))
    script = SCRIPT.replace("FOLDER", repr(str(photographs))).replace("CLASSES", str(len(classes)))
    (tmp_path / "mine.py").write_text(script)
    python = cache.build(found, print)

    done = subprocess.run(
        [python, "mine.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    told = [line.split() for line in done.stdout.splitlines() if line.startswith("steps")]
    assert [int(steps) for _, steps, _ in told] == [math.ceil(count / 5)] * 2
    assert all(math.isfinite(float(loss)) for *_, loss in told)


def test_a_loader_that_leaves_the_filter_out_is_refused(
    tmp_path: Path, tiny: Path, photographs: Path, change: Callable[..., None]
) -> None:
    available("keras3-tensorflow")
    change("loaders/tf_data.py", "antialias=True", "antialias=False")

    result = measured(
        tmp_path, tiny, photographs, "--stack", "keras3-tensorflow", "--loader", "tf_data"
    )

    assert result["verdict"] == "unsupported"
    assert "loader tf_data gives other images" in result["reason"]
