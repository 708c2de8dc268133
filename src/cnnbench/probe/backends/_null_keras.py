"""A Keras of shapes and counts: the layers, model and callback that models here use."""

from types import SimpleNamespace
from typing import Any, Callable, List, Tuple

from ._loops import Callback, Loops

Shape = Tuple[int, ...]


class Tensor:
    """A shape without batch axis, and the parameters of everything it was made by."""

    def __init__(self, shape: Shape, made_by: Tuple[Any, ...] = ()) -> None:
        self.shape = shape
        self.made_by = made_by


class Layer:
    """A layer knows the shape it gives, its parameters, and its multiply-accumulates forward.

    Args:
        give: Shape of the output from that of the input.
        parameters: How many, from the shape of the input.
        kernel: How many of them each position of the output is multiplied with.
    """

    def __init__(
        self,
        give: Callable[[Any], Shape],
        parameters: Callable[[Any], int],
        kernel: Callable[[Any], int] = lambda _: 0,
    ) -> None:
        self._give = give
        self._parameters = parameters
        self._kernel = kernel
        self.parameters = 0
        self.macs = 0

    def __call__(self, inputs: Any) -> Tensor:
        """The output's shape; the layer is built by its first input."""
        several = inputs if isinstance(inputs, list) else [inputs]
        shape = several[0].shape
        given = self._give(shape)
        self.parameters = self._parameters(shape)
        self.macs = self._kernel(shape) * _flat(given)[0]
        made_by = [layer for tensor in several for layer in tensor.made_by]
        unique = tuple(dict.fromkeys([*made_by, self]))
        return Tensor(given, unique)


class Model(Loops):
    """Counts parameters and steps; training it costs virtual time."""

    def __init__(self, step: Callable[[int], None], outputs: Tensor) -> None:
        self._step = step
        self.layers = outputs.made_by
        self.outputs = [outputs]
        self.optimizer = None  # type: Any
        self.steps_per_execution = 1
        self._steps = 0

    def count_params(self) -> int:
        """All parameters, trainable or not."""
        return sum(layer.parameters for layer in self.layers)

    def count_macs(self) -> int:
        """Multiply-accumulates of convolutions and dense layers, forward, for one image."""
        return sum(layer.macs for layer in self.layers)

    def compile(self, loss: Any = None, optimizer: Any = None, metrics: Any = None) -> None:  # noqa: ARG002
        """Remember the optimiser."""
        self.optimizer = optimizer

    def train_on_batch(self, x: Any, y: Any) -> List[float]:
        """A loss that falls, and an accuracy that does not."""
        if len(x) != len(y):
            raise ValueError("%d images and %d labels" % (len(x), len(y)))
        self._step(len(x))
        self._steps += 1
        return [1.0 + 1.0 / self._steps, 0.1]

    def trained(self, x: Any, y: Any) -> float:
        """One training step; its loss."""
        return self.train_on_batch(x, y)[0]


class Keras:
    """The names that models and methods use, in the namespaces where Keras has them."""

    __version__ = "0.0"

    def __init__(self, data_format: str, precision: str, step: Callable[[int], None]) -> None:
        self.backend = SimpleNamespace(
            backend=lambda: "null",
            image_data_format=lambda: data_format,
            floatx=lambda: precision,
        )
        self.callbacks = SimpleNamespace(Callback=Callback)
        self.utils = SimpleNamespace(Sequence=object)
        self.regularizers = SimpleNamespace(l2=float)
        self.optimizers = SimpleNamespace(RMSprop=dict, Adam=dict, SGD=dict)
        self.models = SimpleNamespace(
            Model=lambda inputs, outputs: Model(step, outputs)  # noqa: ARG005
        )
        self.layers = _layers(Format(first=data_format == "channels_first"))


class Format:
    """Where the channels of a shape are."""

    def __init__(self, *, first: bool) -> None:
        self._first = first

    def join(self, area: Shape, channels: int) -> Shape:
        """The shape of an area with channels."""
        return (channels, *area) if self._first else (*area, channels)

    def area(self, shape: Shape) -> Shape:
        """Height and width."""
        return shape[1:] if self._first else shape[:2]

    def depth(self, shape: Shape) -> int:
        """Channels."""
        return shape[0] if self._first else shape[-1]


def _layers(at: Format) -> SimpleNamespace:
    """The layers, for images in a format."""

    def conv(
        filters: int, kernel: Any, strides: Any = (1, 1), padding: str = "valid", **_: Any
    ) -> Layer:
        height, width = _pair(kernel)
        return Layer(
            lambda s: at.join(_slid(at.area(s), (height, width), _pair(strides), padding), filters),
            lambda s: (height * width * at.depth(s) + 1) * filters,
            lambda s: height * width * at.depth(s),
        )

    def pool(pool_size: Any = 2, strides: Any = None, padding: str = "valid") -> Layer:
        size = _pair(pool_size)
        steps = size if strides is None else _pair(strides)
        return Layer(lambda s: at.join(_slid(at.area(s), size, steps, padding), at.depth(s)), _none)

    def pad(padding: Any) -> Layer:
        rows, columns = _pair(padding)
        return Layer(
            lambda s: at.join((at.area(s)[0] + 2 * rows, at.area(s)[1] + 2 * columns), at.depth(s)),
            _none,
        )

    def same(*_: Any, **__: Any) -> Layer:
        return Layer(lambda s: s, _none)

    def add(tensors: List[Tensor]) -> Tensor:
        return same()(tensors)

    return SimpleNamespace(
        Input=lambda shape: Tensor(tuple(shape)),
        Conv2D=conv,
        MaxPooling2D=pool,
        AveragePooling2D=pool,
        ZeroPadding2D=pad,
        GlobalAveragePooling2D=lambda: Layer(lambda s: (at.depth(s),), _none),
        BatchNormalization=lambda **_: Layer(lambda s: s, lambda s: 4 * at.depth(s)),
        Activation=same,
        Dropout=same,
        add=add,
        Flatten=lambda: Layer(_flat, _none),
        Dense=lambda units, **_: Layer(
            lambda _: (units,), lambda s: (s[0] + 1) * units, lambda s: s[0]
        ),
    )


def _none(shape: Shape) -> int:  # noqa: ARG001
    return 0


def _pair(value: Any) -> Tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _slid(area: Shape, size: Shape, strides: Shape, padding: str) -> Shape:
    """Positions of a window that slides over an area."""
    reach = (0, 0) if padding == "same" else tuple(length - 1 for length in size)
    return tuple(-(-(a - r) // s) for a, r, s in zip(area, reach, strides))


def _flat(shape: Shape) -> Shape:
    size = 1
    for length in shape:
        size *= length
    return (size,)
