"""TensorFlow: 1.x under Keras 2, 2.x under Keras 3."""

from time import perf_counter as clock
from typing import Any, Callable, Dict

from . import _keras2, _keras3
from ._layout import one_layout

__all__ = ["boot", "clock", "compiled", "convolutions", "facts", "fence"]


def boot(case: Any, threads: int, seed: int) -> Any:
    """Start TensorFlow on `threads` CPUs, then Keras."""
    import tensorflow as tf

    if _is_first(tf):
        keras = _keras2.boot(case, seed)
        tf.set_random_seed(seed)
        options = tf.ConfigProto(
            intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads
        )
        keras.backend.set_session(tf.Session(config=options))
        return keras
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    return _keras3.boot(case, seed)


def facts(keras: Any) -> Dict[str, Any]:
    """Versions and the first device that TensorFlow sees and would use."""
    import tensorflow as tf

    if _is_first(tf):
        devices = keras.backend.get_session().list_devices()
        kinds = {device.device_type.lower() for device in devices}
        found = _keras2.facts(keras)
    else:
        kinds = {device.device_type.lower() for device in tf.config.list_logical_devices()}
        found = _keras3.facts(keras)
    device = "gpu" if "gpu" in kinds else "cpu"
    return dict(found, device=device, backend_version=tf.__version__)


def compiled(keras: Any, model: Any) -> Dict[str, Any]:
    """How the model computes."""
    import tensorflow as tf

    return _keras2.compiled(keras, model) if _is_first(tf) else _keras3.compiled(model, "xla")


def fence(keras: Any, model: Any) -> Callable[[], None]:
    """Read the smallest weight back, which waits for the step that last changed it.

    TensorFlow 1's `Session.run` returns when the step's updates are made; TensorFlow 2 runs the
    step of a GPU behind the host, in order, and `sync_devices` waits for all that was sent.
    """
    import tensorflow as tf

    weights = model.trainable_weights
    smallest = min(weights, key=lambda weight: _size(weight.shape))
    if _is_first(tf):
        session = keras.backend.get_session()
        return lambda: session.run(smallest)

    def wait() -> None:
        tf.test.experimental.sync_devices()
        smallest.numpy()

    return wait


def convolutions(keras: Any, model: Any) -> str:
    """The layout attributes of the convolutions in the graph, as Keras made it for this device."""
    import tensorflow as tf

    if _is_first(tf):
        definition = keras.backend.get_session().graph.as_graph_def()
    else:
        shape = tf.TensorSpec((1,) + tuple(model.input_shape[1:]), "float32")
        traced = tf.function(lambda x: model(x, training=True)).get_concrete_function(shape)
        definition = traced.graph.as_graph_def()
    nodes = list(definition.node)
    for function in definition.library.function:
        nodes += function.node_def
    layouts = [
        node.attr["data_format"].s.decode()
        for node in nodes
        if node.op in ("Conv2D", "_FusedConv2D")
    ]
    return one_layout(
        "channels_last" if layout == "NHWC" else "channels_first" for layout in layouts
    )


def _is_first(tf: Any) -> bool:
    return bool(tf.__version__.startswith("1."))


def _size(shape: Any) -> int:
    size = 1
    for length in shape:
        size *= int(length)
    return size
