"""PyTorch under Keras 3."""

from time import perf_counter as clock
from typing import Any, Callable, Dict

from . import _keras3
from ._layout import one_layout

__all__ = ["boot", "clock", "compiled", "convolutions", "facts", "fence"]


def boot(case: Any, threads: int, seed: int) -> Any:
    """Start PyTorch on `threads` CPUs, then Keras."""
    import torch

    torch.set_num_threads(threads)
    return _keras3.boot(case, seed)


def facts(keras: Any) -> Dict[str, Any]:
    """Versions and the device that Keras puts tensors on."""
    import torch

    device = keras.ops.zeros(1).device.type
    found = _keras3.facts(keras)
    names = {"cuda": "gpu"}
    return dict(
        found,
        device=names.get(device, device),
        backend_version=torch.__version__,
        torch_threads=torch.get_num_threads(),
    )


def compiled(keras: Any, model: Any) -> Dict[str, Any]:  # noqa: ARG001
    """How the model computes."""
    return _keras3.compiled(model, "torch.compile")


def fence(keras: Any, model: Any) -> Callable[[], None]:  # noqa: ARG001
    """Wait for the GPU's queue; on a CPU an operation returns when it is done."""
    import torch

    return torch.cuda.synchronize if torch.cuda.is_available() else lambda: None


def convolutions(keras: Any, model: Any) -> str:  # noqa: ARG001
    """How the images that `conv2d` is given lie in memory, seen in one forward pass."""
    import torch
    from torch.overrides import TorchFunctionMode

    seen = []

    class Look(TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(
            self, function: Any, _: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            if function is torch.nn.functional.conv2d:
                last = args[0].is_contiguous(memory_format=torch.channels_last)
                first = args[0].is_contiguous()
                # A single channel or pixel lies both ways and says nothing.
                seen.extend(
                    ["channels_last" if last else "channels_first"] if last != first else []
                )
            return function(*args, **(kwargs or {}))

    images = torch.zeros((2,) + tuple(model.input_shape[1:]))
    with torch.no_grad(), Look():
        model(images, training=False)
    return one_layout(seen)
