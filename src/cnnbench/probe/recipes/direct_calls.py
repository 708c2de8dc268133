"""Go through a model's layers under Keras torch without what Keras does around each of them.

For every layer of every step, arguments are bound, flattened, checked and cast, masks looked for,
scopes entered and left: Python, which no compiler traces away here, and a GPU waits for it.
"""

from typing import Any, Callable, Dict, List, Optional

from .. import releases
from ..faults import Unsupported
from . import _keras_torch

CHANGES = "exact"
SOURCE = "Keras 3, Layer.__call__ and Function._run_through_graph"

RELEASES = ("3.15",)


def refusal(case: Any) -> str:
    """Of other backends: they trace the step."""
    return _keras_torch.refusal(case)


def compiled(keras: Any, model: Any) -> None:
    """Every training step and evaluation goes so through the model's own layers."""
    releases.keras3(keras, RELEASES, "this recipe")
    graph = getattr(model, "_functional", model)
    if not hasattr(graph, "_run_through_graph"):
        raise Unsupported("recipe direct_calls is of models that are a graph of layers")
    usual = graph._run_through_graph  # noqa: SLF001
    steps = _steps(keras, graph)

    def run(inputs: Any, operation_fn: Any, call_fn: Any = None) -> Any:
        training = operation_fn(_told)().get("training")
        if call_fn is not None or training is None:
            return usual(inputs, operation_fn, call_fn)
        tensors = {id(symbol): tensor for symbol, tensor in zip(graph.inputs, inputs)}
        for step in steps:
            step(tensors, operation_fn, training)
        found = [tensors[id(symbol)] for symbol in graph.outputs]
        return keras.tree.pack_sequence_as(graph._outputs_struct, found)  # noqa: SLF001

    graph._run_through_graph = run  # noqa: SLF001


def _told(**context: Any) -> Dict[str, Any]:
    """An operation that gives what it is told of the call."""
    return context


_told._call_context_args = {"training"}  # type: ignore[attr-defined]  # noqa: SLF001


def _steps(keras: Any, graph: Any) -> List[Callable[[Dict[int, Any], Any, Any], None]]:
    """What computes each node from the tensors known by then, in order."""
    known = set(map(id, graph.inputs))
    steps = []
    for depth in sorted(graph._nodes_by_depth, reverse=True):  # noqa: SLF001
        for node in graph._nodes_by_depth[depth]:  # noqa: SLF001
            if node.is_input or not known.issuperset(map(id, node.input_tensors)):
                continue
            known.update(map(id, node.outputs))
            steps.append(_step(keras, graph, node))
    return steps


def _step(keras: Any, graph: Any, node: Any) -> Callable[[Dict[int, Any], Any, Any], None]:
    """What computes a node: directly, if calling its layer on these arguments does nothing else."""
    layer = node.operation

    def usual(tensors: Dict[int, Any], operation_fn: Any, _: Any) -> None:
        args, kwargs = node.arguments.fill_in(tensors)
        found = keras.tree.flatten(operation_fn(layer)(*args, **kwargs))
        tensors.update(zip(map(id, node.outputs), found))

    symbols = _symbols(keras, node)
    if symbols is None or not _is_plain(keras, layer, graph):
        return usual
    import torch

    kind = getattr(torch, layer.compute_dtype)
    keys = [id(symbol) for symbol in symbols]
    is_list = isinstance(node.arguments.args[0], list)
    output = id(node.outputs[0])

    def direct(tensors: Dict[int, Any], operation_fn: Any, training: Any) -> None:
        given = [tensors[key] for key in keys]
        if any(getattr(tensor, "_keras_mask", None) is not None for tensor in given):
            usual(tensors, operation_fn, training)
            return
        cast = [x.to(kind) if x.is_floating_point() and x.dtype != kind else x for x in given]
        context = {"training": training} if layer._call_has_training_arg else {}  # noqa: SLF001
        tensors[output] = layer.call(cast if is_list else cast[0], **context)

    return direct


def _symbols(keras: Any, node: Any) -> Optional[List[Any]]:
    """The tensors that are a node's one argument, or its items; None where it has others."""
    args, kwargs = node.arguments.args, node.arguments.kwargs
    if len(args) != 1 or len(node.outputs) != 1 or any(v is not None for v in kwargs.values()):
        return None
    found = args[0] if isinstance(args[0], list) else [args[0]]
    return found if all(keras.utils.is_keras_tensor(symbol) for symbol in found) else None


def _is_plain(keras: Any, layer: Any, graph: Any) -> bool:
    """Whether a layer's computation is all that calling it does."""
    return (
        isinstance(layer, keras.Layer)
        and type(layer).__module__.startswith("keras.src.layers.")
        and not isinstance(layer, (keras.layers.Masking, keras.layers.Embedding))
        and layer.built
        and layer.autocast
        and layer.compute_dtype == graph.compute_dtype
        and layer.activity_regularizer is None
        and layer.quantization_mode is None
        and not layer._remat_mode  # noqa: SLF001
        and not (layer._forward_hooks or layer._forward_pre_hooks)  # noqa: SLF001
    )
