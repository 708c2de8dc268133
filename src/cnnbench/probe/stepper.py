"""A training step by itself, as backends give it: without the loop that Keras puts around it."""

from typing import Any, Callable, NamedTuple

Stepper = NamedTuple(
    "Stepper",
    [
        ("step", Callable[[Any, Any], Any]),  # trains on a batch; nobody waits for it
        ("wait", Callable[[], Any]),  # until the device has done all steps so far
        ("settle", Callable[[], Any]),  # the model has what the steps made of it
        ("resident", Callable[[Any], Any]),  # an array, where the device has it
    ],
)

NONE_IN_KERAS_2 = "Keras 2 has no step without its loop; take a stack of Keras 3"


def nothing() -> None:
    """What settles a model that its steps change in place."""
