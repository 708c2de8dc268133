"""A launch that proves: it trains on what it is given, and writes down what each step made of it.

The folder holds `given.npz`: images (n, height, width, 3) uint8, their labels, the number of
classes, the first weights, in Keras' order and in its usual layout, and how many windows are looked
at. `seen.npz` goes there too: after each of those all weights and the optimiser's state, and after
every window what was counted.
"""

import os
import time
from typing import Any, Callable, Dict, List, Tuple

from .windows import Windows

GIVEN, SEEN = "given.npz", "seen.npz"
KERNEL_DIMENSIONS = 4  # of a convolution's kernel
LOSS_SCALE = 2.0**10


def open_given(folder: str) -> Tuple[Any, Tuple[int, int, int], int]:
    """The images as a data set: source, shape and classes."""
    import numpy as np

    from .datasets._held import Held

    with np.load(os.path.join(folder, GIVEN)) as given:
        images, labels = given["images"], given["labels"]
        return Held(images, labels, {"from": "the proof"}), images.shape[1:], int(given["classes"])


def looks(folder: str) -> int:
    """After how many windows all that a step changes is written down."""
    import numpy as np

    with np.load(os.path.join(folder, GIVEN)) as given:
        return int(given["looks"])


def without_dropout(keras: Any) -> None:
    """Make the dropout of this process do nothing: every framework draws otherwise."""

    def call(self: Any, inputs: Any, training: Any = None) -> Any:  # noqa: ARG001
        return inputs * 1  # Keras 2 copies what a layer gives back, which MXNet cannot here

    keras.layers.Dropout.call = call


def set_weights(model: Any, folder: str, *, out_first: bool) -> None:
    """Give the model the first weights.

    Args:
        model: Built.
        folder: Of `given.npz`.
        out_first: Whether kernels here are (out, in, rows, columns), not (rows, columns, in, out).
    """
    import numpy as np

    with np.load(os.path.join(folder, GIVEN)) as given:
        usual = [given["weights/0/%d" % number] for number in range(len(model.get_weights()))]
    model.set_weights([_turned(array, (3, 2, 0, 1)) if out_first else array for array in usual])


def lower_loss_scale(model: Any) -> None:
    """Where float16 scales losses, begin where it leaves no step out; Keras' 2**15 has to fall."""
    optimizer = getattr(model, "optimizer", None)  # type: Any
    if hasattr(optimizer, "initial_scale"):
        optimizer.initial_scale = LOSS_SCALE


def macs(model: Any, *, channels_first: bool) -> int:
    """Multiply-accumulates of convolutions and dense layers, forward, for one image."""
    total = 0
    for layer in model.layers:
        for weight in layer.get_weights():
            if weight.ndim > 1:
                output = getattr(layer, "output_shape", None) or layer.output.shape
                area = output[2:] if channels_first else output[1:-1]
                total += _product(weight.shape) * _product(area)
    return total


class Witness(Windows):
    """Windows after which what steps changed is written down.

    Args:
        requests: Gives the host's next message; waits for it.
        send: Tells the host.
        fence: Waits until the model's parameters are what the steps so far made them.
        clock: Monotonic, in seconds.
        weights: Gives all weights, in Keras' order.
        read_back: Reads the first layer's kernel, whose gradient a step computes last.
        slots: Gives the optimiser's state, by name, in the order of the trainable weights.
        counts: Gives what was counted so far: `passes` and `images` forward through the model, and
            its `calls` from Python.
        out_first: Whether kernels here are (out, in, rows, columns).
        looks: After how many windows weights and state are written down.
    """

    def __init__(
        self,
        requests: Callable[[], Any],
        send: Callable[[Any], None],
        fence: Callable[[], None],
        clock: Callable[[], float],
        *,
        weights: Callable[[], List[Any]],
        read_back: Callable[[], Any],
        slots: Callable[[], Dict[str, List[Any]]],
        counts: Callable[[], Dict[str, int]],
        out_first: bool,
        looks: int,
    ) -> None:
        super().__init__(requests, send, fence, clock)
        self._weights = weights
        self._read_back = read_back
        self._slots = slots
        self._counts = counts
        self._out_first = out_first
        self._looks = looks
        self._seen = {}  # type: Dict[str, Any]

    def done(self, steps: int, images: int, loss: Any) -> None:
        """Close the window, then look.

        A fence that waited leaves nothing to wait for: reading a kernel now must not take longer
        than reading it again.
        """
        super().done(steps, images, loss)
        begun = time.perf_counter()
        self._read_back()
        read = time.perf_counter()
        self._read_back()
        again = time.perf_counter() - read
        looked = self.count <= self._looks
        found = dict(self._slots(), weights=self._weights()) if looked else {}
        for name, arrays in found.items():
            for number, array in enumerate(arrays):
                usual = _turned(array, (2, 3, 1, 0)) if self._out_first else array
                self._seen["%s/%d/%d" % (name, self.count, number)] = usual
        counted = dict(self._counts(), unfinished_seconds=read - begun - again)
        for name, value in counted.items():
            self._seen["%s/%d" % (name, self.count)] = value

    def save(self, folder: str) -> None:
        """Write down all that was seen."""
        import numpy as np

        np.savez(os.path.join(folder, SEEN), **self._seen)


def _turned(array: Any, axes: Tuple[int, int, int, int]) -> Any:
    """A kernel with its axes in another order; anything else as it is."""
    return array.transpose(axes) if array.ndim == KERNEL_DIMENSIONS else array


def _product(lengths: Any) -> int:
    product = 1
    for length in lengths:
        product *= int(length)
    return product
