"""What training steps should give: loss, gradients and batch statistics in float64.

The models are those of `native/`, in plain PyTorch. The reference is begun anew at each step from
the weights that the stack had before it, so that what is compared is one step, not what became of
a first rounding over many. How far rounding alone may lead away is tried out: the first step is
repeated with every weight, and every layer's output and gradient, off by a random share of the
unit roundoff.
"""

import os
import time
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

from . import plugins, wire

CLIP = 1e-7  # Keras keeps probabilities this far from 0 and 1
SYMMETRIC_PADDING, FIXED_GAMMA = "symmetric padding", "fixed gamma"
FINE = 1e-6  # a roundoff so small that few values are near 0; of a coarser, every sample has some
EDGE, EDGE_SAMPLES = 64.0, 3  # a value is near 0 within so much of what samples were off at most
FLAT_CHANNELS_FIRST = "channels first in flat images"
BIAS_ALONG_WIDTH = "bias along the width"  # the gradient of a bias, summed over the wrong axes
LATE_WEIGHTS = "late weights"  # gradients go back through weights that are updated already

# What a step gives; gradients and statistics in Keras' order and layout, those of trainable
# weights and of normalised layers only.
Step = NamedTuple(
    "Step",
    [
        ("loss", Any),
        ("gradients", List[Any]),
        ("means", List[Any]),
        ("variances", List[Any]),
        ("positions", List[int]),  # of the images, that each layer normalises over
    ],
)


def converse(order: Any, requests: Callable[[], Any], send: Callable[[Any], None]) -> None:
    """Describe the model's weights, then expect steps until the host says `Finish`."""
    import torch

    torch.set_num_threads(order.threads)
    definition = plugins.load("native", order.model)
    send(described(definition))
    message = requests()
    while not isinstance(message, wire.Finish):
        begun = time.perf_counter()
        expect(definition, message)
        send(wire.Expected(seconds=time.perf_counter() - begun))
        message = requests()


def described(definition: Any) -> Any:
    """Kinds and shapes of the weights in Keras' order and layout, and what a step is of."""
    import torch

    model = definition.build(definition.SHAPE, definition.CLASSES).eval()
    macs = []  # type: List[int]

    def count(layer: Any, _: Any, output: Any) -> None:
        macs.append(int(layer.weight.numel()) * int(output[0, 0].numel()))

    for layer in model.keras_order():
        if not isinstance(layer, torch.nn.BatchNorm2d):
            layer.register_forward_hook(count)
    height, width, channels = definition.SHAPE
    with torch.no_grad():
        model(torch.zeros(1, channels, height, width))
    return wire.Described(
        weights=[
            [kind, list(array.shape)]
            for layer in model.keras_order()
            for kind, array in _weights(layer)
        ],
        shape=list(definition.SHAPE),
        classes=definition.CLASSES,
        batch=definition.BATCH,
        macs=sum(macs),
        optimizer=definition.OPTIMIZER[0],
        settings=definition.OPTIMIZER[1],
    )


def expect(definition: Any, message: Any) -> None:
    """Compute every step that the message asks for, and write `expected.npz`."""
    import numpy as np
    import torch

    given = np.load(os.path.join(message.folder, "given.npz"))
    seen = np.load(os.path.join(message.folder, "seen.npz"))
    model = _model(definition, message)
    found = {}  # type: Dict[str, Any]
    draw = torch.Generator().manual_seed(message.seed)
    for number, rows in enumerate(message.rows):
        _load(model, seen if number else given, "weights/%d/" % number, message.variants)
        batch = _batch(given, rows)
        late = _Late(seen, number + 1) if LATE_WEIGHTS in message.variants else None
        right = _step(model, definition.L2, batch, late)
        _keep(found, "%d/" % (number + 1), right)
        if late is None and message.roundoff < FINE:
            near = _near(model, batch[0], _Rounding(message.roundoff, draw))
            opened, closed = (
                _step(model, definition.L2, batch, _Edges(near, is_open=is_open))
                for is_open in (True, False)
            )
            _keep(found, "%d/edges/" % (number + 1), _distances(opened, closed))
        for place, positions in enumerate(right.positions):
            found["positions/%d" % place] = positions
        if number == 0:
            for sample in range(message.perturbations):
                rounding = _Rounding(message.roundoff, draw)
                moved = _step(model, definition.L2, batch, rounding)
                _keep(found, "off/%d/" % sample, _distances(moved, right))
    np.savez(os.path.join(message.folder, "expected.npz"), **found)


def _model(definition: Any, message: Any) -> Any:
    """The module in float64, in training mode, without dropout."""
    import torch

    model = definition.build(
        definition.SHAPE,
        definition.CLASSES,
        symmetric=SYMMETRIC_PADDING in message.variants,
        channels_first=FLAT_CHANNELS_FIRST in message.variants,
    ).double()
    for layer in model.modules():
        if isinstance(layer, torch.nn.Dropout):
            layer.p = 0.0
        if isinstance(layer, torch.nn.BatchNorm2d) and FIXED_GAMMA in message.variants:
            layer.weight.requires_grad = False
        if isinstance(layer, torch.nn.Conv2d) and BIAS_ALONG_WIDTH in message.variants:
            layer.register_forward_hook(_bias_along_width)
    return model.train()


def _bias_along_width(layer: Any, inputs: Any, output: Any) -> Any:
    """The output as it is, whose bias gets the gradients of columns if there are as many."""
    from torch.nn import functional

    if output.shape[1] != output.shape[3]:
        return output
    stay = layer.bias.detach()
    plain = functional.conv2d(inputs[0], layer.weight, stay, layer.stride, layer.padding)
    return plain + (layer.bias - stay)


def _weights(layer: Any) -> List[Tuple[str, Any]]:
    """Views of a layer's weights as Keras lists and lays them out."""
    import torch

    if isinstance(layer, torch.nn.BatchNorm2d):
        return [
            ("gamma", layer.weight.data),
            ("beta", layer.bias.data),
            ("mean", layer.running_mean),
            ("variance", layer.running_var),
        ]
    return [("kernel", _keras_layout(layer.weight.data)), ("bias", layer.bias.data)]


def _keras_layout(kernel: Any) -> Any:
    """(out, in, rows, columns) as (rows, columns, in, out); (out, in) as (in, out)."""
    return kernel.permute(2, 3, 1, 0) if kernel.dim() > 2 else kernel.t()  # noqa: PLR2004


def _load(model: Any, arrays: Any, prefix: str, variants: List[str]) -> None:
    """Make the weights those of `arrays`, numbered in Keras' order."""
    import torch

    number = 0
    for layer in model.keras_order():
        for kind, view in _weights(layer):
            view.copy_(torch.from_numpy(arrays[prefix + str(number)]))
            if kind == "gamma" and FIXED_GAMMA in variants:
                view.fill_(1.0)
            number += 1


def _batch(given: Any, rows: List[int]) -> Tuple[Any, Any]:
    """Images from 0 to 1, float64 (n, 3, height, width), as the stack's float32 has them."""
    import numpy as np
    import torch

    images = given["images"][rows].astype("float32") / np.float32(255)
    labels = torch.from_numpy(given["labels"][rows].astype("int64"))
    return torch.from_numpy(images).double().permute(0, 3, 1, 2).contiguous(), labels


def _step(model: Any, l2: float, batch: Tuple[Any, Any], changed: Any = None) -> Step:
    """Forward and backward: cross-entropy of the softmax, and L2 of the convolutions' kernels.

    Args:
        model: In training mode.
        l2: Weight of the squared kernels.
        batch: Images and labels.
        changed: What is otherwise in this step: a `_Rounding` or `_Late`.
    """
    import torch

    layers = model.keras_order()
    images, labels = batch
    statistics = {}  # type: Dict[Any, Tuple[Any, Any, int]]

    def note(layer: Any, inputs: Any) -> None:
        x = inputs[0].detach()
        positions = x.shape[2] * x.shape[3]
        statistics[layer] = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False), positions

    normalised = [layer for layer in layers if isinstance(layer, torch.nn.BatchNorm2d)]
    hooks = [layer.register_forward_pre_hook(note) for layer in normalised]
    kept = [weight.detach().clone() for weight in model.parameters()]
    if changed is not None:
        hooks += changed.hooks(model)
        images = changed(images)
    model.zero_grad()
    shares = model(images).softmax(1)
    shares = shares if changed is None else changed(shares)
    chosen = shares.clamp(CLIP, 1 - CLIP)[torch.arange(len(labels)), labels]
    loss = -chosen.log().mean()
    if l2:
        kernels = [layer.weight for layer in layers if isinstance(layer, torch.nn.Conv2d)]
        loss = loss + l2 * sum((kernel**2).sum() for kernel in kernels)
    loss.backward()
    for hook in hooks:
        hook.remove()
    for weight, value in zip(model.parameters(), kept):
        weight.data = value
    return Step(
        loss=loss.detach(),
        gradients=[_gradient(w) for layer in layers for w in (layer.weight, layer.bias)],
        means=[statistics[layer][0] for layer in normalised],
        variances=[statistics[layer][1] for layer in normalised],
        positions=[statistics[layer][2] for layer in normalised],
    )


def _gradient(weight: Any) -> Any:
    """In Keras' layout; zeros for what is not trained."""
    import torch

    gradient = torch.zeros_like(weight) if weight.grad is None else weight.grad.clone()
    return gradient if gradient.dim() == 1 else _keras_layout(gradient)


class _Rounding:
    """Moves each value by a random share of the unit roundoff, forward and backward.

    What batch normalisation subtracts is rounded too, forward the mean and backward those of the
    gradient: all values of a channel are off alike, by a share of their typical size.

    Args:
        roundoff: The largest relative error of one rounding.
        draw: Where shares come from, uniform from -1 to 1.
    """

    def __init__(self, roundoff: float, draw: Any) -> None:
        self._roundoff = roundoff
        self._draw = draw

    def __call__(self, x: Any) -> Any:
        """`x`, moved; and so its gradient."""
        return self._both_ways(x, self._moved)

    @staticmethod
    def _both_ways(x: Any, move: Callable[[Any], Any]) -> Any:
        import torch

        class Moved(torch.autograd.Function):  # type: ignore[misc]
            @staticmethod
            def forward(ctx: Any, value: Any) -> Any:  # noqa: ARG004
                return move(value)

            @staticmethod
            def backward(ctx: Any, gradient: Any) -> Any:  # noqa: ARG004
                return move(gradient)

        return Moved.apply(x)

    def hooks(self, model: Any) -> List[Any]:
        """Move all weights, as a cast to fewer bits does, and hook every layer that rounds."""
        from torch import nn

        for weight in model.parameters():
            weight.data = self._moved(weight.data)
        rounds = (nn.Conv2d, nn.Linear, nn.BatchNorm2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)
        layers = [layer for layer in model.modules() if isinstance(layer, rounds)]
        shifted = [layer for layer in layers if isinstance(layer, nn.BatchNorm2d)]
        return [
            *(layer.register_forward_hook(lambda _, __, out: self(out)) for layer in layers),
            *(
                layer.register_forward_pre_hook(
                    lambda _, inputs: self._both_ways(inputs[0], self._shifted)
                )
                for layer in shifted
            ),
        ]

    def _moved(self, value: Any) -> Any:
        return value * (1 + self._roundoff * self._shares(value))

    def _shifted(self, value: Any) -> Any:
        typical = value.pow(2).mean((0, 2, 3), keepdim=True).sqrt()
        return value + self._roundoff * typical * self._shares(typical)

    def _shares(self, value: Any) -> Any:
        """A random number from -1 to 1 for each value."""
        import torch

        return 2 * torch.rand(value.shape, generator=self._draw, dtype=value.dtype) - 1


class _Edges:
    """Decides for every ReLU alike what rounding would decide: whether values near 0 pass.

    One value of a million that float32 has on the other side of 0 changes a gradient by far more
    than rounding does, and rarely enough to be in no sample.

    Args:
        near: For each ReLU, how far from 0 a sign is not certain.
        is_open: Whether values near 0 pass.
    """

    def __init__(self, near: Dict[Any, float], *, is_open: bool) -> None:
        self._near = near
        self._is_open = is_open

    def __call__(self, x: Any) -> Any:
        """Nothing is changed outside of layers."""
        return x

    def hooks(self, model: Any) -> List[Any]:
        """Hook every ReLU."""
        return [layer.register_forward_hook(self._decide) for layer in _relus(model)]

    def _decide(self, layer: Any, inputs: Any, _: Any) -> Any:
        (x,) = inputs
        near = x.detach().abs() <= self._near[layer]
        passes = (x > 0) | near if self._is_open else (x > 0) & ~near
        return x * passes


def _near(model: Any, images: Any, rounding: _Rounding) -> Dict[Any, float]:
    """How far from 0 the sign of what each ReLU is given is not certain."""
    exact = _given_to_relus(model, images)
    near = dict.fromkeys(exact, 0.0)
    for _ in range(EDGE_SAMPLES):
        moved = _given_to_relus(model, images, rounding)
        for layer, value in moved.items():
            off = float((value - exact[layer]).pow(2).mean().sqrt())
            near[layer] = max(near[layer], EDGE * off)
    return near


def _given_to_relus(model: Any, images: Any, rounding: Any = None) -> Dict[Any, Any]:
    import torch

    found = {}  # type: Dict[Any, Any]
    kept = [weight.detach().clone() for weight in model.parameters()]
    hooks = [
        layer.register_forward_hook(lambda layer, inputs, _: found.update({layer: inputs[0]}))
        for layer in _relus(model)
    ]
    hooks += rounding.hooks(model) if rounding is not None else []
    with torch.no_grad():
        model(images)
    for hook in hooks:
        hook.remove()
    for weight, value in zip(model.parameters(), kept):
        weight.data = value
    return found


def _relus(model: Any) -> List[Any]:
    from torch import nn

    return [layer for layer in model.modules() if isinstance(layer, nn.ReLU)]


class _Late:
    """Goes back through the weights as they are after the step, not as they were before it.

    Args:
        seen: Weights after each step.
        step: From 1.
    """

    def __init__(self, seen: Any, step: int) -> None:
        self._seen = seen
        self._prefix = "weights/%d/" % step

    def __call__(self, x: Any) -> Any:
        """Nothing is changed outside of layers."""
        return x

    def hooks(self, model: Any) -> List[Any]:
        """Hook every layer with weights."""
        number, found = 0, []
        for layer in model.keras_order():
            names = [kind for kind, _ in _weights(layer)]
            after = {
                kind: self._seen[self._prefix + str(number + place)]
                for place, kind in enumerate(names)
            }
            number += len(names)
            found.append(layer.register_forward_hook(self._hook(after)))
        return found

    @staticmethod
    def _hook(after: Dict[str, Any]) -> Callable[[Any, Any, Any], Any]:
        """Gives the output as it was, from whose gradient another layer's goes on."""

        def hook(layer: Any, inputs: Any, _: Any) -> Any:
            import torch

            weight = torch.from_numpy(after["gamma" if "gamma" in after else "kernel"]).double()
            usual = weight if weight.dim() == 1 else _torch_layout(weight)
            now = _computed(layer, inputs[0].detach(), layer.weight, layer.bias)
            late = _computed(layer, inputs[0], usual, layer.bias.detach())
            return now + late - late.detach()

        return hook


def _computed(layer: Any, x: Any, weight: Any, bias: Any) -> Any:
    """The layer's output with other weights."""
    from torch.nn import BatchNorm2d, Linear, functional

    if isinstance(layer, Linear):
        return functional.linear(x, weight, bias)
    if isinstance(layer, BatchNorm2d):
        return functional.batch_norm(x, None, None, weight, bias, training=True, eps=layer.eps)
    return functional.conv2d(x, weight, bias, layer.stride, layer.padding)


def _torch_layout(kernel: Any) -> Any:
    """The inverse of `_keras_layout`."""
    return kernel.permute(3, 2, 0, 1) if kernel.dim() > 2 else kernel.t()  # noqa: PLR2004


def _distances(one: Step, other: Step) -> Step:
    """Euclidean distances of two steps, part by part."""

    def apart(these: List[Any], those: List[Any]) -> List[Any]:
        return [(a - b).norm() for a, b in zip(these, those)]

    return Step(
        loss=(one.loss - other.loss).abs(),
        gradients=apart(one.gradients, other.gradients),
        means=apart(one.means, other.means),
        variances=apart(one.variances, other.variances),
        positions=one.positions,
    )


def _keep(found: Dict[str, Any], prefix: str, step: Step) -> None:
    """Add a step's arrays, as float32 where they are many: they are compared to 24 bits at most."""
    found[prefix + "loss"] = step.loss.numpy()
    for name in ("gradients", "means", "variances"):
        for number, value in enumerate(getattr(step, name)):
            array = value.numpy()
            found["%s%s/%d" % (prefix, name, number)] = (
                array.astype("float32") if array.ndim else array
            )
