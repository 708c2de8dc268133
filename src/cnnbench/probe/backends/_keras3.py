"""What every stack of Keras 3 has in common."""

from typing import Any, Callable, Dict, List, Optional

from .. import releases
from ..faults import Unsupported
from ..stepper import Stepper, nothing

# TF32 is no type of Keras': it is how a GPU multiplies float32, which each backend switches.
POLICIES = {
    "tf32": "float32",
    "float32": "float32",
    "bfloat16": "mixed_bfloat16",
    "float16": "mixed_float16",
}
PRECISIONS = {policy: precision for precision, policy in POLICIES.items()}
SLOTS = ("momentum", "velocity")
STEPPED = ("3.15",)  # releases whose compiled step is called here without its loop


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


def is_tf32(case: Any) -> Optional[bool]:
    """Whether float32 is to be multiplied in TF32; None where that does not matter."""
    if case["device"] != "gpu" or POLICIES[case["precision"]] != "float32":
        return None
    return bool(case["precision"] == "tf32")


def facts(keras: Any, float32: str = "float32") -> Dict[str, Any]:
    """What Keras itself says of how it runs; `float32` is what the backend multiplies that in."""
    import numpy as np

    policy = keras.config.dtype_policy().name
    precision = PRECISIONS.get(policy, policy)
    return {
        "keras_version": keras.__version__,
        "numpy_version": np.__version__,
        "backend": keras.backend.backend(),
        "data_format": keras.config.image_data_format(),
        "precision": float32 if precision == "float32" else precision,
    }


def compiled(model: Any, compiler: str, float32: str = "float32") -> Dict[str, Any]:
    """The type that the model's kernels are used in, and by what its step is compiled."""
    kinds = sorted({layer.compute_dtype for layer in model.layers if layer.weights})
    computes_in = " ".join(kinds)
    return {
        "computes_in": float32 if computes_in == "float32" else computes_in,
        "jit": compiler if model.jit_compile else "none",
    }


def variables(model: Any) -> Any:
    """Everything that a training step changes."""
    return [*model.variables, *model.optimizer.variables]


def slots(keras: Any, model: Any) -> Dict[str, List[Any]]:
    """The optimiser's state: arrays of each kind, in the order of the trainable weights."""
    import numpy as np

    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)

    def values(variables: Any) -> List[Any]:
        return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]

    found = {"iterations": values([optimizer.iterations])}
    for kind in SLOTS:
        found[kind] = values(v for v in optimizer.variables if v.path.endswith(kind))
    if optimizer is not model.optimizer:
        found["scale"] = values([model.optimizer.dynamic_scale])
    return found


def renew(keras: Any, model: Any) -> None:  # noqa: ARG001
    """Have the optimiser, and what is told of batches, begin as those of a new model."""
    optimizer = model.optimizer
    first = type(optimizer).from_config(optimizer.get_config())
    first.build(model.trainable_variables)
    for variable, begun in zip(optimizer.variables, first.variables):
        variable.assign(begun.value)
    model.reset_metrics()


def weights(keras: Any, model: Any) -> List[Any]:  # noqa: ARG001
    """All weights, in Keras' order."""
    return list(model.get_weights())


def read_back(keras: Any, model: Any) -> Any:
    """A copy of the first layer's kernel."""
    import numpy as np

    return np.array(keras.ops.convert_to_numpy(model.trainable_weights[0]))


def watch(model: Any, note: Callable[[Any], None]) -> Callable[[], int]:
    """Have every call of the model noted; gives a function that counts its calls from Python.

    Args:
        model: Not traced yet.
        note: Called with the images, where the backend traces or runs the call.
    """
    calls = []
    call = model.call

    def noted(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        note(inputs)
        return call(inputs, *args, **kwargs)

    model.call = noted
    return calls.__len__


def stepper(keras: Any, model: Any, wait: Callable[[], None]) -> Stepper:
    """Keras' compiled step of a model that has trained on a batch, and is changed in place."""
    releases.keras3(keras, STEPPED, "what takes single steps")
    return Stepper(
        step=lambda x, y: model.train_function([(x, y, None)]),
        wait=wait,
        settle=nothing,
        resident=keras.ops.convert_to_tensor,
    )
