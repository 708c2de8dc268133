"""Nothing but the device's work: Keras' compiled step on kept batches that the device has."""

from typing import Any

from ._steps import repeat


def train(task: Any, windows: Any, method: Any, stepper: Any) -> None:  # noqa: ARG001
    """Take steps."""
    of = stepper()
    repeat(task, windows, of.step, of.settle, of.resident)
