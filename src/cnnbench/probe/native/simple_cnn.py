"""Simple CNN: four convolutions and two dense layers; RMSprop at 1e-4 with decay 1e-6."""

from typing import Any, List, Tuple

from ._initial import GLOROT

SHAPE, CLASSES, BATCH = (32, 32, 3), 10, 4
OPTIMIZER = ("rmsprop", {"rate": 1e-4, "decay": 1e-6})
L2 = 0.0
INITIALIZER = GLOROT


def build(
    shape: Tuple[int, int, int],
    classes: int,
    *,
    symmetric: bool = False,  # noqa: ARG001  no convolution here is strided
    channels_first: bool = False,
) -> Any:
    """The module, its weights as PyTorch draws them."""
    import torch
    from torch import nn

    def pair(inputs: int, filters: int) -> List[Any]:
        return [
            nn.Conv2d(inputs, filters, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(filters, filters, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Dropout(0.25),
        ]

    side = ((shape[0] - 2) // 2 - 2) // 2

    class SimpleCnn(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.features = nn.Sequential(*pair(shape[2], 32), *pair(32, 64))
            self.hidden = nn.Linear(64 * side * side, 512)
            self.activation = nn.ReLU()
            self.dropout = nn.Dropout(0.5)
            self.output = nn.Linear(512, classes)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            x = self.features(images)
            x = (x if channels_first else x.permute(0, 2, 3, 1)).flatten(1)
            return self.output(self.dropout(self.activation(self.hidden(x))))

        def keras_order(self) -> List[Any]:
            convolutions = [layer for layer in self.features if isinstance(layer, nn.Conv2d)]
            return [*convolutions, self.hidden, self.output]

    return SimpleCnn()
