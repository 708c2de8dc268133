"""Leave XLA out of the training step, where Keras 3 would take it by itself.

That is under TensorFlow on GPUs. JAX is XLA's, and one operation after the other is no training.
"""

from typing import Any

CHANGES = "rounding"
SOURCE = "Keras 3, Model.compile(jit_compile=False)"
SLOT = "jit"


def refusal(case: Any) -> str:
    """Where nothing is compiled by itself."""
    if (case["backend"], case["device"]) == ("tensorflow", "gpu"):
        return ""
    return "it is of TensorFlow on GPUs"


def compiled(keras: Any, model: Any) -> None:  # noqa: ARG001
    """As `compile` would have set it."""
    model.jit_compile = False
