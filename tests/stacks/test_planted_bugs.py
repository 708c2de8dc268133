"""Training that is wrong is refused: bugs that were planted in the guest, run on real stacks.

Each is one that peers have shipped, or that a change here could make.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from cnnbench.cli import app
from cnnbench.envs import cache, stack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.stacks

TORCH, TENSORFLOW, JAX = "keras3-torch", "keras3-tensorflow", "keras3-jax"
REFERENCE = "native-torch"
MXNET = "keras2.1.6-mxnet1.1.0"
STEP = "            losses = task.model.train_on_batch(x, y)\n"
BATCH = "            x, y = task.feed.batch(step)\n"
COMPILE = (
    '    model.compile(loss="categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])'
)
HALF_PRECISION = (
    (
        "backends/_keras3.py",
        'keras.config.set_dtype_policy(POLICIES[case["precision"]])',
        'keras.config.set_dtype_policy("mixed_bfloat16")',
    ),
    ("session.py", "def _check(what: str, asked: Any, found: Any) -> None:\n", "{}    return\n"),
)


@dataclass(frozen=True)
class Bug:
    """A change of the guest's sources: file, what stands there, and what is put in its place."""

    name: str
    stack: str
    changes: tuple[tuple[str, str, str], ...]
    reason: str
    model: str = "simple_cnn"
    flags: tuple[str, ...] = ()


def _bug(name: str, on: str, *change_and_reason: str, **more: Any) -> Bug:
    file, old, new, reason = change_and_reason
    return Bug(name, on, ((file, old, new),), reason, **more)


BUGS = [
    _bug(
        "a second forward pass in each step",
        TORCH,
        "methods/train_on_batch.py",
        STEP,
        "            task.model.predict_on_batch(x)\n{}",
        "1 steps went forward 2 times",
    ),
    _bug(
        "an optimiser that is not applied",
        TORCH,
        "methods/train_on_batch.py",
        STEP,
        "            kept = task.model.get_weights()\n{}            task.model.set_weights(kept)\n",
        "gradient",
    ),
    _bug(
        "gradients that are not used",
        TORCH,
        "optimizers.py",
        COMPILE,
        "    apply = optimizer.apply\n"
        "    optimizer.apply = lambda grads, *a: apply([g * 0 + 1e-3 for g in grads], *a)\n{}",
        "gradient",
    ),
    _bug(
        "a compiled step that is thrown away",
        TENSORFLOW,
        "session.py",
        "    facts = backend.compiled(keras, model)\n",
        "{}    model.run_eagerly = True\n",
        "the step is not compiled",
    ),
    _bug(
        "a batch that is counted but not loaded",
        TORCH,
        "methods/train_on_batch.py",
        BATCH,
        "            x, y = task.feed.batch(0)\n",
        "loss in step 2",
    ),
    _bug(
        "a batch that comes again and again, from the fifth step on",
        TORCH,
        "methods/train_on_batch.py",
        BATCH,
        "            x, y = task.feed.batch(min(step, 4))\n",
        "late loss in step 24",
    ),
    _bug(
        "one image less than is counted",
        TORCH,
        "methods/train_on_batch.py",
        STEP,
        "            x, y = x[:-1], y[:-1]\n{}",
        "3 images, not 4",
    ),
    _bug(
        "labels in the wrong order",
        TORCH,
        "feed.py",
        'np.eye(self.classes, dtype="float32")[labels]',
        'np.eye(self.classes, dtype="float32")[::-1][labels]',
        "loss in step 1",
    ),
    _bug(
        "a loss without its softmax",
        TORCH,
        "models/simple_cnn.py",
        'activation="softmax"',
        "activation=None",
        "loss in step 1",
    ),
    _bug(
        "images that are reshaped, not transposed",
        TORCH,
        "feed.py",
        "images = images.transpose(0, 3, 1, 2)",
        "images = images.reshape(-1, 3, *images.shape[1:3])",
        "loss in step 1",
        flags=("--data-format", "channels_first"),
    ),
    Bug("bfloat16 passed off as float32", TORCH, HALF_PRECISION, "in step 1 is off by"),
    _bug(
        "TensorFloat-32 passed off as float32",
        TORCH,
        "backends/torch.py",
        "    return _keras3.boot(case, seed)\n",
        "    convolve = torch.nn.functional.conv2d\n"
        "    def cut(x):\n"
        "        bits = x.detach().contiguous().view(torch.int32) & -8192\n"
        "        return x + (bits.view(torch.float32) - x).detach()\n"
        "    torch.nn.functional.conv2d = lambda x, w, *a, **k: convolve(cut(x), cut(w), *a, **k)\n"
        "{}",
        "in step 1 is off by",
    ),
    _bug(
        "validation inside the window",
        TORCH,
        "methods/fit.py",
        "            shuffle=True,\n",
        "{}            validation_data=(x, y),\n",
        "went forward",
        flags=("--method", "fit"),
    ),
    _bug(
        "a clock that does not wait for the device",
        MXNET,
        "backends/mxnet.py",
        "    return mxnet.nd.waitall  # type: ignore[no-any-return]\n",
        "    return lambda: None\n",
        "before its work was done",
        model="resnet20_cifar",
    ),
    _bug(
        "batch normalisation that is frozen",
        TORCH,
        "models/_batch_norm.py",
        "epsilon=1e-3)",
        "epsilon=1e-3, trainable=False)",
        "weights are trained, not",
        model="resnet20_cifar",
    ),
    _bug(
        "moving averages that stand still",
        TORCH,
        "models/_batch_norm.py",
        "epsilon=1e-3)",
        "epsilon=1e-3, momentum=1.0)",
        "moving mean of mean 1 in step 1",
        model="resnet20_cifar",
    ),
    _bug(
        "momentum that is off",
        TORCH,
        "optimizers.py",
        "keras.optimizers.Adam(learning_rate=rate)",
        "keras.optimizers.Adam(learning_rate=rate, beta_1=0.0)",
        "gradient",
        model="resnet20_cifar",
    ),
    _bug(
        "weight decay that is dropped on one stack",
        TORCH,
        "models/_resnet_cifar.py",
        "kernel_regularizer=keras.regularizers.l2(1e-4)",
        'kernel_regularizer=None if keras.backend.backend() == "torch" else "l2"',
        "loss in step 1",
        model="resnet20_cifar",
    ),
    _bug(
        "a learning rate that is off by 1 %",
        TORCH,
        "optimizers.py",
        "InverseTimeDecay(rate, ",
        "InverseTimeDecay(1.01 * rate, ",
        "weights of",
    ),
    _bug(
        "a learning rate that is off by 1 %, in bfloat16",
        TORCH,
        "optimizers.py",
        "InverseTimeDecay(rate, ",
        "InverseTimeDecay(1.01 * rate, ",
        "weights of",
        flags=("--precision", "bfloat16"),
    ),
]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_run_refuses(
    bug: Bug, change: Callable[..., None], shallow: Callable[[], None], tmp_path: Path
) -> None:
    for name in (bug.stack, REFERENCE):
        if reason := cache.unsupported(stack.load(name)):
            pytest.skip(reason)
    if bug.model == "resnet20_cifar":
        shallow()
    for one in bug.changes:
        change(*one)
    place = ["--store", str(tmp_path / "store.sqlite"), "--json", str(tmp_path / "out.json")]

    done = CliRunner().invoke(
        app, ["run", "--stack", bug.stack, "--model", bug.model, *bug.flags, *place]
    )

    (result,) = json.loads((tmp_path / "out.json").read_text())["results"]
    assert result["verdict"] == "refused", done.output
    assert bug.reason in result["reason"]
    assert result["images_per_second"] is None
    assert result["proof"]
    assert done.exit_code == 1
