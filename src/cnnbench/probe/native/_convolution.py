"""Convolutions padded as Keras pads them: more at the end where sides cannot be alike."""

from typing import Any


def same(inputs: int, filters: int, kernel: int, stride: int, *, symmetric: bool) -> Any:
    """A convolution whose output has the size of its input over the stride, rounded up.

    Images have even sides. A 3x3 kernel of stride 2 then needs one row and one column of zeros:
    below and to the right, as TensorFlow has it; `symmetric` pads all sides and drops the last.
    """
    from torch import nn

    if stride == 1 or kernel == 1 or symmetric:
        return nn.Conv2d(inputs, filters, kernel, stride, padding=kernel // 2)
    convolution = nn.Conv2d(inputs, filters, kernel, stride)
    convolution.register_forward_pre_hook(
        lambda _, images: nn.functional.pad(images[0], (0, kernel - stride, 0, kernel - stride))
    )
    return convolution
