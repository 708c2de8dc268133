"""The CIFAR-10 ResNets of He et al., "Deep Residual Learning" (CVPR 2016), section 4.2.

6n + 2 layers, as Keras' example `cifar10_resnet.py` builds version 1: biased convolutions, L2 of
1e-4 on every kernel, 1x1 convolutions without batch normalisation where the shape changes.
"""

from typing import Any, Tuple

from .. import optimizers
from ._batch_norm import normalised

SMALLEST = (32, 32)


def build_depth(keras: Any, shape: Tuple[int, int, int], classes: int, blocks: int) -> Any:
    """Three stacks of `blocks` residual blocks, at 16, 32 and 64 filters."""
    layers = keras.layers
    image = layers.Input(shape=shape)
    x = _convolution(keras, image, 16, 3, 1)
    x = layers.Activation("relu")(normalised(keras, x))
    for stack, filters in enumerate((16, 32, 64)):
        for block in range(blocks):
            shrinks = stack > 0 and block == 0
            x = _block(keras, x, filters, 2 if shrinks else 1)
    x = layers.AveragePooling2D(pool_size=8)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(classes, activation="softmax", kernel_initializer="he_normal")(x)
    return keras.models.Model(inputs=image, outputs=x)


def compile(keras: Any, model: Any) -> None:  # noqa: A001
    """Adam at 1e-3."""
    optimizers.compile_classifier(model, optimizers.adam(keras, 1e-3))


def _block(keras: Any, x: Any, filters: int, strides: int) -> Any:
    shortcut = x if strides == 1 else _convolution(keras, x, filters, 1, strides)
    x = normalised(keras, _convolution(keras, x, filters, 3, strides))
    x = keras.layers.Activation("relu")(x)
    x = normalised(keras, _convolution(keras, x, filters, 3, 1))
    return keras.layers.Activation("relu")(keras.layers.add([shortcut, x]))


def _convolution(keras: Any, x: Any, filters: int, kernel: int, strides: int) -> Any:
    return keras.layers.Conv2D(
        filters,
        (kernel, kernel),
        strides=(strides, strides),
        padding="same",
        kernel_initializer="he_normal",
        kernel_regularizer=keras.regularizers.l2(1e-4),
    )(x)
