"""The CIFAR-10 ResNets, version 1: three stacks of basic blocks; Adam at 1e-3, L2 of 1e-4."""

from typing import Any, List, Tuple

from ._convolution import same
from ._initial import HE

SHAPE, CLASSES, BATCH = (32, 32, 3), 10, 4
OPTIMIZER = ("adam", {"rate": 1e-3})
L2 = 1e-4
INITIALIZER = HE
POOL = 8


def build_depth(  # noqa: C901  classes of PyTorch's are made where PyTorch is
    shape: Tuple[int, int, int], classes: int, blocks: int, *, symmetric: bool, channels_first: bool
) -> Any:
    """The module, with `blocks` residual blocks in each stack."""
    import torch
    from torch import nn

    def padded(inputs: int, filters: int, kernel: int, stride: int) -> Any:
        return same(inputs, filters, kernel, stride, symmetric=symmetric)

    def normalised(filters: int) -> Any:
        return nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01)

    class Block(nn.Module):  # type: ignore[misc]
        def __init__(self, inputs: int, filters: int, stride: int) -> None:
            super().__init__()
            self.first = padded(inputs, filters, 3, stride)
            self.first_norm = normalised(filters)
            self.activation = nn.ReLU()
            self.second = padded(filters, filters, 3, 1)
            self.second_norm = normalised(filters)
            # Where the shape changes: a convolution alone, without normalisation.
            self.shortcut = padded(inputs, filters, 1, stride) if stride > 1 else None
            self.output = nn.ReLU()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            shortcut = x if self.shortcut is None else self.shortcut(x)
            x = self.activation(self.first_norm(self.first(x)))
            return self.output(shortcut + self.second_norm(self.second(x)))

        def keras_order(self) -> List[Any]:
            """Keras sorts layers by their distance from the output."""
            last = (
                [self.second_norm] if self.shortcut is None else [self.shortcut, self.second_norm]
            )
            return [self.first, self.first_norm, self.second, *last]

    class ResNet(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.stem = padded(shape[2], 16, 3, 1)
            self.stem_norm = normalised(16)
            self.activation = nn.ReLU()
            found, inputs = [], 16
            for stack, filters in enumerate((16, 32, 64)):
                for block in range(blocks):
                    stride = 2 if stack > 0 and block == 0 else 1
                    found.append(Block(inputs, filters, stride))
                    inputs = filters
            self.blocks = nn.Sequential(*found)
            self.pool = nn.AvgPool2d(POOL)
            area = (shape[0] // 4 // POOL) * (shape[1] // 4 // POOL)
            self.output = nn.Linear(64 * area, classes)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            x = self.activation(self.stem_norm(self.stem(images)))
            x = self.pool(self.blocks(x))
            return self.output((x if channels_first else x.permute(0, 2, 3, 1)).flatten(1))

        def keras_order(self) -> List[Any]:
            inner = [layer for block in self.blocks for layer in block.keras_order()]
            return [self.stem, self.stem_norm, *inner, self.output]

    return ResNet()
