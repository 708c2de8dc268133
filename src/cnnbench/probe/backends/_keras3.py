"""What every stack of Keras 3 has in common."""

from typing import Any, Dict

from ..faults import Unsupported

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
PRECISIONS = {policy: precision for precision, policy in POLICIES.items()}


def boot(case: Any, seed: int) -> Any:
    """Import Keras in the case's data format and precision; its configuration file is empty."""
    import keras

    if int(keras.__version__.split(".")[0]) < 3:  # noqa: PLR2004
        raise Unsupported(
            "Keras %s is TensorFlow's own; cnnbench runs Keras up to 2.3 and from 3.0 on"
            % keras.__version__
        )
    keras.utils.set_random_seed(seed)
    keras.config.set_image_data_format(case["data_format"])
    keras.config.set_dtype_policy(POLICIES[case["precision"]])
    return keras


def facts(keras: Any) -> Dict[str, Any]:
    """What Keras itself says of how it runs."""
    import numpy as np

    policy = keras.config.dtype_policy().name
    return {
        "keras_version": keras.__version__,
        "numpy_version": np.__version__,
        "backend": keras.backend.backend(),
        "data_format": keras.config.image_data_format(),
        "precision": PRECISIONS.get(policy, policy),
    }


def compiled(model: Any, compiler: str) -> Dict[str, Any]:
    """The type that the model's kernels are used in, and by what its step is compiled."""
    kinds = sorted({layer.compute_dtype for layer in model.layers if layer.weights})
    return {
        "computes_in": " ".join(kinds),
        "jit": compiler if model.jit_compile else "none",
        "steps_per_execution": model.steps_per_execution,
    }


def variables(model: Any) -> Any:
    """Everything that a training step changes."""
    return [*model.variables, *model.optimizer.variables]
