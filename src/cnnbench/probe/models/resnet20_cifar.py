"""ResNet-20 for CIFAR-10: the 20-layer ResNet v1 of He et al. (CVPR 2016), section 4.2."""

from typing import Any, Tuple

from ._resnet_cifar import SMALLEST, build_depth, compile  # noqa: A004

__all__ = ["PARAMETERS", "SMALLEST", "build", "compile"]

PARAMETERS = {((32, 32, 3), 10): 274442}


def build(keras: Any, shape: Tuple[int, int, int], classes: int) -> Any:
    """Three stacks of 3 blocks."""
    return build_depth(keras, shape, classes, blocks=3)
