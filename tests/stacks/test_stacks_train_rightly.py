"""Every stack trains rightly, by every method, in both data formats; `run` asks once."""

from __future__ import annotations

import ast
import math
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from cnnbench.envs import cache, stack
from cnnbench.link import bundle
from cnnbench.proving import comparing
from cnnbench.proving.referee import Referee
from cnnbench.verification import checks
from cnnbench.verification.checks import allowance
from tests.stacks.here import KINDS, answer, available

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from cnnbench.proving.trainee import Run
    from cnnbench.verification.checks import Evidence

pytestmark = pytest.mark.stacks

STACKS = [name for name in stack.names() if stack.load(name).devices == ("cpu",) and name != "null"]
METHODS = ("train_on_batch", "fit", "fit_generator")
REFERENCE, TORCH = "native-torch", "keras3-torch"


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_trains_rightly_by_every_method(name: str, tmp_path: Path) -> None:
    available(name, REFERENCE)
    # By which method makes a difference by kind of Keras, not by version.
    methods = METHODS if name in KINDS else METHODS[:1]
    flags = [flag for method in methods for flag in ("--method", method)]

    told, done = answer(tmp_path, "verify", "--stack", name, *flags)

    assert len(told["proofs"]) == len(methods)
    right(told, done)


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_trains_rightly_with_channels_first(name: str, tmp_path: Path) -> None:
    available(name, REFERENCE)

    flags = ("--data-format", "channels_first", "--seeds", "2")
    told, done = answer(tmp_path, "verify", "--stack", name, *flags)

    assert [proof["seed"] for proof in told["proofs"]] == [1, 2]
    right(told, done)


def test_an_optimizer_that_does_not_begin_anew_is_wrong_with_the_next_seed(
    tmp_path: Path, change: Callable[..., None]
) -> None:
    available(TORCH, REFERENCE)
    change("backends/_keras3.py", "variable.assign(begun.value)", "pass")

    told, done = answer(tmp_path, "verify", "--stack", TORCH, "--seeds", "2")

    first, second = told["proofs"]
    assert first["outcome"] in {"same", "differs, explained"}
    assert second["outcome"] == "wrong"
    assert done.exit_code == 1


def test_a_later_step_is_held_to_its_own_rounding_where_the_first_step_says_too_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    available(REFERENCE)

    def little(evidence: Evidence, number: int) -> Mapping[str, Any]:
        first = evidence.rounding
        less = {part: far / 10_000 for part, far in first.items()} | {"size": first["size"]}
        return evidence.perturbed.get(number, first if number == 1 else less)

    def noted(self: Referee, run: Run, variants: frozenset[str], step: int) -> Mapping[str, Any]:
        asked.append(step)
        return tried(self, run, variants, step)

    asked: list[int] = []
    tried = Referee.perturbed
    monkeypatch.setattr(checks, "_perturbed", little)
    monkeypatch.setattr(comparing, "NEARLY", math.inf)
    monkeypatch.setattr(Referee, "perturbed", noted)

    told, _ = answer(tmp_path, "verify", "--stack", REFERENCE, "--precision", "bfloat16")

    (proof,) = told["proofs"]
    assert proof["outcome"] in {"same", "differs, explained"}
    assert {2, 3} <= set(asked)


def in_reference(program: str) -> str:
    """What a program prints that can import the probe, and PyTorch."""
    available(REFERENCE)
    python = cache.python_of(stack.load(REFERENCE))
    assert python is not None
    return subprocess.run(
        [python, "-c", program],
        env={"PYTHONPATH": str(bundle.SOURCES.parent)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def right(told: Any, done: Any) -> None:
    for proof in told["proofs"]:
        assert proof["outcome"] in ("same", "differs, explained"), proof["reason"]
        assert all(check["deviation"] <= check["tolerance"] for check in proof["checks"])
        assert proof["facts"]["macs"] == 20_741_120
    assert done.exit_code == 0


@pytest.mark.parametrize(
    ("name", "precision"),
    [
        *((name, "bfloat16") for name in STACKS if not name.startswith("keras2")),
        *((name, "float16") for name in STACKS if name.startswith("keras3")),
    ],
)
def test_reduced_precision_is_right_to_its_own_rounding(
    name: str, precision: str, tmp_path: Path
) -> None:
    available(name, REFERENCE)
    command = ("verify", "--stack", name, "--precision", precision, "--model", "resnet20_cifar")

    told, _ = answer(tmp_path, *command)

    (proof,) = told["proofs"]
    # What plain PyTorch does otherwise to a variance is less than bfloat16 may do.
    assert proof["outcome"] in {"same", "differs, explained"}, proof["reason"]


# Prints the layers of a model that is on another device than the CPU, and of one that is not.
ELSEWHERE = """
from probe.backends import _native_keras, native

for device in ("cpu", "meta"):
    case = {"data_format": "channels_last", "device": device, "precision": "float32"}
    model = native.definition("simple_cnn").build(_native_keras.Keras(case), (32, 32, 3), 10)
    print([
        (tuple(layer.output_shape), [weight.shape for weight in layer.get_weights()])
        for layer in model.layers
    ])
"""


def test_plain_pytorch_describes_its_layers_wherever_they_are() -> None:
    here, elsewhere = in_reference(ELSEWHERE).splitlines()

    assert here == elsewhere
    assert "(3, 3, 3, 32)" in here


# Prints which of two nearly equal values the gradient of a maximum pooling goes to.
POOLED = """
import torch
from probe import changes

pool = torch.nn.MaxPool2d(2)
values = [[[[1.0, 5.0], [4.999, 2.0]], [[7.0, 1.0], [2.0, 3.0]]]]
x = torch.tensor(values, dtype=torch.float64, requires_grad=True)
for near in (0.0, 0.01):
    for is_open in (True, False):
        with changes.changed(pool, changes.Edges({pool: near}, is_open=is_open)):
            (gradient,) = torch.autograd.grad(pool(x).sum(), x)
        print(gradient.int().flatten(1).flatten().tolist())
"""


def test_what_is_nearly_the_largest_of_a_pooling_window_may_be_taken_for_it() -> None:
    told = in_reference(POOLED)

    clear, first, last = [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]
    right, other = str(first + clear), str(last + clear)
    assert told.splitlines() == [right, right, right, other]


# Prints how far a convolution's bias is off if the batch normalisation after it adds gradients up
# one by one in float32, over how far samples of one rounding led. They are equal over an image.
SUMMED = """
import numpy as np
import torch
from torch import nn
from probe import changes

torch.manual_seed(1)
torch.set_default_dtype(torch.float64)
convolution, normalised = nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)
model = nn.Sequential(convolution, normalised, nn.ReLU(), nn.AdaptiveAvgPool2d(1))
images, above = torch.randn(8, 3, 16, 16), torch.rand(8, 4, 1, 1)

def bias(change):
    with changes.changed(model, change):
        (gradient,) = torch.autograd.grad((model(images) * above).sum(), convolution.bias)
    return gradient.numpy()

with torch.no_grad():
    x = convolution(images)
    spread = (x.var((0, 2, 3), correction=0) + normalised.eps).sqrt().numpy()
    each = ((normalised(x) > 0) * above / 256).transpose(0, 1).flatten(1).numpy()
one_by_one = np.cumsum(each.astype("float32"), 1, "float32")[:, -1]
off = np.linalg.norm((each.sum(1) - one_by_one) / spread)
shares = changes.Shares(1)
samples = [bias(changes.Rounding(2.0**-24, shares)) for _ in range(20)]
print(off / max(np.linalg.norm(sample - bias(changes.SAME)) for sample in samples))
"""


def test_equal_gradients_that_a_stack_adds_one_by_one_are_no_mistake() -> None:
    off = float(in_reference(SUMMED))

    assert 1 < off < allowance(2.0**-24)


# Prints where gradients go behind a ReLU and a maximum pooling in whose window a value is near 0.
BOTH = """
import torch
from probe import changes

relu, pool = torch.nn.ReLU(), torch.nn.MaxPool2d(2)
model = torch.nn.Sequential(relu, pool)
for value in (1e-9, -1e-9):
    x = torch.tensor([[[[-1.0, -2.0], [value, -3.0]]]], dtype=torch.float64, requires_grad=True)
    for near in (0.0, 1e-6):
        ways = changes.either_way({relu: near, pool: near}, 0)
        for change in [way for both in ways for way in both]:
            with changes.changed(model, change):
                (gradient,) = torch.autograd.grad(model(x).sum(), x)
            print(gradient.int().flatten().tolist())
"""


def test_what_is_nearly_0_may_pass_and_be_the_largest_of_its_window() -> None:
    told = in_reference(BOTH).splitlines()

    taken, nothing = "[0, 0, 1, 0]", "[0, 0, 0, 0]"
    # Of ReLUs open and closed, then of poolings whose first and whose last value is taken.
    assert told[:4] == [taken, taken, taken, taken]
    assert told[4:6] == [taken, nothing]
    assert told[8:12] == [nothing, nothing, nothing, nothing]
    assert told[12:14] == [taken, nothing]


# Prints by how much a gradient differs between the two changes of each pair. It is a sum of values
# near 0, every other one taken away.
CANCELLING = """
import torch
from probe import changes

relu = torch.nn.ReLU()
signs = torch.tensor([1.0, -1.0] * 8, dtype=torch.float64)

def gradient(change):
    scale = torch.ones(1, dtype=torch.float64, requires_grad=True)
    with changes.changed(relu, change):
        (found,) = torch.autograd.grad((relu(scale * 1e-9 * torch.ones(16)) * signs).sum(), scale)
    return 1e9 * float(found)

print([round(abs(gradient(a) - gradient(b))) for a, b in changes.either_way({relu: 1e-6}, 2)])
"""


def test_values_near_0_that_make_up_for_each_other_are_told_apart() -> None:
    together, *by_coins = ast.literal_eval(in_reference(CANCELLING))

    assert together == 0
    assert max(by_coins) >= 2


# Prints how much is learned from images of which a network is very sure, and what is lost: with
# the limit of probabilities, then without it.
SURE = """
import torch
from probe import exact, plugins

torch.manual_seed(1)
definition = plugins.load("native", "simple_cnn")
model = exact.built(definition, [])
with torch.no_grad():
    model.keras_order()[-1].weight *= 1e4
images = torch.rand(4, 3, 32, 32, dtype=torch.float64)
with torch.no_grad():
    labels = model(images).argmin(1)

def told():
    step = exact.step(model, definition.L2, (images, labels))
    norms = [float(gradient.norm()) for gradient in step.gradients]
    print(step.stopped, max(norms) > 0, float(step.loss))

told()
with exact.unlimited(model):
    told()
told()
"""


def test_how_far_rounding_leads_is_seen_without_the_limit_of_probabilities() -> None:
    limited, free, again = in_reference(SURE).splitlines()

    assert limited == again
    assert limited.startswith("True False 16.1")
    assert free.startswith("False True ")
    assert float(free.split()[-1]) > 100


@pytest.mark.parametrize(
    ("name", "data_format", "seed"),
    [
        # In its second step TensorFlow takes another value of a window for the largest.
        ("keras3-tensorflow", "channels_last", 27),
        # In its third step JAX has nothing in a window that is above 0.
        ("keras3-jax", "channels_first", 36),
    ],
)
def test_a_pooling_window_that_rounding_decides_is_no_mistake(
    name: str, data_format: str, seed: int, tmp_path: Path
) -> None:
    available(name, REFERENCE)
    flags = ("--data-format", data_format, "--seed", str(seed))

    told, done = answer(tmp_path, "verify", "--stack", name, *flags)

    right(told, done)


def test_run_proves_once_and_the_result_has_the_proof(tmp_path: Path, tiny: Path) -> None:
    available(TORCH, REFERENCE)
    command = ("run", str(tiny), "--stack", TORCH, "--fresh")

    first, begun = answer(tmp_path, *command)
    second, again = answer(tmp_path, *command, "--batch-size", "16")

    assert "proof: " in begun.output
    assert "proof: " not in again.output
    assert first["results"][0]["proof"] == second["results"][0]["proof"] is not None
    assert "differs: epsilon inside the root" in first["results"][0]["labels"]
