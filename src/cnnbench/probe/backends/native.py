"""Plain PyTorch, without Keras: the models of `native/`, trained as one writes it by hand."""

from time import perf_counter as clock
from typing import Any, Callable, Dict, List

from .. import plugins
from ..faults import Unsupported
from ..stepper import Stepper, nothing
from . import _native_keras, _torch
from ._one_device import replicate, scope

__all__ = [
    "boot",
    "clock",
    "compiled",
    "convolutions",
    "definition",
    "facts",
    "fence",
    "read_back",
    "replicate",
    "scope",
    "slots",
    "stepper",
    "watch",
    "weights",
    "without_dropout",
]


def boot(case: Any, threads: int, seed: int) -> Any:
    """Start PyTorch on `threads` CPUs."""
    import numpy as np
    import torch

    if case["devices"] > 1:
        raise Unsupported("plain PyTorch trains on one device here; take --devices 1")
    if case["precision"] == "float16":
        raise Unsupported("plain PyTorch scales no losses here; take --precision bfloat16")
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002  `fit` shuffles by it
    if case["device"] == "gpu":
        if not torch.cuda.is_available():
            raise Unsupported("PyTorch sees no GPU")
        _torch.set_tf32(case["precision"] == "tf32")
    return _native_keras.Keras(case)


def facts(keras: Any) -> Dict[str, Any]:
    """Versions, and what is computed on and in."""
    import numpy as np
    import torch

    own = keras.precision == "bfloat16"
    return {
        "backend": "native",
        "backend_version": torch.__version__,
        "numpy_version": np.__version__,
        "data_format": keras.data_format,
        "precision": "bfloat16" if own else _torch.float32(),
        "device": {"cuda": "gpu"}.get(keras.device, keras.device),
        "torch_threads": torch.get_num_threads(),
    }


def definition(name: str) -> Any:
    """A model of `native/`, which must have as many parameters as Keras' one."""
    known = getattr(plugins.load("models", name), "PARAMETERS", {})
    return _native_keras.Definition(plugins.load("native", name), known)


def compiled(keras: Any, model: Any) -> Dict[str, Any]:  # noqa: ARG001
    """The type that the model computes in, as seen in a pass forward."""
    found = model.computes_in()
    computes_in = _torch.float32() if found == "float32" else found
    return {"computes_in": computes_in, "jit": "none", "devices": 1}


def fence(keras: Any, model: Any) -> Callable[[], None]:  # noqa: ARG001
    """Wait for the GPU's queue."""
    return _torch.wait


def convolutions(keras: Any, model: Any) -> str:  # noqa: ARG001
    """How the images that `conv2d` is given lie in memory, seen in one forward pass."""
    return _torch.layout(model.run)


def without_dropout(keras: Any) -> None:
    """Models that are built from now on drop nothing."""
    keras.dropout = False


def weights(keras: Any, model: Any) -> List[Any]:  # noqa: ARG001
    """All weights, in Keras' order and layout."""
    found: List[Any] = model.get_weights()
    return found


def slots(keras: Any, model: Any) -> Dict[str, List[Any]]:  # noqa: ARG001
    """The optimiser's state: arrays of each kind, in the order of the trainable weights."""
    found: Dict[str, List[Any]] = model.slots()
    return found


def read_back(keras: Any, model: Any) -> Any:  # noqa: ARG001
    """A copy of the first layer's kernel."""
    first = model.module.keras_order()[0]
    return first.weight.detach().cpu().numpy().copy()


def stepper(keras: Any, model: Any) -> Stepper:
    """The training step on tensors, or on what becomes one."""
    import torch

    def resident(array: Any) -> Any:
        return torch.from_numpy(array).to(keras.device)

    return Stepper(step=model.trained, wait=_torch.wait, settle=nothing, resident=resident)


def watch(keras: Any, model: Any) -> Callable[[], Dict[str, int]]:  # noqa: ARG001
    """Count passes as the module is called."""
    sizes: List[int] = []
    model.module.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    return lambda: {"passes": len(sizes), "images": sum(sizes), "calls": len(sizes)}
