"""What training steps should give: loss, gradients and batch statistics in float64.

The models are those of `native/`, in plain PyTorch. The reference is begun anew at each step from
the weights that the stack had before it, so that what is compared is one step, not what became of
a first rounding over many. How far rounding alone may lead away is tried out: a step is repeated
with every weight, and every layer's output and gradient, off by a random share of the unit
roundoff; without the limit of probabilities where that stops what rounding would show.
"""

import contextlib
import os
import time
from typing import Any, Callable, Dict, Iterable, Iterator, List, Tuple

from . import changes, exact, learning, plugins, wire
from .exact import Step
from .native import _layout

LATE_WEIGHTS = "late weights"  # gradients go back through weights that are updated already


def converse(order: Any, requests: Callable[[], Any], send: Callable[[Any], None]) -> None:
    """Describe the model's weights, then expect steps until the host says `Finish`."""
    import torch

    torch.set_num_threads(order.threads)
    definition = plugins.load("native", order.model)
    asked = {wire.Expect: expect, wire.Perturb: perturb, wire.Edges: edges}  # type: Dict[Any, Any]
    send(described(definition))
    message = requests()
    while not isinstance(message, wire.Finish):
        begun = time.perf_counter()
        if isinstance(message, wire.Learn):
            losses = learning.losses(definition, message)
            send(wire.Learned(losses=losses, seconds=time.perf_counter() - begun))
        else:
            asked[type(message)](definition, message)
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
            for kind, array in _layout.weights(layer)
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
    seen = _load(message, "seen.npz")
    found = {}  # type: Dict[str, Any]
    steps = range(1, len(message.rows) + 1)
    for number, model, data in _before(definition, message, seen, steps):
        is_late = LATE_WEIGHTS in message.variants
        change = changes.Late(seen, number) if is_late else changes.SAME
        right = exact.step(model, definition.L2, data, change)
        _keep(found, "%d/" % number, right)
        for place, positions in enumerate(right.positions):
            found["positions/%d" % place] = positions
    _save(message, "expected.npz", found)


def perturb(definition: Any, message: Any) -> None:
    """Try out how far rounding leads a step away, and write `perturbed.npz`.

    That is the largest Euclidean distance of each part, and `size`, the norm of all gradients.
    """
    import torch

    seen = _load(message, "seen.npz")
    ((_, model, data),) = _before(definition, message, seen, [message.step])
    rounding = changes.Rounding(message.roundoff, changes.Shares(message.seed))
    right = exact.step(model, definition.L2, data)
    with exact.unlimited(model) if right.stopped else contextlib.ExitStack():
        free = exact.step(model, definition.L2, data) if right.stopped else right
        found = {"size": torch.stack([gradient.norm() for gradient in free.gradients]).norm()}
        for _ in range(message.perturbations):
            apart = {}  # type: Dict[str, Any]
            moved = exact.step(model, definition.L2, data, rounding)
            _keep(apart, "", _distances(moved, free))
            found.update({name: max(found.get(name, 0.0), far) for name, far in apart.items()})
    _save(message, "perturbed.npz", found)


def edges(definition: Any, message: Any) -> None:
    """Try out how far values on an edge move the gradients of a step, and write `edges.npz`."""
    seen = _load(message, "seen.npz")
    ((number, model, data),) = _before(definition, message, seen, [message.step])
    rounding = changes.Rounding(message.roundoff, changes.Shares(message.seed))
    near = changes.near_edges(model, data[0], rounding)
    apart = [
        _distances(*(exact.step(model, definition.L2, data, side) for side in sides)).gradients
        for sides in changes.either_way(near, message.coins)
    ]
    found = {
        "%d/edges/gradients/%d" % (number, place): max(distances).numpy()
        for place, distances in enumerate(zip(*apart))
    }
    _save(message, "edges.npz", found)


def _before(
    definition: Any, message: Any, seen: Any, steps: Iterable[int]
) -> Iterator[Tuple[int, Any, Any]]:
    """Of some steps the number from 1, the model as it was before, and images and labels."""
    given = _load(message, "given.npz")
    model = exact.built(definition, message.variants)
    for number in steps:
        weights = given if number == 1 else seen
        exact.load(model, weights, "weights/%d/" % (number - 1), message.variants)
        yield number, model, exact.batch(given, message.rows[number - 1])


def _load(message: Any, name: str) -> Any:
    """Arrays of a file of the proof."""
    import numpy as np

    return np.load(os.path.join(message.folder, name))


def _save(message: Any, name: str, found: Dict[str, Any]) -> None:
    """Write arrays to a file of the proof."""
    import numpy as np

    np.savez(os.path.join(message.folder, name), **found)


def _distances(one: Step, other: Step) -> Step:
    """Euclidean distances of two steps, part by part."""

    def apart(name: str) -> List[Any]:
        return [(a - b).norm() for a, b in zip(getattr(one, name), getattr(other, name))]

    return Step(
        loss=(one.loss - other.loss).norm(),
        gradients=apart("gradients"),
        means=apart("means"),
        variances=apart("variances"),
        positions=one.positions,
        stopped=one.stopped,
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
