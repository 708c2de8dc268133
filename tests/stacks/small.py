"""A small network, and photographs: what a user would bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

MODEL = '''
"""One convolution: as small as can be."""


def build(keras, shape, classes):
    layers = keras.layers
    image = layers.Input(shape=shape)
    x = layers.Conv2D(4, (7, 7), strides=8)(image)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.models.Model(image, layers.Dense(classes, activation="softmax")(x))
'''


def write_photographs(root: Path) -> None:
    """Two class folders of smooth images under noise, larger than 256x256, one of them PNG."""
    draw = np.random.default_rng(3)
    for number in range(80):
        folder = root / f"class{number % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        coarse = draw.integers(40, 150, (12, 16, 3), dtype="uint8")
        size = (420 + number, 380)
        pixels = np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))
        noisy = pixels + draw.integers(0, 60, pixels.shape, dtype="uint8")
        ending = "png" if number == 1 else "jpeg"
        Image.fromarray(noisy).save(folder / f"{number}.{ending}")
