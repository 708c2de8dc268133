"""Have images with channels first lie in memory with channels last, as PyTorch computes fastest.

PyTorch keeps the shape and permutes the strides; convolutions follow the images that they are
given, layer after layer.
"""

from typing import Any

from . import _keras_torch

CHANGES = "rounding"
SOURCE = "PyTorch, Channels Last Memory Format"


def refusal(case: Any) -> str:
    """Of other backends, and where images lie so already."""
    lies = "" if case["data_format"] == "channels_first" else "they lie so with channels last"
    return _keras_torch.refusal(case) or lies


def compiled(keras: Any, model: Any) -> None:  # noqa: ARG001
    """Every call of the model lays its images so."""
    import torch

    call = model.call

    def laid(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(inputs, torch.Tensor):
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        return call(inputs, *args, **kwargs)

    model.call = laid
