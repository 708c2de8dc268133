"""How the loss of the reference falls over many steps, from the weights and images given.

One trajectory is exact, in float64. Others are led astray in every step by rounding, as of the
precision that is judged: how far they come apart says what two right trajectories have in common.
Those are computed in float32, whose own rounding is far below what leads them astray.
"""

import os
from typing import Any, Dict, List

from . import changes, exact
from .native import _layout


def losses(definition: Any, message: Any) -> List[List[float]]:
    """The loss before each step: exact first, then each that is led astray."""
    import numpy as np

    given = np.load(os.path.join(message.folder, "given.npz"))
    shares = changes.Shares(message.seed)
    found = [_trajectory(definition, message, given, changes.SAME)]
    for _ in range(message.trajectories):
        rounding = changes.Rounding(message.roundoff, shares)
        found.append(_trajectory(definition, message, given, rounding))
    return found


def _trajectory(definition: Any, message: Any, given: Any, change: Any) -> List[float]:
    import torch

    kind = torch.float64 if change is changes.SAME else torch.float32
    model = exact.built(definition, message.variants).to(kind)
    exact.load(model, given, "weights/0/", message.variants)
    optimizer = Optimizer(model, message.rule)
    told = []
    for rows in message.rows:
        images, labels = exact.batch(given, rows)
        made = exact.step(model, definition.L2, (images.to(kind), labels), change)
        optimizer.update(made.gradients)
        told.append(float(made.loss))
    return told


class Optimizer:
    """The rules of `cnnbench.verification.optimizers`, forward: from gradients to weights.

    Args:
        model: Whose weights are updated, in Keras' order and layout.
        rule: The fields of a `Rule`.
    """

    def __init__(self, model: Any, rule: Dict[str, Any]) -> None:
        import torch

        self._rule = rule
        self._weights = [
            view
            for layer in model.keras_order()
            for kind, view in _layout.weights(layer)
            if kind not in ("mean", "variance")
        ]
        self._momenta = [torch.zeros_like(weight) for weight in self._weights]
        self._velocities = [torch.zeros_like(weight) for weight in self._weights]
        self._steps = 0

    def update(self, gradients: List[Any]) -> None:
        """Take a step."""
        rule, steps = self._rule, self._steps
        rate = rule["rate"] / (1 + rule["decay"] * steps)
        self._steps += 1
        adam = rule["name"] == "adam"
        if adam:
            rate *= (1 - 0.999**self._steps) ** 0.5 / (1 - 0.9**self._steps)
        inside, outside = (rule["epsilon"], 0.0) if rule["inside"] else (0.0, rule["epsilon"])
        state = zip(self._weights, self._momenta, self._velocities, gradients)
        for weight, momentum, velocity, gradient in state:
            share = 0.999 if adam else 0.9
            velocity.mul_(share).add_((1 - share) * gradient**2)
            direction = momentum.mul_(0.9).add_(0.1 * gradient) if adam else gradient
            weight.sub_(rate * direction / ((velocity + inside).sqrt() + outside))
