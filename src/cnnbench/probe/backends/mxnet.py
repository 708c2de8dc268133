"""Apache MXNet under Keras 2, by keras-mxnet."""

import json
from time import perf_counter as clock
from typing import Any, Callable, Dict

from . import _keras2
from ._layout import one_layout

__all__ = ["boot", "clock", "compiled", "convolutions", "facts", "fence"]


def boot(case: Any, threads: int, seed: int) -> Any:  # noqa: ARG001
    """Start MXNet, whose CPU threads are those of OpenMP, then Keras."""
    import mxnet

    mxnet.random.seed(seed)
    return _keras2.boot(case, seed)


def facts(keras: Any) -> Dict[str, Any]:
    """Versions and the device that keras-mxnet takes when it is given none."""
    import mxnet

    found = _keras2.facts(keras)
    context = mxnet.context.current_context()
    return dict(found, device=context.device_type, backend_version=mxnet.__version__)


def compiled(keras: Any, model: Any) -> Dict[str, Any]:
    """How the model computes."""
    return _keras2.compiled(keras, model)


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
