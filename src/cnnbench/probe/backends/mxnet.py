"""Apache MXNet under Keras 2, by keras-mxnet."""

import functools
import json
from time import perf_counter as clock
from typing import Any, Callable, Dict, List

from . import _keras2
from ._layout import one_layout
from ._one_device import scope

__all__ = [
    "boot",
    "clock",
    "compiled",
    "convolutions",
    "facts",
    "fence",
    "read_back",
    "replicate",
    "scope",
    "slots",
    "watch",
    "weights",
]

KERNELS_OUT_FIRST = ("channels_first",)


def boot(case: Any, threads: int, seed: int) -> Any:  # noqa: ARG001
    """Start MXNet, whose CPU threads are those of OpenMP, then Keras."""
    import mxnet

    mxnet.random.seed(seed)
    return _keras2.boot(case, seed)


def facts(keras: Any) -> Dict[str, Any]:
    """Versions and the device that MXNet can compute on."""
    import mxnet

    try:
        mxnet.nd.ones((1,), ctx=mxnet.gpu(0)).wait_to_read()
    except mxnet.base.MXNetError:
        device = "cpu"
    else:
        device = "gpu"
    return dict(_keras2.facts(keras), device=device, backend_version=mxnet.__version__)


def replicate(keras: Any, model: Any, case: Any) -> Any:  # noqa: ARG001
    """The model, whose `compile` is told its contexts and that gradients are to be averaged.

    MXNet sums the gradients of the contexts, of which each is that of the mean loss of its part.
    """
    contexts = ["%s(%d)" % (case["device"], number) for number in range(case["devices"])]
    compile_alone = model.compile

    @functools.wraps(compile_alone)
    def compile_for_all(*args: Any, **kwargs: Any) -> None:
        compile_alone(*args, context=contexts, **kwargs)
        model.optimizer.rescale_grad /= len(contexts)

    model.compile = compile_for_all
    return model


def compiled(keras: Any, model: Any) -> Dict[str, Any]:
    """How the model computes, and in how many parts its batches are split."""
    return dict(_keras2.compiled(keras, model), devices=len(model._context))  # noqa: SLF001


def fence(keras: Any, model: Any) -> Callable[[], None]:  # noqa: ARG001
    """Wait for everything that was pushed to MXNet's engine."""
    import mxnet

    return mxnet.nd.waitall  # type: ignore[no-any-return]


def weights(keras: Any, model: Any) -> List[Any]:  # noqa: ARG001
    """All weights from where the module trains them.

    Keras' own copies are not what is trained once `set_weights` was called (keras-mxnet 2.1.6).
    """
    trained, averaged = model._module.get_params()  # noqa: SLF001
    values = dict(trained, **averaged)
    return [values[weight.name].asnumpy() for layer in model.layers for weight in layer.weights]


def slots(keras: Any, model: Any) -> Dict[str, List[Any]]:  # noqa: ARG001
    """The optimiser's state, which MXNet's updater keeps by the number of the argument."""
    import numpy as np

    module = model._module._curr_module  # noqa: SLF001
    updater = module._updater  # noqa: SLF001
    names = module._exec_group.param_names  # noqa: SLF001
    states = {names[number]: state for number, state in updater.states.items()}
    kinds = _keras2.SLOTS[type(model.optimizer).__name__]
    own = [states[weight.name] for weight in model.trainable_weights]
    found = {kind: [state[number].asnumpy() for state in own] for number, kind in enumerate(kinds)}
    return dict(found, iterations=[np.array(model.optimizer.num_update)])


def read_back(keras: Any, model: Any) -> Any:  # noqa: ARG001
    """From where the module trains it, past Keras' copy."""
    module = model._module._curr_module  # noqa: SLF001
    group = module._exec_group  # noqa: SLF001
    first = group.param_names.index(model.trainable_weights[0].name)
    return group.param_arrays[first][0].asnumpy()


def watch(keras: Any, model: Any) -> Callable[[], Dict[str, int]]:  # noqa: ARG001
    """Count what the module is given to go forward with."""
    counts = {"passes": 0, "images": 0, "calls": 0}
    forward = model._module.forward  # noqa: SLF001

    def counted(batch: Any, *args: Any, **kwargs: Any) -> Any:
        counts["passes"] += 1
        counts["images"] += int(batch.data[0].shape[0])
        return forward(batch, *args, **kwargs)

    model._module.forward = counted  # noqa: SLF001
    return lambda: dict(counts)


def convolutions(keras: Any, model: Any) -> str:  # noqa: ARG001
    """The layout attributes of the convolutions in the symbol; without one, channels come first."""
    nodes = json.loads(model._train_mxnet_symbol.tojson())["nodes"]  # noqa: SLF001
    layouts = []
    for node in nodes:
        if node["op"] == "Convolution":
            attributes = node.get("attrs") or node.get("attr") or node.get("param") or {}
            layouts.append(
                "channels_last" if attributes.get("layout") == "NHWC" else "channels_first"
            )
    return one_layout(layouts)
