"""What the stacks of Keras 2 have in common: up to 2.3, before it was TensorFlow's own."""

import random
from typing import Any, Dict, List

from ..faults import Unsupported

SLOTS = {"Adam": ("momentum", "velocity"), "RMSprop": ("velocity",)}


def boot(case: Any, seed: int) -> Any:
    """Import Keras in the case's data format; its configuration file is the launch's own, empty."""
    import numpy as np

    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  Keras 2 draws from it
    import keras

    version = tuple(int(part) for part in keras.__version__.split(".")[:2])
    if version > (2, 3):
        raise Unsupported(
            "Keras %s is TensorFlow's own; cnnbench runs Keras up to 2.3 and from 3.0 on"
            % keras.__version__
        )
    if case["precision"] != "float32":
        raise Unsupported("Keras %s has no mixed precision, nor TF32" % keras.__version__)
    keras.backend.set_image_data_format(case["data_format"])
    return keras


def facts(keras: Any) -> Dict[str, Any]:
    """What Keras itself says of how it runs."""
    import numpy as np

    return {
        "keras_version": keras.__version__,
        "numpy_version": np.__version__,
        "backend": keras.backend.backend(),
        "data_format": keras.backend.image_data_format(),
        "precision": keras.backend.floatx(),
    }


def compiled(keras: Any, model: Any) -> Dict[str, Any]:
    """The type that the model's output has, and so is computed in."""
    return {"computes_in": keras.backend.dtype(model.outputs[0]), "jit": "none"}


def slots(keras: Any, model: Any) -> Dict[str, List[Any]]:
    """The state of TensorFlow's optimisers: arrays of each kind, as the trainable weights are."""
    optimizer = model.optimizer
    kinds = SLOTS[type(optimizer).__name__]
    count = len(model.trainable_weights)
    arrays = optimizer.get_weights()
    # Adam's begin with the iterations, and end with what AMSGrad would keep.
    arrays = arrays[1:] if len(arrays) % count else arrays
    found = {
        kind: arrays[number * count : (number + 1) * count] for number, kind in enumerate(kinds)
    }
    return dict(found, iterations=[keras.backend.get_value(optimizer.iterations)])
