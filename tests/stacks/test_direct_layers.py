"""Recipes that go past Keras' own layers compute what these compute, on Keras with PyTorch."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

import cnnbench
from cnnbench.envs import cache, stack
from tests.stacks.here import available

pytestmark = pytest.mark.stacks

TORCH = "keras3-torch"
PACKAGE = Path(cnnbench.__file__).parent

# Prints by how much the outcome of each function with a recipe differs from that without, of the
# largest value, in float64; the functions give lists of arrays.
BOTH = """
import json, os, sys
os.environ["KERAS_BACKEND"] = "torch"
import keras, numpy
sys.path.insert(0, {package!r})
from probe import plugins
recipe = plugins.load("recipes", {recipe!r})
keras.config.set_floatx("float64")

def trained(layers, shape, wanted, steps=3):
    # The outputs and weights of a small network that takes some steps.
    keras.utils.set_random_seed(3)
    keras.config.set_image_data_format({data_format!r})
    image = keras.Input(shape)
    x = image
    for layer in layers():
        x = layer(x)
    model = keras.Model(image, x)
    model.compile(keras.optimizers.RMSprop(0.01), "mse")
    if wanted and hasattr(recipe, "compiled"):
        recipe.compiled(keras, model)
    draw = numpy.random.default_rng(5)
    images = draw.normal(size=(4,) + shape)
    first = numpy.array(model.predict_on_batch(images))
    for _ in range(steps):
        model.train_on_batch(images, draw.normal(size=first.shape))
    return [first, numpy.array(model.predict_on_batch(images)), *model.get_weights()]

{cases}

before = {{name: trained(*case, wanted=False) for name, case in CASES.items()}}
if hasattr(recipe, "build"):
    recipe.build(keras)
found = {{}}
for name, case in CASES.items():
    after = trained(*case, wanted=True)
    assert [one.shape for one in after] == [one.shape for one in before[name]], name
    pairs = zip(after, before[name])
    found[name] = max(abs(a - b).max() / abs(b).max() for a, b in pairs if b.size)
print(json.dumps(found))
"""

CONVOLUTIONS = """
layers = keras.layers
SHAPE = (3, 12, 9) if {data_format!r} == "channels_first" else (12, 9, 3)
GROUPED = (4, 12, 9) if {data_format!r} == "channels_first" else (12, 9, 4)
CASES = {{
    "valid": (lambda: [layers.Conv2D(5, 3)], SHAPE),
    "same": (lambda: [layers.Conv2D(5, (3, 5), padding="same")], SHAPE),
    "strides that pad one side": (
        lambda: [layers.Conv2D(5, 3, strides=2, padding="same")], SHAPE
    ),
    "strides beyond the kernel": (lambda: [layers.Conv2D(5, 1, strides=3, padding="same")], SHAPE),
    "an even kernel": (lambda: [layers.Conv2D(5, (2, 4), padding="same")], SHAPE),
    "dilated": (lambda: [layers.Conv2D(5, 3, dilation_rate=(2, 1), padding="same")], SHAPE),
    "in groups": (lambda: [layers.Conv2D(6, 3, groups=2, padding="same")], GROUPED),
    "without bias": (lambda: [layers.Conv2D(5, 3, use_bias=False)], SHAPE),
    "with activation": (lambda: [layers.Conv2D(5, 3, activation="relu")], SHAPE),
    "one after the other": (
        lambda: [layers.Conv2D(5, 3, padding="same"), layers.Conv2D(2, 3, strides=2)], SHAPE
    ),
    "beside another kind": (
        lambda: [layers.DepthwiseConv2D(3), layers.Conv2D(4, 1), layers.Conv2DTranspose(2, 3)],
        SHAPE,
    ),
}}
"""

POOLINGS = """
layers = keras.layers
SHAPE = (9, 7, 3)
CASES = {{
    "largest": (lambda: [layers.MaxPooling2D(2)], SHAPE),
    "largest, overlapping": (lambda: [layers.MaxPooling2D((3, 2), strides=(2, 1))], SHAPE),
    "largest, padded": (lambda: [layers.MaxPooling2D(3, strides=2, padding="same")], SHAPE),
    "mean": (lambda: [layers.AveragePooling2D(2)], SHAPE),
    "mean, padded": (lambda: [layers.AveragePooling2D(3, strides=2, padding="same")], SHAPE),
    "of another format": (
        lambda: [layers.MaxPooling2D(2, data_format="channels_first")], SHAPE
    ),
    "between convolutions": (
        lambda: [layers.Conv2D(4, 3), layers.MaxPooling2D(2), layers.Conv2D(2, 1)], SHAPE
    ),
}}
"""

GRAPHS = """
layers = keras.layers

class Twice(layers.Layer):
    def call(self, x):
        return 2 * x

def branches():
    first, second = layers.Conv2D(4, 3, padding="same"), layers.Dense(4)
    norm, nested = layers.BatchNormalization(), keras.Sequential([layers.Dense(3)])
    return [lambda x: layers.add([norm(first(x)), second(x)]), lambda x: x * 0.5, nested]

CASES = {{
    "branches": (branches, (8, 8, 3)),
    "a layer of the user's own": (lambda: [Twice(), layers.Dense(2)], (8, 8, 3)),
    "a layer used twice": (lambda: [layers.Dense(3, name="one")] * 2, (8, 3)),
    "regularised": (
        lambda: [
            layers.Dense(3, kernel_regularizer="l2"),
            layers.Dense(2, activity_regularizer="l2"),
        ],
        (8, 3),
    ),
    "masked": (lambda: [layers.Masking(), layers.LSTM(3)], (5, 2)),
    "computed in float32": (
        lambda: [layers.Dense(3), layers.Dense(3, dtype="float32"), layers.Dense(2)], (8, 3)
    ),
}}
"""

# Prints how many calls a pass makes of Keras', without the recipe and with it.
CALLS = """
import os, sys
os.environ["KERAS_BACKEND"] = "torch"
import keras, numpy
sys.path.insert(0, {package!r})
from probe import plugins

image = keras.Input((8, 8, 3))
x = keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3)(image))
model = keras.Model(image, keras.layers.Flatten()(keras.layers.add([x, x])))
model.compile("sgd", "mse")
calls, usual = [], keras.Layer.__call__
keras.Layer.__call__ = lambda self, *a, **k: calls.append(1) or usual(self, *a, **k)

def passes():
    calls.clear()
    model.predict_on_batch(numpy.zeros((2, 8, 8, 3)))
    return len(calls)

before = passes()
plugins.load("recipes", "direct_calls").compiled(keras, model)
print(before, passes())
"""


def differences(recipe: str, data_format: str, cases: str) -> dict[str, Any]:
    script = BOTH.format(
        package=str(PACKAGE),
        recipe=recipe,
        data_format=data_format,
        cases=cases.format(data_format=data_format),
    )
    found: dict[str, Any] = json.loads(printed(script))
    return found


def printed(script: str) -> str:
    """The last line that a script prints on the stack."""
    available(TORCH)
    done = subprocess.run(
        [cache.build(stack.load(TORCH), print), "-c", script],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_every_convolution_is_computed_as_keras_computes_it(data_format: str) -> None:
    found = differences("direct_convolution", data_format, CONVOLUTIONS)
    assert len(found) == CONVOLUTIONS.count("lambda")
    assert max(found.values()) < 1e-9, found


def test_every_pooling_is_computed_as_keras_computes_it() -> None:
    found = differences("direct_pooling", "channels_last", POOLINGS)
    assert len(found) == POOLINGS.count("lambda")
    assert max(found.values()) < 1e-9, found


def test_a_graph_of_layers_gives_the_very_same_without_their_calls() -> None:
    found = differences("direct_calls", "channels_last", GRAPHS)
    assert set(found.values()) == {0.0}, found


def test_only_the_model_itself_is_called_as_keras_calls_layers() -> None:
    assert printed(CALLS.format(package=str(PACKAGE))) == "5 1"
