"""Optimisers in float64: what gradient a stack's optimiser was given, and what it had to do.

A training step is compiled whole, and shows no gradient. Its optimiser's state does: Adam's first
moment is an average of gradients, RMSprop's second moment of their squares. So the gradient is
read from the state before and after a step, and the weights are then what these rules make of it.

Sources: Kingma & Ba, "Adam", ICLR 2015, whose bias correction is taken into the rate as in section
2; Hinton, lecture 6e of "Neural Networks for Machine Learning", 2012.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Slots = Mapping[str, Floats]

BETA_1, BETA_2, RHO = 0.9, 0.999, 0.9
HALF_ULP = 2.0**-24  # the largest relative error of one rounding to float32
ROUNDINGS = 8  # in a step of an optimiser, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What an optimiser does.

    Attributes:
        name: `adam` or `rmsprop`.
        rate: Learning rate of the first step.
        decay: The rate of a step is `rate / (1 + decay * steps before it)`.
        epsilon: What keeps the denominator from 0.
        inside: Whether epsilon is added inside the square root.
    """

    name: str
    rate: float
    decay: float = 0.0
    epsilon: float = 1e-7
    inside: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """Values, and how far each may be off for the roundings that lie before it."""

    values: Floats
    error: Floats


def gradient(rule: Rule, before: Slots, after: Slots, moved: Floats) -> Reading:
    """The gradient that an optimiser was given, from its state before and after the step.

    Args:
        rule: What it does.
        before: `velocity`, and for Adam `momentum`.
        after: The same.
        moved: What the step took from the weight, whose sign is that of RMSprop's gradient.
    """
    if rule.name == "adam":
        one, other = before["momentum"], after["momentum"]
        values = (other - BETA_1 * one) / (1 - BETA_1)
        return Reading(values, _error(one, other) / (1 - BETA_1) + _lost(BETA_1, values))
    one, other = before["velocity"], after["velocity"]
    squares = (other - RHO * one) / (1 - RHO)
    error = _error(one, other) / (1 - RHO) + _lost(RHO, squares)
    size = np.sqrt(np.maximum(squares, 0))
    # The error of a root: at most that of the root of the error, and smaller away from 0.
    off = np.minimum(np.sqrt(error), error / np.maximum(size, np.finfo(float).tiny))
    return Reading(np.sign(moved) * size, off)


def velocity(rule: Rule, before: Slots, found: Reading) -> Reading:
    """The average of squared gradients after the step."""
    share = BETA_2 if rule.name == "adam" else RHO
    values = share * before["velocity"] + (1 - share) * found.values**2
    spread = 2 * np.abs(found.values) * found.error + found.error**2
    off = (1 - share) * (spread + _lost(share, found.values**2))
    return Reading(values, off + _error(before["velocity"], values))


def step(rule: Rule, number: int, weight: Floats, after: Slots, found: Reading) -> Reading:
    """The weight after step `number`, from 1.

    Args:
        rule: What the optimiser does.
        number: Of the step.
        weight: Before it.
        after: The optimiser's state after it.
        found: The gradient that it was given.
    """
    rate = rule.rate / (1 + rule.decay * (number - 1))
    roundings: float = ROUNDINGS
    direction, error = found.values, found.error
    if rule.name == "adam":
        biases = 1 - BETA_1**number, 1 - BETA_2**number
        rate *= math.sqrt(biases[1]) / biases[0]
        # 1 - 0.999 in float32 has lost ten bits.
        roundings += sum((1 + number) / bias for bias in biases)
        direction, error = after["momentum"], np.zeros_like(found.error)
    root = np.sqrt(after["velocity"] + (rule.epsilon if rule.inside else 0))
    scale = rate / (root + (0 if rule.inside else rule.epsilon))
    change = scale * direction
    off = scale * error + HALF_ULP * (roundings * np.abs(change) + np.abs(weight))
    return Reading(weight - change, off)


def _lost(share: float, values: Floats) -> Floats:
    """How far values may be off that were multiplied with 1 - `share`, taken in float32."""
    return HALF_ULP / (1 - share) * np.abs(values)


def _error(one: Floats, other: Floats) -> Floats:
    """How far a state may be off that was rounded in each step of its average."""
    return ROUNDINGS * HALF_ULP * (np.abs(one) + np.abs(other))
