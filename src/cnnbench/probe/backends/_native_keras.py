"""What methods ask of Keras, done in plain PyTorch: a model that trains, and a callback.

The training step is the usual one: forward, cross-entropy, backward, one call of an optimiser of
PyTorch's own. L2 of kernels is the optimiser's `weight_decay`, whose gradient is the same, and is
added to the loss that is told.
"""

import contextlib
import math
from types import SimpleNamespace
from typing import Any, Dict, List, Tuple

from ..faults import Unsupported
from ..native import _initial, _layout
from ._loops import Callback, Loops

EPSILON, BETA_2 = 1e-7, 0.999  # as Keras has them


class Keras:
    """What stands in the place of Keras.

    Args:
        case: The fields of the case.

    Attributes:
        dropout: Whether layers of dropout do anything.
    """

    __version__ = "none"

    def __init__(self, case: Any) -> None:
        self.data_format = case["data_format"]
        self.device = {"gpu": "cuda"}.get(case["device"], case["device"])
        self.precision = case["precision"]
        self.dropout = True
        self.backend = SimpleNamespace(backend=lambda: "native")
        self.callbacks = SimpleNamespace(Callback=Callback)
        self.utils = SimpleNamespace(Sequence=object)


class Definition:
    """A model of `native/` in the place of one of `models/`.

    Args:
        plain: The module of `native/`.
        parameters: What is known of the model's parameters, as models say it.
    """

    def __init__(self, plain: Any, parameters: Any) -> None:
        self.PARAMETERS = parameters
        self._plain = plain

    def build(self, keras: Keras, shape: Tuple[int, int, int], classes: int) -> "Model":
        """The model, with first weights as Keras draws them."""
        first = keras.data_format == "channels_first"
        height, width, channels = (*shape[1:], shape[0]) if first else shape
        module = self._plain.build((height, width, channels), classes)
        _initial.begin(module, self._plain.INITIALIZER)
        return Model(keras, module, (channels, height, width), self._plain.L2)

    def compile(self, keras: Keras, model: "Model") -> None:  # noqa: ARG002
        """The optimiser that the model is published with."""
        name, settings = self._plain.OPTIMIZER
        model.compile(name, **settings)


class Model(Loops):
    """A module and its training step.

    Args:
        keras: How to compute.
        module: Takes images as PyTorch has them, gives logits.
        shape: (channels, height, width) of an image.
        l2: Weight of the squared kernels of convolutions in the loss.
    """

    def __init__(self, keras: Keras, module: Any, shape: Tuple[int, int, int], l2: float) -> None:
        import torch

        self._first = keras.data_format == "channels_first"
        self._device = keras.device
        self._bfloat16 = keras.precision == "bfloat16"
        kept = torch.contiguous_format if self._first else torch.channels_last
        self.module = module.to(keras.device, memory_format=kept)
        self._shape = shape
        self._l2 = l2
        self._kernels = [layer.weight for layer in module.modules() if _is_convolution(layer)]
        self._steps = 0
        self._settings = {}  # type: Dict[str, float]
        self._optimizer = None  # type: Any
        for layer in module.modules():
            if isinstance(layer, torch.nn.Dropout) and not keras.dropout:
                layer.p = 0.0

    def compile(self, name: str, rate: float, decay: float = 0.0) -> None:
        """Make the optimiser.

        Args:
            name: `adam` or `rmsprop`.
            rate: Learning rate of the first step.
            decay: The rate of a step is `rate / (1 + decay * steps before it)`.
        """
        import torch

        known = set(map(id, self._kernels))
        others = [w for w in self.module.parameters() if id(w) not in known]
        groups = [
            {"params": self._kernels, "weight_decay": 2 * self._l2},
            {"params": others, "weight_decay": 0.0},
        ]
        self._settings = {"rate": rate, "decay": decay}
        if name == "adam":
            self._optimizer = torch.optim.Adam(groups, lr=rate, betas=(0.9, BETA_2), fused=True)
        else:
            self._optimizer = torch.optim.RMSprop(
                groups, lr=rate, alpha=0.9, eps=EPSILON, foreach=True
            )

    def count_params(self) -> int:
        """All parameters, those of moving averages too."""
        return sum(array.size for array in self.get_weights())

    def get_weights(self) -> List[Any]:
        """All weights, in the order and layout of Keras."""
        return [
            view.detach().cpu().contiguous().numpy().copy()
            for layer in self.module.keras_order()
            for _, view in _layout.weights(layer)
        ]

    def set_weights(self, arrays: List[Any]) -> None:
        """Make the weights those of `arrays`."""
        import torch

        views = [v for layer in self.module.keras_order() for _, v in _layout.weights(layer)]
        for view, array in zip(views, arrays):
            view.copy_(torch.from_numpy(array))

    def slots(self) -> Dict[str, List[Any]]:
        """The optimiser's state by name, in the order and layout of Keras."""
        import torch

        trained = [w for layer in self.module.keras_order() for w in (layer.weight, layer.bias)]
        names = {"exp_avg": "momentum", "exp_avg_sq": "velocity", "square_avg": "velocity"}
        found = {"iterations": [torch.tensor(self._steps).numpy()]}  # type: Dict[str, List[Any]]
        for own, name in names.items():
            kept = [self._optimizer.state[w][own] for w in trained if own in self._state(w)]
            if kept:
                found[name] = [_layout.as_keras(v).cpu().contiguous().numpy().copy() for v in kept]
        return found

    def train_on_batch(self, x: Any, y: Any) -> List[float]:
        """One step; its loss and the share of images that were classified rightly."""
        loss, logits, labels = self._step(x, y)
        right = (logits.argmax(1) == labels).float().mean()
        return [float(loss), float(right)]

    def trained(self, x: Any, y: Any) -> Any:
        """One step; its loss, which nobody has waited for."""
        return self._step(x, y)[0]

    def predict_on_batch(self, x: Any) -> Any:
        """Probabilities (n, classes) of a batch of images."""
        return self._forward(self._images(x)).float().softmax(1).cpu().numpy()

    def fit(self, *args: Any, verbose: int = 0, **options: Any) -> None:
        """Epochs over arrays, without a progress bar."""
        if verbose:
            raise Unsupported("plain PyTorch has no progress bar")
        super().fit(*args, **options)

    def batches(self, x: Any, y: Any, size: int) -> Any:
        """The batches of an epoch, in a new order each time."""
        import numpy as np

        order = np.random.permutation(len(x))  # noqa: NPY002  its seed is the launch's
        for start in range(0, len(x), size):
            chosen = order[start : start + size]
            yield x[chosen], y[chosen]

    def computes_in(self) -> str:
        """The type of what the last layer gives."""
        return str(self._forward(self._blank(1)).dtype).rpartition(".")[2]

    def run(self) -> None:
        """Go forward with images that lie as those of training do."""
        self._forward(self._blank(2))

    @property
    def layers(self) -> List[Any]:
        """Layers with weights, and the shape of what each gives."""
        import torch

        shapes = {}  # type: Dict[Any, Tuple[int, ...]]
        layers = self.module.keras_order()
        hooks = [
            layer.register_forward_hook(lambda layer, _, out: shapes.update({layer: out.shape}))
            for layer in layers
        ]
        self.run()
        for hook in hooks:
            hook.remove()

        def described(layer: Any) -> Any:
            count, depth, *area = shapes[layer]
            shape = (count, depth, *area) if self._first else (count, *area, depth)
            arrays = [torch.empty(view.shape).numpy() for _, view in _layout.weights(layer)]
            return SimpleNamespace(get_weights=lambda: arrays, output_shape=shape)

        return [described(layer) for layer in layers]

    def _step(self, x: Any, y: Any) -> Tuple[Any, Any, Any]:
        """One training step: its loss, logits and labels."""
        import torch

        images = self._images(x)
        labels = torch.as_tensor(y.argmax(1)).to(self._device, non_blocking=True)
        self.module.train()
        with self._computing():
            logits = self.module(images)
            loss = torch.nn.functional.cross_entropy(logits, labels)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        told = loss.detach() + self._penalty() if self._l2 else loss.detach()
        self._update()
        return told, logits.detach(), labels

    def _forward(self, images: Any) -> Any:
        """Logits of images that are not trained on."""
        import torch

        self.module.eval()
        with torch.no_grad(), self._computing():
            return self.module(images)

    def _penalty(self) -> Any:
        """What L2 adds to the loss: of the kernels before they are updated."""
        import torch

        with torch.no_grad():
            return self._l2 * torch.nn.utils.get_total_norm(self._kernels) ** 2

    def _update(self) -> None:
        """Have the optimiser take its step, at the rate of that step.

        Keras' Adam adds epsilon before it corrects the bias, PyTorch's after: the same where
        PyTorch's is divided by the correction.
        """
        rate = self._settings["rate"] / (1 + self._settings["decay"] * self._steps)
        self._steps += 1
        for group in self._optimizer.param_groups:
            group["lr"] = rate
            if "betas" in group:
                group["eps"] = EPSILON / math.sqrt(1 - BETA_2**self._steps)
        self._optimizer.step()

    def _images(self, x: Any) -> Any:
        """Images as PyTorch has them; those with channels last keep lying so."""
        import torch

        images = torch.as_tensor(x).to(self._device, non_blocking=True)
        return images if self._first else images.permute(0, 3, 1, 2)

    def _blank(self, count: int) -> Any:
        """Black images."""
        import numpy as np

        channels, height, width = self._shape
        shape = (channels, height, width) if self._first else (height, width, channels)
        return self._images(np.zeros((count,) + shape, "float32"))

    def _computing(self) -> Any:
        """The context that a step goes forward in."""
        import torch

        if not self._bfloat16:
            return contextlib.ExitStack()
        return torch.autocast(self._device, dtype=torch.bfloat16)

    def _state(self, weight: Any) -> Any:
        return self._optimizer.state.get(weight, {})


def _is_convolution(layer: Any) -> bool:
    import torch

    return isinstance(layer, torch.nn.Conv2d)
