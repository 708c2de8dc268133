"""ResNet-50 v1 as of 2018: bottlenecks that stride in their first convolution; RMSprop at 1e-4."""

from typing import Any, List, Tuple

from ._initial import GLOROT

SHAPE, CLASSES, BATCH = (64, 64, 3), 100, 4
OPTIMIZER = ("rmsprop", {"rate": 1e-4})
L2 = 0.0
INITIALIZER = GLOROT

STAGES = ((3, 64, 1), (4, 128, 2), (6, 256, 2), (3, 512, 2))  # blocks, filters, stride
WIDER = 4  # a bottleneck's output against its filters


def build(  # noqa: C901  classes of PyTorch's are made where PyTorch is
    shape: Tuple[int, int, int],
    classes: int,
    *,
    symmetric: bool = False,  # noqa: ARG001  its strided convolutions are not padded
    channels_first: bool = False,  # noqa: ARG001  nothing is flattened
) -> Any:
    """The module, its weights as PyTorch draws them."""
    import torch
    from torch import nn

    def normalised(filters: int) -> Any:
        return nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01)

    class Bottleneck(nn.Module):  # type: ignore[misc]
        def __init__(self, inputs: int, filters: int, stride: int, *, widens: bool) -> None:
            super().__init__()
            self.reduce = nn.Conv2d(inputs, filters, 1, stride)
            self.reduce_norm = normalised(filters)
            self.reduced = nn.ReLU()
            self.spatial = nn.Conv2d(filters, filters, 3, padding=1)
            self.spatial_norm = normalised(filters)
            self.seen = nn.ReLU()
            self.widen = nn.Conv2d(filters, WIDER * filters, 1)
            self.widen_norm = normalised(WIDER * filters)
            self.shortcut = nn.Conv2d(inputs, WIDER * filters, 1, stride) if widens else None
            self.shortcut_norm = normalised(WIDER * filters) if widens else None
            self.output = nn.ReLU()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            shortcut = x
            if self.shortcut is not None and self.shortcut_norm is not None:
                shortcut = self.shortcut_norm(self.shortcut(x))
            x = self.reduced(self.reduce_norm(self.reduce(x)))
            x = self.seen(self.spatial_norm(self.spatial(x)))
            return self.output(self.widen_norm(self.widen(x)) + shortcut)

        def keras_order(self) -> List[Any]:
            """Keras sorts layers by their distance from the output."""
            inner = [self.reduce, self.reduce_norm, self.spatial, self.spatial_norm]
            if self.shortcut is None:
                return [*inner, self.widen, self.widen_norm]
            return [*inner, self.widen, self.shortcut, self.widen_norm, self.shortcut_norm]

    class ResNet50(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Conv2d(shape[2], 64, 7, 2, padding=3)
            self.stem_norm = normalised(64)
            self.activation = nn.ReLU()
            self.pool = nn.MaxPool2d(3, 2)
            found, inputs = [], 64
            for blocks, filters, stride in STAGES:
                for block in range(blocks):
                    first = block == 0
                    found.append(Bottleneck(inputs, filters, stride if first else 1, widens=first))
                    inputs = WIDER * filters
            self.blocks = nn.Sequential(*found)
            self.average = nn.AdaptiveAvgPool2d(1)
            self.output = nn.Linear(inputs, classes)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            x = self.pool(self.activation(self.stem_norm(self.stem(images))))
            return self.output(self.average(self.blocks(x)).flatten(1))

        def keras_order(self) -> List[Any]:
            inner = [layer for block in self.blocks for layer in block.keras_order()]
            return [self.stem, self.stem_norm, *inner, self.output]

    return ResNet50()
