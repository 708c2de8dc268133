"""No loop of Keras': its compiled step alone, on kept batches, each step waited for."""

from typing import Any

from ._steps import repeat


def train(task: Any, windows: Any, method: Any, stepper: Any) -> None:  # noqa: ARG001
    """Take steps, and wait for each."""
    of = stepper()

    def step(x: Any, y: Any) -> None:
        of.step(x, y)
        of.wait()

    repeat(task, windows, step, of.settle, lambda array: array)
