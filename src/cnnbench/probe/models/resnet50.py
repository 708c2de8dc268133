"""ResNet-50 v1: the 50-layer bottleneck network of He et al. (CVPR 2016), section 4.1.

As Keras Applications had it in 2018: biased convolutions, strides in the first 1x1 convolution of
a stage, an unpadded first pooling, batch normalisation with epsilon 1e-3. Its output is averaged
over all positions, which the published synthetic tables took at 256x256; the softmax that their
script left out stands here, for without it their loss had no meaning.
5.04 billion multiply-accumulates forward for an image of 256x256.
"""

from typing import Any, Tuple

from .. import optimizers
from ._batch_norm import normalised

SMALLEST = (32, 32)
PARAMETERS = {((256, 256, 3), 1000): 25636712, ((224, 224, 3), 1000): 25636712}

STAGES = ((3, (64, 64, 256)), (4, (128, 128, 512)), (6, (256, 256, 1024)), (3, (512, 512, 2048)))


def build(keras: Any, shape: Tuple[int, int, int], classes: int) -> Any:
    """Stem, 3 + 4 + 6 + 3 bottleneck blocks, global average, softmax."""
    layers = keras.layers
    image = layers.Input(shape=shape)
    x = layers.ZeroPadding2D(padding=(3, 3))(image)
    x = normalised(keras, layers.Conv2D(64, (7, 7), strides=(2, 2))(x))
    x = layers.Activation("relu")(x)
    x = layers.MaxPooling2D(pool_size=(3, 3), strides=(2, 2))(x)
    for stage, (blocks, filters) in enumerate(STAGES):
        for block in range(blocks):
            strides = 2 if stage > 0 and block == 0 else 1
            x = _bottleneck(keras, x, filters, strides, widens=block == 0)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(classes, activation="softmax")(x)
    return keras.models.Model(inputs=image, outputs=x)


def compile(keras: Any, model: Any) -> None:  # noqa: A001
    """RMSprop at 1e-4."""
    optimizers.compile_classifier(model, optimizers.rmsprop(keras, 1e-4))


def _bottleneck(
    keras: Any, x: Any, filters: Tuple[int, int, int], strides: int, *, widens: bool
) -> Any:
    layers = keras.layers
    shortcut = x
    if widens:
        shortcut = layers.Conv2D(filters[2], (1, 1), strides=(strides, strides))(x)
        shortcut = normalised(keras, shortcut)
    x = normalised(keras, layers.Conv2D(filters[0], (1, 1), strides=(strides, strides))(x))
    x = layers.Activation("relu")(x)
    x = normalised(keras, layers.Conv2D(filters[1], (3, 3), padding="same")(x))
    x = layers.Activation("relu")(x)
    x = normalised(keras, layers.Conv2D(filters[2], (1, 1))(x))
    return layers.Activation("relu")(layers.add([x, shortcut]))
