"""Apache MXNet under Keras 2, by keras-mxnet."""

import functools
import json
from time import perf_counter as clock
from typing import Any, Callable, Dict

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
    "replicate",
    "scope",
]


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
