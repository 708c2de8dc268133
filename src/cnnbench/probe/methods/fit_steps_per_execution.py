"""`fit` with `steps_per_execution=8`: Keras 3 comes back to Python after eight training steps.

A window is that of `fit`, its steps rounded up to a multiple of eight, the first step too. Only
TensorFlow makes one program of the eight; JAX runs its step eight times between two callbacks, and
PyTorch knows one step only, as does Keras 2: both are unsupported.
"""

from typing import Any

from ..faults import Unsupported
from ..recipes import steps_per_execution
from .fit import repeat

IN_MEMORY = True
FROM_START = True
ONE_STEP = False


def train(task: Any, windows: Any) -> None:
    """Call `fit` with as many steps per execution until the host has seen enough."""
    if task.keras.backend.backend() == "torch":
        raise Unsupported("Keras %s has no steps_per_execution on torch" % task.keras.__version__)
    steps_per_execution.compiled(task.keras, task.model)
    repeat(task, windows)
