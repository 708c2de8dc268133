"""Convolve images under Keras torch where they lie, and have PyTorch add the bias as it convolves.

With channels last Keras copies what each convolution is given to channels first and back again, and
does so once more on the way back; its kernels lie as TensorFlow has them. The bias it adds in
another pass over all activations, in both formats.
"""

from typing import Any, List, Tuple

from .. import releases
from . import _keras_torch

CHANGES = "rounding"
SOURCE = "PyTorch, torch.nn.functional.conv2d; Channels Last Memory Format"

RELEASES = ("3.15",)


def refusal(case: Any) -> str:
    """Of other backends."""
    return _keras_torch.refusal(case)


def build(keras: Any) -> None:
    """Layers that are called from now on convolve so."""
    from torch.nn import functional

    releases.keras3(keras, RELEASES, "this recipe")

    def call(self: Any, inputs: Any) -> Any:
        last = self.data_format == "channels_last"
        images = keras.ops.convert_to_tensor(inputs)
        images = images.permute(0, 3, 1, 2) if last else images
        kernel = keras.ops.convert_to_tensor(self.kernel).permute(3, 2, 0, 1)
        bias = keras.ops.convert_to_tensor(self.bias) if self.use_bias else None
        (top, bottom), (left, right) = _padding(self, images.shape[2:])
        alike = top == bottom and left == right
        if not alike:
            images = functional.pad(images, (left, right, top, bottom))
        found = functional.conv2d(
            images,
            kernel,
            bias,
            stride=self.strides,
            padding=(top, left) if alike else 0,
            dilation=self.dilation_rate,
            groups=self.groups,
        )
        found = found.permute(0, 2, 3, 1) if last else found
        return found if self.activation is None else self.activation(found)

    keras.layers.Conv2D.call = call


def compiled(keras: Any, model: Any) -> None:
    """Kernels with channels last, and what the optimiser keeps of them, lie so in memory, too."""
    if not model.built:
        return
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    layers = [one for one in model._flatten_layers() if isinstance(one, keras.layers.Conv2D)]  # noqa: SLF001
    kernels = [one._kernel for one in layers if one.built and one.data_format == "channels_last"]  # noqa: SLF001
    shapes = {tuple(kernel.shape) for kernel in kernels}
    kept = [one for one in model.optimizer.variables if tuple(one.shape) in shapes]
    for variable in [*kernels, *kept]:
        _lay(variable.value)


def _lay(value: Any) -> None:
    """(rows, columns, in, out), of which out comes first and in last in memory."""
    value.data = value.data.permute(3, 0, 1, 2).contiguous().permute(1, 2, 3, 0)


def _padding(layer: Any, area: Tuple[int, ...]) -> List[Tuple[int, int]]:
    """Zeros before and after rows and columns; of `same`, where they cannot be alike, more after.

    Args:
        layer: A convolution.
        area: Rows and columns of its images.
    """
    if layer.padding == "valid":
        return [(0, 0), (0, 0)]
    found = []
    for size, kernel, stride, dilation in zip(
        area, layer.kernel_size, layer.strides, layer.dilation_rate
    ):
        reach = dilation * (kernel - 1) + 1
        total = max(0, (-(-size // stride) - 1) * stride + reach - size)
        found.append((total // 2, total - total // 2))
    return found
