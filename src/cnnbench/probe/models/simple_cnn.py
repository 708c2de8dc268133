"""Simple CNN: four convolutions and two dense layers, for 32x32 images.

The network of Keras' own example of 2015-2018, `cifar10_cnn.py`, with its optimiser.
20.7 million multiply-accumulates forward for an image.
"""

from typing import Any, Tuple

from .. import optimizers

SMALLEST = (12, 12)
PARAMETERS = {((32, 32, 3), 10): 1250858}


def build(keras: Any, shape: Tuple[int, int, int], classes: int) -> Any:
    """Twice conv-conv-pool-dropout, at 32 and at 64 filters, then 512 units."""
    layers = keras.layers
    image = layers.Input(shape=shape)
    x = image
    for filters in (32, 64):
        x = layers.Conv2D(filters, (3, 3), padding="same", activation="relu")(x)
        x = layers.Conv2D(filters, (3, 3), activation="relu")(x)
        x = layers.MaxPooling2D(pool_size=(2, 2))(x)
        x = layers.Dropout(0.25)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(512, activation="relu")(x)
    x = layers.Dropout(0.5)(x)
    x = layers.Dense(classes, activation="softmax")(x)
    return keras.models.Model(inputs=image, outputs=x)


def compile(keras: Any, model: Any) -> None:  # noqa: A001
    """RMSprop at 1e-4 with decay 1e-6."""
    optimizers.compile_classifier(model, optimizers.rmsprop(keras, 1e-4, decay=1e-6))
