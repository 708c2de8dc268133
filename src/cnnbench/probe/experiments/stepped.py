"""No loop of Keras', and no waiting: its compiled step alone, on kept batches in host memory."""

from typing import Any

from ._steps import repeat


def train(task: Any, windows: Any, method: Any, stepper: Any) -> None:  # noqa: ARG001
    """Take steps."""
    of = stepper()
    repeat(task, windows, of.step, of.settle, lambda array: array)
