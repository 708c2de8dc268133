"""Null: no framework. It knows shapes and parameters, and its clock is virtual.

A step takes what its images need at a made-up speed, give or take 2 % within a launch and 2 %
between launches, drawn from the launch's seed; nothing waits. Accuracy rises with the images. It
takes the whole system from command to table in seconds.
"""

import math
import random
from typing import Any, Callable, Dict

from ..stepper import Stepper, nothing
from . import _null_keras
from ._one_device import replicate, scope

__all__ = [
    "boot",
    "clock",
    "compiled",
    "convolutions",
    "facts",
    "fence",
    "macs",
    "replicate",
    "right",
    "scope",
    "stepper",
]

SECONDS_PER_IMAGE = 1e-3
FENCE_SECONDS = 1e-6
SPREAD = 0.02
BEST_ACCURACY, IMAGES_TO_LEARN = 0.9, 10000.0  # what is reached at last; images for 63 % of it

_state = {"now": 0.0, "devices": 1, "images": 0.0, "learns": 1.0}


def clock() -> float:
    """Virtual seconds."""
    return _state["now"]


def boot(case: Any, threads: int, seed: int) -> Any:  # noqa: ARG001
    """A Keras that computes nothing."""
    draw = random.Random(seed)  # noqa: S311
    _state["devices"] = case["devices"]
    _state["images"] = 0.0
    apart = random.Random(seed + 1)  # noqa: S311
    _state["learns"] = IMAGES_TO_LEARN * apart.lognormvariate(0, 5 * SPREAD)
    launch = SECONDS_PER_IMAGE / case["devices"] * draw.lognormvariate(0, SPREAD)

    def step(images: int) -> None:
        _state["images"] += images
        _state["now"] += images * launch * draw.lognormvariate(0, SPREAD)

    return _null_keras.Keras(case["data_format"], case["precision"], step)


def facts(keras: Any) -> Dict[str, Any]:
    """What was asked for: nothing can refuse."""
    return {
        "keras_version": keras.__version__,
        "backend": "null",
        "backend_version": keras.__version__,
        "data_format": keras.backend.image_data_format(),
        "precision": keras.backend.floatx(),
        "device": "cpu",
    }


def compiled(keras: Any, model: Any) -> Dict[str, Any]:  # noqa: ARG001
    """How the model would compute."""
    return {"computes_in": keras.backend.floatx(), "jit": "none", "devices": _state["devices"]}


def fence(keras: Any, model: Any) -> Callable[[], None]:  # noqa: ARG001
    """Costs a virtual microsecond."""

    def wait() -> None:
        _state["now"] += FENCE_SECONDS

    return wait


def right(model: Any, x: Any, y: Any) -> int:  # noqa: ARG001
    """As many as a model would classify rightly that had learned for so long."""
    share = BEST_ACCURACY * (1 - math.exp(-_state["images"] / _state["learns"]))
    return int(len(x) * share)


def stepper(keras: Any, model: Any) -> Stepper:
    """A step of virtual time."""
    return Stepper(
        step=model.train_on_batch, wait=fence(keras, model), settle=nothing, resident=lambda x: x
    )


def macs(model: Any, *, channels_first: bool) -> int:  # noqa: ARG001
    """Multiply-accumulates forward of one image, by the shapes."""
    return int(model.count_macs())


def convolutions(keras: Any, model: Any) -> str:  # noqa: ARG001
    """None was run."""
    return "none"
