"""An explanation counts only if removing its cause removes the difference: shown for each.

The cause is removed in the guest, by as small a change as will do; then the stack agrees with the
reference without that explanation, and with the same others as before.
"""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cnnbench import prepare
from cnnbench.case import Case
from cnnbench.envs import cache, stack
from cnnbench.link import bundle
from cnnbench.machine.facts import facts
from cnnbench.proof import EXPLAINED, SAME, Proof
from cnnbench.store.database import Store
from cnnbench.verify import Verification

if TYPE_CHECKING:
    from collections.abc import Callable

    # A stack, a model, a data format, and recipes.
    Place = tuple[str, ...]

pytestmark = pytest.mark.stacks

TORCH, TENSORFLOW = "keras3-torch", "keras3-tensorflow"
REFERENCE = "native-torch"
TENSORFLOW_1, MXNET = "keras2.1.5-tensorflow1.7.0", "keras2.1.6-mxnet1.1.0"

FEWER_FILTERS_THAN_COLUMNS = [
    ("models/simple_cnn.py", "for filters in (32, 64)", "for filters in (31, 64)"),
    ("models/simple_cnn.py", "PARAMETERS = {((32", "PARAMETERS = {((31"),
    ("native/simple_cnn.py", "*pair(shape[2], 32), *pair(32", "*pair(shape[2], 31), *pair(31"),
]

# What makes a shallow network as sure of its first images as a deep one is, and surer.
SURE = [
    (
        "models/_resnet_cifar.py",
        "    x = layers.Flatten()(x)\n",
        "{}    x = layers.Rescaling(20.0)(x)\n",
    ),
    ("native/_resnet_cifar.py", "self.pool(self.blocks(x))", "20.0 * {}"),
]

# Explanation; stack, model, data format and recipes that need it; how its cause is removed.
CAUSES = [
    (
        "epsilon inside the root",
        (TORCH, "simple_cnn", "channels_last"),
        [
            (
                "optimizers.py",
                "    return keras.optimizers.RMSprop(learning_rate=schedule)",
                (
                    "    class Outside(keras.optimizers.RMSprop):\n"
                    "        def update_step(self, g, w, rate):\n"
                    "            v = self._velocities[self._get_variable_index(w)]\n"
                    "            v.assign(self.rho * v + (1 - self.rho) * g * g)\n"
                    "            w.assign(w - rate * g / (keras.ops.sqrt(v) + self.epsilon))\n"
                    "    return Outside(learning_rate=schedule)"
                ),
            )
        ],
    ),
    (
        "unbiased variance of PyTorch",
        (REFERENCE, "resnet20_cifar", "channels_first"),
        [
            (
                "native/_resnet_cifar.py",
                "        return nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01)\n",
                (
                    "        class Biased(nn.BatchNorm2d):\n"
                    "            def forward(self, x):\n"
                    "                before = self.running_var.clone()\n"
                    "                y = super().forward(x)\n"
                    "                if self.training:\n"
                    "                    batch = x.detach().var((0, 2, 3), unbiased=False)\n"
                    "                    new = 0.99 * before + 0.01 * batch\n"
                    "                    self.running_var.data.copy_(new)\n"
                    "                return y\n"
                    "        return Biased(filters, eps=1e-3, momentum=0.01)\n"
                ),
            )
        ],
    ),
    (
        "loss of logits",
        (TENSORFLOW, "resnet20_cifar", "channels_last"),
        [
            (
                "optimizers.py",
                'loss="categorical_crossentropy"',
                "loss=lambda y, p: _clipped(y, p)",
            ),
            (
                "optimizers.py",
                "def compile_classifier(",
                (
                    "def _clipped(y, p):\n"
                    "    from keras import ops\n"
                    "    return -ops.sum(y * ops.log(ops.clip(p, 1e-7, 1 - 1e-7)), -1)\n\n\n{}"
                ),
            ),
        ],
    ),
    (
        "bias along the width",
        (TENSORFLOW, "simple_cnn", "channels_first"),
        FEWER_FILTERS_THAN_COLUMNS,
    ),
    (
        "bias added along the width",
        (TENSORFLOW, "simple_cnn", "channels_first", "jit"),
        FEWER_FILTERS_THAN_COLUMNS,
    ),
    (
        "MXNet's epsilon",
        (MXNET, "resnet20_cifar", "channels_first"),
        [
            (
                "optimizers.py",
                "keras.optimizers.Adam(lr=rate)",
                "keras.optimizers.Adam(lr=rate, epsilon=1e-7)",
            )
        ],
    ),
    (
        "symmetric padding",
        (MXNET, "resnet20_cifar", "channels_first"),
        [
            (
                "models/_resnet_cifar.py",
                "    return keras.layers.Conv2D(\n",
                (
                    "    if strides > 1 and kernel > 1:\n"
                    "        x = keras.layers.ZeroPadding2D(((0, 1), (0, 1)))(x)\n{}"
                ),
            ),
            (
                "models/_resnet_cifar.py",
                'padding="same"',
                'padding="valid" if strides > 1 else "same"',
            ),
        ],
    ),
    (
        "fixed gamma",
        (MXNET, "resnet20_cifar", "channels_first"),
        [
            (
                "backends/mxnet.py",
                "    mxnet.random.seed(seed)\n",
                (
                    "{}    norm = mxnet.sym.BatchNorm\n"
                    "    mxnet.sym.BatchNorm = lambda *a, **k: norm(*a, fix_gamma=False, **k)\n"
                ),
            )
        ],
    ),
    (
        "channels first in flat images",
        (MXNET, "simple_cnn", "channels_first"),
        [
            (
                "models/simple_cnn.py",
                "    x = layers.Flatten()(x)\n",
                "    x = layers.Permute((2, 3, 1))(x)\n{}",
            )
        ],
    ),
    (
        "unordered updates",
        (TENSORFLOW_1, "simple_cnn", "channels_last"),
        [("session.py", "if order.ordered:", "if True:")],
    ),
    (
        "debiased moving averages",
        (TENSORFLOW_1, "resnet20_cifar", "channels_last"),
        [
            (
                "backends/tensorflow.py",
                "        tf.set_random_seed(seed)\n",
                (
                    "{}        from tensorflow.python.training.moving_averages import (\n"
                    "            assign_moving_average as assign)\n"
                    "        keras.backend.moving_average_update = (\n"
                    "            lambda x, value, m: assign(x, value, m, zero_debias=False))\n"
                ),
            )
        ],
    ),
    (
        "unbiased moving variance",
        (TENSORFLOW_1, "resnet20_cifar", "channels_first"),
        [
            (
                "backends/tensorflow.py",
                "        tf.set_random_seed(seed)\n",
                (
                    "{}        import keras.layers.normalization as module\n"
                    "        class Shown(object):\n"
                    "            backend = staticmethod(lambda: 'cntk')\n"
                    "            def __getattr__(self, name):\n"
                    "                return getattr(keras.backend, name)\n"
                    "        module.K = Shown()\n"
                ),
            )
        ],
    ),
    (
        "unbiased fused variance",
        (TENSORFLOW_1, "resnet20_cifar", "channels_last"),
        [
            (
                "backends/tensorflow.py",
                "        tf.set_random_seed(seed)\n",
                (
                    "{}        from keras.backend import tensorflow_backend as module\n"
                    "        module._fused_normalize_batch_in_training = (\n"
                    "            module._regular_normalize_batch_in_training)\n"
                ),
            )
        ],
    ),
]


def proven(place: Place, folder: Path) -> Proof:
    name, model, data_format, *recipes = place
    case = Case(
        stack=name,
        model=model,
        dataset="synthetic-32",
        method="train_on_batch",
        data_format=data_format,
        recipes=tuple(recipes),
    )
    with Store.open(folder / "store.sqlite") as store:
        verification = Verification([case], prepare.Own(), facts(), store)
        list(verification.run())
    (proof,) = verification.proofs
    return proof


@functools.cache
def proven_before(place: Place, guest: str) -> Proof:  # noqa: ARG001  proofs are of a guest
    """The proof with every cause, which several explanations begin from."""
    with tempfile.TemporaryDirectory() as folder:
        return proven(place, Path(folder))


@pytest.mark.parametrize("cause", CAUSES, ids=[one[0] for one in CAUSES])
def test_without_its_cause_a_difference_is_gone(
    cause: tuple[str, Place, list[tuple[str, str, str]]],
    change: Callable[..., None],
    shallow: Callable[[], None],
    tmp_path: Path,
) -> None:
    name, place, changes = cause
    for needed in (place[0], REFERENCE):
        if reason := cache.unsupported(stack.load(needed)):
            pytest.skip(reason)
    if place[1] == "resnet20_cifar":
        shallow()
    for one in SURE if name == "loss of logits" else ():
        change(*one)
    before = proven_before(place, bundle.digest())
    for one in changes:
        change(*one)

    after = proven(place, tmp_path)

    assert before.outcome == EXPLAINED, before.reason
    assert name in before.explanations
    assert after.outcome in (SAME, EXPLAINED), after.reason
    assert set(after.explanations) == set(before.explanations) - {name}
