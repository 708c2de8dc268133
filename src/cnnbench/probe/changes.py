"""What may be otherwise in a training step: rounding, values at an edge, weights that come late."""

import contextlib
import functools
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from .native import _layout

HALF = 0.5
EDGE, EDGE_SAMPLES = 64.0, 3  # a value is near an edge within so much of what samples were off
# Of n equal terms, added one by one, every partial sum is rounded to the same side: their mean is
# off by n/2 roundings. With so many, by no more than the host allows for any layer, which is 64.
EQUAL_TERMS = 128
DRAWN = 2**22  # shares, at least: of more than one tensor


class Change:
    """Nothing is otherwise."""

    def __call__(self, x: Any) -> Any:
        """What is outside of layers: images, or probabilities."""
        return x

    def hooks(self, model: Any) -> List[Any]:  # noqa: ARG002
        """Hooks of the model's layers, to be removed after the step."""
        return []


SAME = Change()


@contextlib.contextmanager
def changed(model: Any, change: Change) -> Iterator[None]:
    """The model with a change, which may put other weights into it; afterwards it is as it was."""
    weights = [weight.data for weight in model.parameters()]
    hooks = change.hooks(model)
    yield
    for hook in hooks:
        hook.remove()
    for weight, value in zip(model.parameters(), weights):
        weight.data = value


class Shares:
    """Random numbers from -1 to 1, a tensor of them for each of many tensors.

    To draw one for each value takes longer than all that is done with them: each tensor is given a
    part of one long draw, which begins at a place that is drawn anew.

    Args:
        seed: Of the draw, and of the places.
    """

    def __init__(self, seed: int) -> None:
        import torch

        self._draw = torch.Generator().manual_seed(seed)
        self._drawn = torch.empty(0)

    def __call__(self, value: Any) -> Any:
        """A share for each value, to be read only."""
        import torch

        count = value.numel()
        if len(self._drawn) < 2 * count or self._drawn.dtype != value.dtype:
            length = max(DRAWN, 2 * count)
            self._drawn = 2 * torch.rand(length, generator=self._draw, dtype=value.dtype) - 1
        start = int(torch.randint(len(self._drawn) - count + 1, (), generator=self._draw))
        return self._drawn[start : start + count].view(value.shape)


class Rounding(Change):
    """Moves each value by a random share of the unit roundoff, forward and backward.

    What batch normalisation subtracts is rounded too, forward the mean and backward those of the
    gradient: all values of a channel are off alike, by a share of their typical size; backward of
    the mean's, where that is larger: after average pooling gradients are equal over an image.

    Args:
        roundoff: The largest relative error of one rounding.
        shares: By which share of a rounding each value moves.
    """

    def __init__(self, roundoff: float, shares: Shares) -> None:
        self._roundoff = roundoff
        self._shares = shares

    def __call__(self, x: Any) -> Any:
        """`x`, moved; and so its gradient."""
        return _both_ways(x, self._moved, self._moved)

    def hooks(self, model: Any) -> List[Any]:
        """Move all weights, as a cast to fewer bits does, and hook every layer that rounds."""
        from torch import nn

        for weight in model.parameters():
            weight.data = self._moved(weight.data)
        rounds = (nn.Conv2d, nn.Linear, nn.AvgPool2d, nn.AdaptiveAvgPool2d)
        hooks = []  # type: List[Any]
        for layer in model.modules():
            if isinstance(layer, rounds):
                hooks.append(layer.register_forward_hook(lambda _, __, out: self(out)))
            elif isinstance(layer, nn.BatchNorm2d):
                hooks.extend(self._normalising(layer))
        return hooks

    def _normalising(self, layer: Any) -> List[Any]:
        """Hooks of a batch normalisation; backward, its output comes first."""
        mean = None  # type: Any

        def before(_: Any, inputs: Any) -> Any:
            (x,) = inputs
            return _both_ways(x, lambda value: self._shifted(value, 0.0), backward)

        def backward(gradient: Any) -> Any:
            return self._shifted(gradient, mean)

        def after(_: Any, inputs: Any, out: Any) -> Any:
            x = inputs[0].detach()
            spread = (moments(x)[1] + layer.eps).sqrt()
            scale = layer.weight.detach().abs()[:, None, None] / spread

            def taken(gradient: Any) -> Any:
                nonlocal mean
                share = gradient[:, 0].numel() / EQUAL_TERMS
                mean = share * scale * gradient.mean((0, 2, 3), keepdim=True).abs()
                return self._moved(gradient)

            return _both_ways(out, self._moved, taken)

        return [layer.register_forward_pre_hook(before), layer.register_forward_hook(after)]

    def _moved(self, value: Any) -> Any:
        import torch

        return torch.addcmul(value, value, self._shares(value), value=self._roundoff)

    def _shifted(self, value: Any, least: Any) -> Any:
        """Each channel off by a share of a rounding of its typical size, or of a larger one."""
        typical = value.pow(2).mean((0, 2, 3), keepdim=True).sqrt().clamp(min=least)
        return value + self._roundoff * typical * self._shares(typical)


def moments(x: Any) -> Tuple[Any, Any]:
    """Mean and variance (1, channels, 1, 1) of each channel, in half the time of `Tensor.var`."""
    mean = x.mean((0, 2, 3), keepdim=True)
    return mean, (x - mean).pow(2).mean((0, 2, 3), keepdim=True)


def _both_ways(x: Any, forward: Callable[[Any], Any], backward: Callable[[Any], Any]) -> Any:
    """`x`, moved forward; and its gradient, moved backward."""
    return _moved().apply(x, forward, backward)


@functools.lru_cache(maxsize=None)
def _moved() -> Any:
    """The function of PyTorch that moves both; a class takes long to make."""
    import torch

    class Moved(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, value: Any, forward: Any, backward: Any) -> Any:
            ctx.moved = backward
            return forward(value)

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            return ctx.moved(gradient), None, None

    return Moved


class Edges(Change):
    """Decides everywhere alike what rounding would decide: which values pass that are on an edge.

    That is the sign of what a ReLU is given, and which value of a pooling window is the largest.
    One value of a million that float32 has on the other side changes a gradient by far more than
    rounding does, and rarely enough to be in no sample.

    Args:
        near: For some ReLUs or maximum poolings, how near to its edge nothing is certain.
        is_open: Whether values near 0 pass, and of those near the largest the first, or the last.
        seed: Of coins: where one falls on its other side, it is the other way round.
    """

    def __init__(
        self, near: Dict[Any, float], *, is_open: bool, seed: Optional[int] = None
    ) -> None:
        self._near = near
        self._is_open = is_open
        self._seed = seed
        self._coins: Any = None

    def hooks(self, model: Any) -> List[Any]:  # noqa: ARG002
        """Hook the layers that decide."""
        import torch
        from torch import nn

        self._coins = None if self._seed is None else torch.Generator().manual_seed(self._seed)
        return [
            layer.register_forward_hook(self._sign if isinstance(layer, nn.ReLU) else self._largest)
            for layer in self._near
        ]

    def _sign(self, layer: Any, inputs: Any, _: Any) -> Any:
        """What passes is above 0, so that a pooling may take it for the largest."""
        (x,) = inputs
        near = x.detach().abs() <= self._near[layer]
        passes = ((x > 0) & ~near) | (near & self._opened(x))
        return (x + 2 * (-x.detach()).clamp(min=0)) * passes

    def _largest(self, layer: Any, inputs: Any, largest: Any) -> Any:
        """Of each window, the first or the last value of those that may be the largest."""
        (x,) = inputs
        side, stride = layer.kernel_size, layer.stride
        windows = x.unfold(2, side, stride).unfold(3, side, stride).flatten(-2)
        near = (windows.detach() >= largest.detach()[..., None] - self._near[layer]).byte()
        first, last = near.argmax(-1), near.shape[-1] - 1 - near.flip(-1).argmax(-1)
        place = first.where(self._opened(largest), last)
        return windows.gather(-1, place[..., None])[..., 0]

    def _opened(self, values: Any) -> Any:
        """Which of the values are on the open side if they are on an edge."""
        import torch

        if self._coins is None:
            return torch.full(values.shape, self._is_open)
        return (torch.rand(values.shape, generator=self._coins) < HALF) == self._is_open


class Late(Change):
    """Goes back through the weights as they are after the step, not as they were before it.

    Args:
        seen: Weights after each step.
        step: From 1.
    """

    def __init__(self, seen: Any, step: int) -> None:
        self._seen = seen
        self._prefix = "weights/%d/" % step

    def hooks(self, model: Any) -> List[Any]:
        """Hook every layer with weights."""
        number, found = 0, []
        for layer in model.keras_order():
            names = [kind for kind, _ in _layout.weights(layer)]
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
            usual = _layout.as_torch(weight)
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


def either_way(near: Dict[Any, float], coins: int) -> List[Tuple[Edges, Edges]]:
    """Pairs of opposite changes, between which what values on an edge can do is seen.

    All values of one kind of layer at once, then each of all by a coin: those that make up for each
    other if they go one way do not if they go different ways.

    Args:
        near: As `near_edges` gives it.
        coins: Ways in which values go by one: one alone may see nothing.
    """
    kinds = dict.fromkeys(type(layer) for layer in near)
    alike = [{layer: near[layer] for layer in near if type(layer) is kind} for kind in kinds]
    ways = [(layers, None) for layers in alike] + [(near, seed) for seed in range(coins)]
    return [
        (Edges(layers, is_open=True, seed=seed), Edges(layers, is_open=False, seed=seed))
        for layers, seed in ways
    ]


def near_edges(model: Any, images: Any, rounding: Rounding) -> Dict[Any, float]:
    """How near to an edge it is not certain on which side a value is, for each layer with one."""
    exact = _decided_on(model, images, SAME)
    near = dict.fromkeys(exact, 0.0)
    for _ in range(EDGE_SAMPLES):
        moved = _decided_on(model, images, rounding)
        for layer, value in moved.items():
            off = float((value - exact[layer]).pow(2).mean().sqrt())
            near[layer] = max(near[layer], EDGE * off)
    return near


def _decided_on(model: Any, images: Any, change: Change) -> Dict[Any, Any]:
    """What each layer with an edge is given."""
    import torch

    found = {}  # type: Dict[Any, Any]
    hooks = [
        layer.register_forward_hook(lambda layer, inputs, _: found.update({layer: inputs[0]}))
        for layer in _deciding(model)
    ]
    with torch.no_grad(), changed(model, change):
        model(images)
    for hook in hooks:
        hook.remove()
    return found


def _deciding(model: Any) -> List[Any]:
    """The layers with an edge."""
    from torch import nn

    return [layer for layer in model.modules() if isinstance(layer, (nn.ReLU, nn.MaxPool2d))]
