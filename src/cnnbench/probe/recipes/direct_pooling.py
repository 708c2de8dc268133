"""Pool images with channels last under Keras torch where they lie.

Keras copies them to channels first, in which PyTorch also pools them far slower.
"""

from typing import Any

from .. import releases
from . import _keras_torch

CHANGES = "rounding"
SOURCE = "PyTorch, torch.nn.functional.max_pool2d; Channels Last Memory Format"

RELEASES = ("3.15",)


def refusal(case: Any) -> str:
    """Of other backends, and where Keras copies nothing."""
    lies = "" if case["data_format"] == "channels_last" else "it is of channels last"
    return _keras_torch.refusal(case) or lies


def build(keras: Any) -> None:
    """Layers that are called from now on pool so; what is padded, as before."""
    from torch.nn import functional

    releases.keras3(keras, RELEASES, "this recipe")
    for layer, pool in (
        (keras.layers.MaxPooling2D, functional.max_pool2d),
        (keras.layers.AveragePooling2D, functional.avg_pool2d),
    ):
        layer.call = _call(keras, layer.call, pool)


def _call(keras: Any, usual: Any, pool: Any) -> Any:
    def call(self: Any, inputs: Any) -> Any:
        if self.padding != "valid" or self.data_format != "channels_last":
            return usual(self, inputs)
        images = keras.ops.convert_to_tensor(inputs).permute(0, 3, 1, 2)
        return pool(images, self.pool_size, self.strides).permute(0, 2, 3, 1)

    return call
