"""Optimisers as Keras 2.1.5 defines them, on every Keras.

Keras 3 differs in two ways. It has no `decay`; the same schedule, rate / (1 + decay * steps), is
its InverseTimeDecay. And its RMSprop adds epsilon inside the square root, where Keras 2 adds it
outside: that difference stays, for it is the framework's own, and is small for gradients that are
large against the root of epsilon (1e-7).
"""

from typing import Any


def is_keras3(keras: Any) -> bool:
    """Whether this Keras has the interface of Keras 3."""
    return int(keras.__version__.split(".")[0]) >= 3  # noqa: PLR2004


def rmsprop(keras: Any, rate: float, decay: float = 0.0) -> Any:
    """RMSprop with rho 0.9 (Hinton, lecture 6e of Neural Networks for Machine Learning, 2012)."""
    if not is_keras3(keras):
        return keras.optimizers.RMSprop(lr=rate, decay=decay)
    if not decay:
        return keras.optimizers.RMSprop(learning_rate=rate)
    schedule = keras.optimizers.schedules.InverseTimeDecay(rate, decay_steps=1, decay_rate=decay)
    return keras.optimizers.RMSprop(learning_rate=schedule)


def adam(keras: Any, rate: float) -> Any:
    """Adam with beta 0.9 and 0.999 (Kingma & Ba, ICLR 2015)."""
    if is_keras3(keras):
        return keras.optimizers.Adam(learning_rate=rate)
    return keras.optimizers.Adam(lr=rate)


def compile_default(keras: Any, model: Any) -> None:
    """What a user's model is trained with when its file has no `compile`: Adam at 1e-3."""
    compile_classifier(model, adam(keras, 1e-3))


def compile_classifier(model: Any, optimizer: Any) -> None:
    """Cross-entropy of one-hot labels, with accuracy, as in all published scripts."""
    model.compile(loss="categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
