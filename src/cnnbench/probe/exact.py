"""One training step of a model in plain PyTorch: loss, gradients and batch statistics.

Weights, gradients and statistics are in the order and layout of Keras.
"""

import contextlib
from typing import Any, Iterator, List, NamedTuple, Tuple

from .changes import SAME, changed, moments
from .native import _layout

CLIP = 1e-7  # Keras keeps probabilities this far from 0 and 1

# What a stack may do otherwise, for a model to be built so.
SYMMETRIC_PADDING, FIXED_GAMMA = "symmetric padding", "fixed gamma"
FLAT_CHANNELS_FIRST = "channels first in flat images"
BIAS_ALONG_WIDTH = "bias along the width"  # the gradient of a bias, summed over the wrong axes
BIAS_ADDED_ALONG_WIDTH = "bias added along the width"  # forwards too
LOSS_OF_LOGITS = "loss of logits"  # which has no probabilities that could be kept from 0

# Gradients and statistics are those of trainable weights and of normalised layers only.
Step = NamedTuple(
    "Step",
    [
        ("loss", Any),
        ("gradients", List[Any]),
        ("means", List[Any]),
        ("variances", List[Any]),
        ("positions", List[int]),  # of the images, that each layer normalises over
        ("stopped", bool),  # whether the limit of probabilities stops an image's gradient
    ],
)


def built(definition: Any, variants: List[str]) -> Any:
    """The module in float64, in training mode, without dropout."""
    import torch

    model = definition.build(
        definition.SHAPE,
        definition.CLASSES,
        symmetric=SYMMETRIC_PADDING in variants,
        channels_first=FLAT_CHANNELS_FIRST in variants,
    ).double()
    for layer in model.modules():
        if isinstance(layer, torch.nn.Dropout):
            layer.p = 0.0
        if isinstance(layer, torch.nn.BatchNorm2d) and FIXED_GAMMA in variants:
            layer.weight.requires_grad = False
        if isinstance(layer, torch.nn.Conv2d) and BIAS_ALONG_WIDTH in variants:
            layer.register_forward_hook(_bias_gradient_along_width)
        if isinstance(layer, torch.nn.Conv2d) and BIAS_ADDED_ALONG_WIDTH in variants:
            layer.register_forward_hook(_bias_added_along_width)
    model.limited = LOSS_OF_LOGITS not in variants
    return model.train()


@contextlib.contextmanager
def unlimited(model: Any) -> Iterator[None]:
    """The model with probabilities however near to 0 and 1."""
    was, model.limited = model.limited, False
    yield
    model.limited = was


def load(model: Any, arrays: Any, prefix: str, variants: List[str]) -> None:
    """Make the weights those of `arrays`, numbered in Keras' order."""
    import torch

    number = 0
    for layer in model.keras_order():
        for kind, view in _layout.weights(layer):
            view.copy_(torch.from_numpy(arrays[prefix + str(number)]))
            if kind == "gamma" and FIXED_GAMMA in variants:
                view.fill_(1.0)
            number += 1


def batch(given: Any, rows: List[int]) -> Tuple[Any, Any]:
    """Images from 0 to 1, float64 (n, 3, height, width), as the stack's float32 has them."""
    import numpy as np
    import torch

    images = given["images"][rows].astype("float32") / np.float32(255)
    labels = torch.from_numpy(given["labels"][rows].astype("int64"))
    return torch.from_numpy(images).double().permute(0, 3, 1, 2).contiguous(), labels


def step(model: Any, l2: float, data: Tuple[Any, Any], change: Any = SAME) -> Step:
    """Forward and backward: cross-entropy of the softmax, and L2 of the convolutions' kernels.

    Args:
        model: As `built` gives it, perhaps in another type.
        l2: Weight of the squared kernels.
        data: Images and labels.
        change: What is otherwise in this step.
    """
    import torch

    layers = model.keras_order()
    images, labels = data
    normalised = [layer for layer in layers if isinstance(layer, torch.nn.BatchNorm2d)]
    statistics = {}  # type: Any

    def note(layer: Any, inputs: Any) -> None:
        x = inputs[0].detach()
        positions = x.shape[2] * x.shape[3]
        mean, variance = moments(x)
        statistics[layer] = mean.flatten(), variance.flatten(), positions

    hooks = [layer.register_forward_pre_hook(note) for layer in normalised]
    model.zero_grad()
    with changed(model, change):
        logits = model(change(images))
        true = torch.arange(len(labels)), labels
        stopped = False
        if model.limited:
            shares = change(logits.softmax(1))[true]
            kept = shares.clamp(CLIP, 1 - CLIP)
            stopped = bool((kept != shares).any())
            logs = kept.log()
        else:
            logs = change(logits.log_softmax(1))[true]
        loss = -logs.mean()
        if l2:
            kernels = [layer.weight for layer in layers if isinstance(layer, torch.nn.Conv2d)]
            loss = loss + l2 * sum((kernel**2).sum() for kernel in kernels)
        loss.backward()
    for hook in hooks:
        hook.remove()
    return Step(
        loss=loss.detach(),
        gradients=[_gradient(w) for layer in layers for w in (layer.weight, layer.bias)],
        means=[statistics[layer][0] for layer in normalised],
        variances=[statistics[layer][1] for layer in normalised],
        positions=[statistics[layer][2] for layer in normalised],
        stopped=stopped,
    )


def _gradient(weight: Any) -> Any:
    """In Keras' layout; zeros for what is not trained."""
    import torch

    gradient = torch.zeros_like(weight) if weight.grad is None else weight.grad.clone()
    return _layout.as_keras(gradient)


def _bias_gradient_along_width(layer: Any, inputs: Any, output: Any) -> Any:
    """The output as it is, whose bias gets the gradients of columns if there are as many."""
    return _along_width(layer, inputs, output, layer.bias.detach())


def _bias_added_along_width(layer: Any, inputs: Any, output: Any) -> Any:
    """The output with its bias added to columns, not to channels, if there are as many."""
    return _along_width(layer, inputs, output, 0 * layer.bias.detach())


def _along_width(layer: Any, inputs: Any, output: Any, stay: Any) -> Any:
    """The output, all of whose bias but what stays with channels is added along the width."""
    from torch.nn import functional

    if output.shape[1] != output.shape[3]:
        return output
    plain = functional.conv2d(inputs[0], layer.weight, stay, layer.stride, layer.padding)
    return plain + (layer.bias - stay)
