"""Batch normalisation over the channels, wherever the data format puts them."""

from typing import Any


def normalised(keras: Any, x: Any) -> Any:
    """`x` after batch normalisation (Ioffe & Szegedy, ICML 2015), epsilon 1e-3 as Keras has it."""
    first = keras.backend.image_data_format() == "channels_first"
    return keras.layers.BatchNormalization(axis=1 if first else -1, epsilon=1e-3)(x)
