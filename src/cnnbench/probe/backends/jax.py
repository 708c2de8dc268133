"""JAX under Keras 3."""

import os
from time import perf_counter as clock
from typing import Any, Callable, Dict, Iterator, List

from .. import releases
from ..stepper import Stepper
from . import _keras3
from ._keras3 import read_back, renew, slots, weights
from ._layout import one_layout
from ._one_device import replicate, scope

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
    "without_draws",
]


def boot(case: Any, threads: int, seed: int) -> Any:  # noqa: ARG001
    """Start Keras; XLA's thread pool has as many threads as the affinity has CPUs.

    Several devices share a step by Keras' own data parallelism. It is one program on the global
    batch, so batch normalisation takes the statistics of all devices' images.
    """
    devices = case["devices"]
    if devices > 1 and case["device"] == "cpu":
        flags = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = "%s --xla_force_host_platform_device_count=%d" % (flags, devices)
    import jax

    tf32 = _keras3.is_tf32(case)
    if tf32 is not None:
        jax.config.update("jax_default_matmul_precision", "tensorfloat32" if tf32 else "float32")
    keras = _keras3.boot(case, seed)
    if devices > 1:
        distribution = keras.distribution
        here = distribution.list_devices(jax.default_backend())[:devices]
        distribution.set_distribution(distribution.DataParallel(devices=here))
    return keras


def without_draws(keras: Any) -> None:
    """Have kernels begin as zeros: for each shape, XLA takes a second to compile a draw."""

    def zeros(self: Any, shape: Any, dtype: Any = None, **_: Any) -> Any:  # noqa: ARG001
        return keras.ops.zeros(shape, dtype)

    keras.initializers.VarianceScaling.__call__ = zeros


def facts(keras: Any) -> Dict[str, Any]:
    """Versions and the platform that JAX computes on."""
    import jax

    platform = jax.default_backend()
    found = _keras3.facts(keras, _float32())
    return dict(found, device=platform, backend_version=jax.__version__)


def compiled(keras: Any, model: Any) -> Dict[str, Any]:  # noqa: ARG001
    """How the model computes, and the devices that hold its variables."""
    devices = {device for v in model.variables for device in v.value.devices()}
    return dict(_keras3.compiled(model, "xla", _float32()), devices=len(devices))


def fence(keras: Any, model: Any) -> Callable[[], None]:  # noqa: ARG001
    """Wait for every array that a step makes: JAX returns from a step before it is done."""
    import jax

    return lambda: jax.block_until_ready([v.value for v in _keras3.variables(model)]) and None


def convolutions(keras: Any, model: Any) -> str:  # noqa: ARG001
    """The dimension numbers of the convolutions in the program that XLA is given."""
    import jax
    import numpy as np

    image = np.zeros((1,) + tuple(model.input_shape[1:]), "float32")
    trainable = [v.value for v in model.trainable_variables]
    others = [v.value for v in model.non_trainable_variables]
    program = jax.make_jaxpr(lambda x: model.stateless_call(trainable, others, x))(image)
    return one_layout(_layouts(program.jaxpr))


def stepper(keras: Any, model: Any) -> Stepper:
    """Keras' compiled step, which takes the state of all variables and gives it back."""
    import jax

    releases.keras3(keras, _keras3.STEPPED, "what takes single steps")
    kinds = ("trainable_variables", "non_trainable_variables")
    groups = [getattr(model, kind) for kind in kinds]
    groups += [model.optimizer.variables, model.metrics_variables]
    state = [tuple([v.value for v in group] for group in groups)]

    def step(x: Any, y: Any) -> None:
        _, state[0] = model.train_function(state[0], iter([(x, y, None)]))

    def settle() -> None:
        for group, values in zip(groups, state[0]):
            for variable, value in zip(group, values):
                variable.assign(value)

    return Stepper(
        step=step,
        wait=lambda: jax.block_until_ready(state[0]),
        settle=settle,
        resident=keras.ops.convert_to_tensor,
    )


def watch(keras: Any, model: Any) -> Callable[[], Dict[str, int]]:  # noqa: ARG001
    """Count passes where they are run: the program calls back."""
    import jax

    sizes: List[int] = []

    def note(batch: Any) -> None:
        jax.debug.callback(lambda size: sizes.append(int(size)), len(batch))

    calls = _keras3.watch(model, note)

    def counts() -> Dict[str, int]:
        jax.effects_barrier()
        return {"passes": len(sizes), "images": sum(sizes), "calls": calls()}

    return counts


def _layouts(program: Any) -> Iterator[str]:
    for step in program.eqns:
        numbers = step.params.get("dimension_numbers")
        if step.primitive.name == "conv_general_dilated":
            yield (
                "channels_last"
                if numbers.lhs_spec[1] == len(numbers.lhs_spec) - 1
                else "channels_first"
            )
        for inner in step.params.values():
            inner_program = getattr(inner, "jaxpr", None)
            if inner_program is not None:
                yield from _layouts(inner_program)


def _float32() -> str:
    import jax

    on = jax.config.jax_default_matmul_precision == "tensorfloat32"
    return "tf32" if on else "float32"
