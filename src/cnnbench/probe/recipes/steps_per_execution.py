"""Take eight training steps before coming back to Python.

It saves what Python and Keras cost between two steps, which is much of a small model's step.
"""

from typing import Any

from ..faults import Unsupported

CHANGES = "exact"
SOURCE = "Keras 3, Model.compile(steps_per_execution=8)"
ONE_STEP = False

STEPS = 8


def refusal(case: Any) -> str:
    """Of methods other than `fit`, and of backends that take one step at a time."""
    if case["method"] != "fit":
        return "it is of fit, not of %s" % case["method"]
    if case["stack"].startswith("keras2"):
        return "Keras 2 has none"
    return "" if case["backend"] in {"tensorflow", "jax"} else "%s has none" % case["backend"]


def compiled(keras: Any, model: Any) -> None:
    """As `compile` would have set it: the step is not built before the first `fit`."""
    if not hasattr(model, "steps_per_execution"):
        raise Unsupported("Keras %s has no steps_per_execution" % keras.__version__)
    model.steps_per_execution = STEPS
