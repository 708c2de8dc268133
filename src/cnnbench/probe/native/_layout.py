"""Weights of PyTorch's layers as Keras lists them and lays them out."""

from typing import Any, List, Tuple

CONVOLUTION = 4  # dimensions of a convolution's kernel


def weights(layer: Any) -> List[Tuple[str, Any]]:
    """Kind and view of each weight of a layer: to change the view is to change the weight."""
    import torch

    if isinstance(layer, torch.nn.BatchNorm2d):
        return [
            ("gamma", layer.weight.data),
            ("beta", layer.bias.data),
            ("mean", layer.running_mean),
            ("variance", layer.running_var),
        ]
    return [("kernel", as_keras(layer.weight.data)), ("bias", layer.bias.data)]


def as_keras(value: Any) -> Any:
    """(out, in, rows, columns) as (rows, columns, in, out); (out, in) as (in, out)."""
    if value.dim() == CONVOLUTION:
        return value.permute(2, 3, 1, 0)
    return value.t() if value.dim() > 1 else value


def as_torch(value: Any) -> Any:
    """The inverse of `as_keras`."""
    if value.dim() == CONVOLUTION:
        return value.permute(3, 2, 0, 1)
    return value.t() if value.dim() > 1 else value
