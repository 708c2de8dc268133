"""PyTorch under Keras 3."""

import os
import sys
from time import perf_counter as clock
from typing import Any, Callable, Dict, List

from .. import ranks
from ..faults import Unsupported
from ..stepper import Stepper
from . import _keras3, _torch
from ._keras3 import read_back, renew, slots, weights
from ._one_device import scope

__all__ = [
    "RANKS",
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

RANKS = True  # DistributedDataParallel: one process a device


def boot(case: Any, threads: int, seed: int) -> Any:
    """Start PyTorch on `threads` CPUs, then Keras."""
    import torch

    torch.set_num_threads(max(1, threads // case["devices"]))
    if case["devices"] > 1:
        _meet(case["device"], case["devices"])
    _torch.set_tf32(_keras3.is_tf32(case))
    return _keras3.boot(case, seed)


def facts(keras: Any) -> Dict[str, Any]:
    """Versions and the device that Keras puts tensors on."""
    import torch

    device = keras.ops.zeros(1).device.type
    found = _keras3.facts(keras, _torch.float32())
    names = {"cuda": "gpu"}
    return dict(
        found,
        device=names.get(device, device),
        backend_version=torch.__version__,
        torch_threads=torch.get_num_threads(),
    )


def replicate(keras: Any, model: Any, case: Any) -> Any:  # noqa: ARG001
    """The model, whose step calls it by `DistributedDataParallel`, and is Keras' own otherwise.

    Keras has no buffers to be sent around: each rank's moving statistics are of its own images.
    """
    from torch.nn.parallel import DistributedDataParallel

    if case["devices"] == 1:
        return model
    device = [ranks.own()] if case["device"] == "gpu" else None
    parallel = DistributedDataParallel(model, device_ids=device)

    class Trained:
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return parallel(*args, **kwargs)

        def __getattr__(self, name: str) -> Any:
            return getattr(model, name)

    trained = Trained()
    model.train_step = lambda data: type(model).train_step(trained, data)
    return model


def compiled(keras: Any, model: Any) -> Dict[str, Any]:  # noqa: ARG001
    """How the model computes, and how many processes average their gradients."""
    import torch

    group = torch.distributed
    devices = group.get_world_size() if group.is_available() and group.is_initialized() else 1
    return dict(_keras3.compiled(model, "torch.compile", _torch.float32()), devices=devices)


def fence(keras: Any, model: Any) -> Callable[[], None]:  # noqa: ARG001
    """Wait for the GPU's queue, and all ranks."""
    return _torch.wait


def convolutions(keras: Any, model: Any) -> str:  # noqa: ARG001
    """How the images that `conv2d` is given lie in memory, seen in one forward pass."""
    import torch

    images = torch.zeros((2,) + tuple(model.input_shape[1:]))
    return _torch.layout(lambda: model(images, training=False))


def stepper(keras: Any, model: Any) -> Stepper:
    """Keras' step, compiled or not."""
    return _keras3.stepper(keras, model, _torch.wait)


def watch(keras: Any, model: Any) -> Callable[[], Dict[str, int]]:  # noqa: ARG001
    """Count passes as they are called; a compiled step calls the model only when it is traced."""
    sizes: List[int] = []
    calls = _keras3.watch(model, lambda batch: sizes.append(len(batch)))
    return lambda: {"passes": len(sizes), "images": sum(sizes), "calls": calls()}


def _meet(device: str, count: int) -> None:
    """Join the other ranks, by a file in the launch's own folder and by the loopback."""
    import torch

    if device == "gpu":
        if torch.cuda.device_count() < count:
            raise Unsupported(
                "asked for %d GPUs, PyTorch sees %d" % (count, torch.cuda.device_count())
            )
        torch.cuda.set_device(ranks.own())
    os.environ["GLOO_SOCKET_IFNAME"] = "lo0" if sys.platform == "darwin" else "lo"
    torch.distributed.init_process_group(
        "nccl" if device == "gpu" else "gloo",
        init_method="file://" + os.path.abspath("ranks"),
        rank=ranks.own(),
        world_size=count,
    )
