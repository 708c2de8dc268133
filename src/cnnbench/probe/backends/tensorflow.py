"""TensorFlow: 1.x under Keras 2, 2.x under Keras 3."""

import functools
from contextlib import contextmanager
from time import perf_counter as clock
from typing import Any, Callable, Dict, Iterator, List

from ..faults import Unsupported
from ..stepper import NONE_IN_KERAS_2, Stepper
from . import _keras2, _keras3
from ._keras3 import weights
from ._layout import one_layout

__all__ = [
    "boot",
    "clock",
    "compiled",
    "convolutions",
    "facts",
    "fence",
    "read_back",
    "renew",
    "replicate",
    "scope",
    "slots",
    "stepper",
    "watch",
    "weights",
]


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
    if case["devices"] > 1 and case["device"] == "cpu":
        cpu = tf.config.list_physical_devices("CPU")[0]
        parts = [tf.config.LogicalDeviceConfiguration()] * case["devices"]
        tf.config.set_logical_device_configuration(cpu, parts)
    tf32 = _keras3.is_tf32(case)
    if tf32 is not None:
        tf.config.experimental.enable_tensor_float_32_execution(tf32)
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
        found = _keras3.facts(keras, _float32(tf))
    device = "gpu" if "gpu" in kinds else "cpu"
    return dict(found, device=device, backend_version=tf.__version__)


@contextmanager
def scope(keras: Any, case: Any) -> Iterator[None]:  # noqa: ARG001
    """TensorFlow 2 mirrors the variables that are made in its strategy's scope."""
    import tensorflow as tf

    if case["devices"] == 1 or _is_first(tf):
        yield
        return
    here = tf.config.list_logical_devices(case["device"].upper())[: case["devices"]]
    with tf.distribute.MirroredStrategy([device.name for device in here]).scope():
        yield


def replicate(keras: Any, model: Any, case: Any) -> Any:
    """The model on all devices: by Keras 2's `multi_gpu_model`, or by TensorFlow 2's strategy.

    Under a strategy Keras 3's `fit` splits batches, but its `train_on_batch` gives the whole of
    each to every device; here it is given them split.
    """
    import tensorflow as tf

    if case["devices"] == 1:
        return model
    if _is_first(tf):
        try:
            return keras.utils.multi_gpu_model(model, gpus=case["devices"])
        except ValueError as error:
            raise Unsupported(str(error)) from error
    train_whole = model.train_on_batch
    strategy = model.distribute_strategy

    def split(batch: Any) -> Any:
        def part(context: Any) -> Any:
            number = context.replica_id_in_sync_group
            with tf.device(strategy.extended.worker_devices[number]):
                start = number * case["batch_size"]
                return tf.convert_to_tensor(batch[start : start + case["batch_size"]])

        return strategy.experimental_distribute_values_from_function(part)

    def train_on_batch(x: Any, y: Any) -> Any:
        if not model.optimizer.built:
            # Keras makes metrics and optimiser from a batch's shape, which a split one has not.
            model._maybe_symbolic_build(data_batch=(x, y, None))  # noqa: SLF001
        return train_whole(split(x), split(y))

    model.train_on_batch = train_on_batch
    return model


def compiled(keras: Any, model: Any) -> Dict[str, Any]:
    """How the model computes, and on how many devices."""
    import tensorflow as tf

    if _is_first(tf):
        operations = keras.backend.get_session().graph.get_operations()
        replicas = {op.device for op in operations if op.name.startswith("replica_")}
        return dict(_keras2.compiled(keras, model), devices=max(1, len(replicas)))
    facts = _keras3.compiled(model, "xla", _float32(tf))
    return dict(facts, devices=model.distribute_strategy.num_replicas_in_sync)


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
        forward = functools.partial(model, training=True)
        run = model.distribute_strategy.run
        traced = tf.function(lambda x: run(forward, args=(x,))).get_concrete_function(shape)
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


def slots(keras: Any, model: Any) -> Dict[str, List[Any]]:
    """The optimiser's state."""
    import tensorflow as tf

    return _keras2.slots(keras, model) if _is_first(tf) else _keras3.slots(keras, model)


def stepper(keras: Any, model: Any) -> Stepper:
    """Keras 3's compiled step; TensorFlow 1 is fed by Python in each."""
    import tensorflow as tf

    if _is_first(tf):
        raise Unsupported(NONE_IN_KERAS_2)
    return _keras3.stepper(keras, model, fence(keras, model))


def order_updates(keras: Any) -> None:
    """Have TensorFlow 1 update no weight before all gradients are there.

    Keras 2 asks for no order, and the variables of TensorFlow 1 are read where they lie: what goes
    back through a layer may meet its weights as they are after the step.
    """
    import tensorflow as tf

    gradients = keras.optimizers.Optimizer.get_gradients

    def ordered(self: Any, loss: Any, params: Any) -> Any:
        return tf.tuple(gradients(self, loss, params))

    keras.optimizers.Optimizer.get_gradients = ordered


def renew(keras: Any, model: Any) -> None:
    """Have all but the weights begin as with a new model; of TensorFlow 1, the weights too.

    Some of what its batch normalisation keeps is in no model: how often it has averaged.
    """
    import tensorflow as tf

    if _is_first(tf):
        keras.backend.get_session().run(tf.global_variables_initializer())
    else:
        _keras3.renew(keras, model)


def read_back(keras: Any, model: Any) -> Any:
    """A copy of the first layer's kernel."""
    import tensorflow as tf

    if _is_first(tf):
        return keras.backend.get_value(model.trainable_weights[0])
    return _keras3.read_back(keras, model)


def watch(keras: Any, model: Any) -> Callable[[], Dict[str, int]]:
    """Count passes where they are run: in variables of the graph, or by the runs of a session."""
    import tensorflow as tf

    if _is_first(tf):
        return _watch_session(keras, model)
    passes, images = (tf.Variable(0, trainable=False, dtype="int64") for _ in range(2))

    def note(batch: Any) -> None:
        passes.assign_add(1)
        images.assign_add(tf.shape(batch, out_type="int64")[0])

    calls = _keras3.watch(model, note)
    return lambda: {
        "passes": int(passes.numpy()),
        "images": int(images.numpy()),
        "calls": calls(),
    }


def _watch_session(keras: Any, model: Any) -> Callable[[], Dict[str, int]]:
    """By the runs that are fed with images: a graph runs its model once in each."""
    session = keras.backend.get_session()
    counts = {"passes": 0, "images": 0, "calls": 0}
    run = session.run

    def counted(fetches: Any, feed_dict: Any = None, **options: Any) -> Any:
        batch = (feed_dict or {}).get(model.inputs[0])
        if batch is not None:
            counts["passes"] += 1
            counts["images"] += len(batch)
        return run(fetches, feed_dict, **options)

    session.run = counted
    return lambda: dict(counts)


def _is_first(tf: Any) -> bool:
    return bool(tf.__version__.startswith("1."))


def _float32(tf: Any) -> str:
    on = tf.config.experimental.tensor_float_32_execution_enabled()
    return "tf32" if on and tf.config.list_logical_devices("GPU") else "float32"


def _size(shape: Any) -> int:
    size = 1
    for length in shape:
        size *= int(length)
    return size
