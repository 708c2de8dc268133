"""Compile the whole training step: by XLA under TensorFlow, by `torch.compile` under PyTorch.

Keras 3 does that by itself on JAX, and on a GPU under TensorFlow. Fused operations read and write
less memory; compiling takes seconds to minutes, in the first step.
"""

from typing import Any

from ..faults import Unsupported
from ..optimizers import is_keras3

CHANGES = "rounding"
SOURCE = "Keras 3, Model.compile(jit_compile=True)"
SLOT = "jit"


def refusal(case: Any) -> str:
    """Where it is on, or not known."""
    backend = case["backend"]
    if case["stack"].startswith("keras2"):
        return "Keras 2 has no jit_compile"
    return "" if backend in {"tensorflow", "torch"} else "%s has no such switch" % backend


def compiled(keras: Any, model: Any) -> None:
    """As `compile` would have set it: the step is not built before the first is taken."""
    if not is_keras3(keras):
        raise Unsupported("Keras %s has no jit_compile" % keras.__version__)
    model.jit_compile = True
