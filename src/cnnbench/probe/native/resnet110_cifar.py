"""ResNet-110 for CIFAR-10."""

from typing import Any, Tuple

from ._resnet_cifar import BATCH, CLASSES, INITIALIZER, L2, OPTIMIZER, SHAPE, build_depth

__all__ = ["BATCH", "CLASSES", "INITIALIZER", "L2", "OPTIMIZER", "SHAPE", "build"]


def build(
    shape: Tuple[int, int, int],
    classes: int,
    *,
    symmetric: bool = False,
    channels_first: bool = False,
) -> Any:
    """Three stacks of 18 blocks."""
    return build_depth(shape, classes, 18, symmetric=symmetric, channels_first=channels_first)
