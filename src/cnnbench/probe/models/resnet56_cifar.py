"""ResNet-56 for CIFAR-10: the 56-layer ResNet v1 of He et al. (CVPR 2016), section 4.2.

It is the network that the published CIFAR-10 and, at 256x256 with 1000 classes, the published
ImageNet tables call "ResNet50V1".
"""

from typing import Any, Tuple

from ._resnet_cifar import SMALLEST, build_depth, compile  # noqa: A004

__all__ = ["PARAMETERS", "SMALLEST", "build", "compile"]

PARAMETERS = {((32, 32, 3), 10): 861770, ((256, 256, 3), 1000): 4958120}


def build(keras: Any, shape: Tuple[int, int, int], classes: int) -> Any:
    """Three stacks of 9 blocks."""
    return build_depth(keras, shape, classes, blocks=9)
