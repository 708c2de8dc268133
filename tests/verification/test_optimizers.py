"""The optimisers in float64 read the gradient that an optimiser in float32 was given."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench.verification.optimizers import BETA_1, BETA_2, RHO, Rule, gradient, step, velocity

RULES = [
    Rule(name="adam", rate=1e-3),
    Rule(name="adam", rate=1e-3, epsilon=1e-8),
    Rule(name="rmsprop", rate=1e-4, decay=1e-6),
    Rule(name="rmsprop", rate=1e-4, inside=True),
]
SEEDS = st.integers(0, 2**32 - 1)
FLOAT = np.float32


class InFloat32:
    """An optimiser as frameworks compute it."""

    def __init__(self, rule: Rule, weight: Any) -> None:
        self.rule = rule
        self.weight = weight.astype(FLOAT)
        self.slots: dict[str, Any] = {"velocity": np.zeros_like(self.weight)}
        if rule.name == "adam":
            self.slots["momentum"] = np.zeros_like(self.weight)
        self.number = 0

    def train(self, slope: np.ndarray) -> None:
        """One step with this gradient."""
        rule, slope = self.rule, slope.astype(FLOAT)
        rate = FLOAT(rule.rate / (1 + rule.decay * self.number))
        self.number += 1
        share = BETA_2 if rule.name == "adam" else RHO
        self.slots["velocity"] = FLOAT(share) * self.slots["velocity"] + FLOAT(
            1 - share
        ) * np.square(slope)
        direction = slope
        if rule.name == "adam":
            self.slots["momentum"] = (
                FLOAT(BETA_1) * self.slots["momentum"] + FLOAT(1 - BETA_1) * slope
            )
            direction = self.slots["momentum"]
            rate *= FLOAT(math.sqrt(1 - BETA_2**self.number) / (1 - BETA_1**self.number))
        epsilon = FLOAT(rule.epsilon)
        if rule.inside:
            root = np.sqrt(self.slots["velocity"] + epsilon)
        else:
            root = np.sqrt(self.slots["velocity"]) + epsilon
        self.weight = self.weight - rate * direction / root

    def state(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Weight and slots in float64."""
        return self.weight.astype(float), {k: v.astype(float) for k, v in self.slots.items()}


def steps(rule: Rule, seed: int, count: int = 4, size: int = 200) -> list[tuple[Any, Any, Any]]:
    """Before and after each of some steps, and the gradient in between."""
    random = np.random.default_rng(seed)
    optimizer = InFloat32(rule, random.standard_normal(size))
    found = []
    for _ in range(count):
        slope = random.standard_normal(size) * 10.0 ** random.integers(-6, 1)
        before = optimizer.state()
        optimizer.train(slope)
        found.append((before, optimizer.state(), slope))
    return found


@pytest.mark.parametrize("rule", RULES, ids=str)
@given(seed=SEEDS)
def test_the_gradient_is_read_from_the_state_within_its_error(rule: Rule, seed: int) -> None:
    for (weight, before), (moved, after), slope in steps(rule, seed):
        found = gradient(rule, before, after, weight - moved)
        # A weight that is large against its step hides the sign of it.
        still = weight == moved
        off = np.abs(found.values - slope)[~still]
        assert np.linalg.norm(off) <= np.linalg.norm(found.error) + 1e-6 * np.linalg.norm(slope)


@pytest.mark.parametrize("rule", RULES, ids=str)
@given(seed=SEEDS)
def test_a_step_in_float32_is_the_step_in_float64_to_rounding(rule: Rule, seed: int) -> None:
    for number, ((weight, before), (moved, after), _) in enumerate(steps(rule, seed), 1):
        found = gradient(rule, before, after, weight - moved)
        right = step(rule, number, weight, after, found)
        assert np.linalg.norm(moved - right.values) <= np.linalg.norm(right.error)
        average = velocity(rule, before, found)
        if rule.name == "adam":
            apart = np.linalg.norm(after["velocity"] - average.values)
            assert apart <= np.linalg.norm(average.error)


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("factor", [0.99, 1.01])
def test_a_learning_rate_that_is_off_by_a_percent_shows(rule: Rule, factor: float) -> None:
    wrong = replace(rule, rate=rule.rate * factor)
    ((weight, before), (moved, after), _), *_ = steps(wrong, seed=1)

    found = gradient(rule, before, after, weight - moved)
    right = step(rule, 1, weight, after, found)

    assert np.linalg.norm(moved - right.values) > 2 * np.linalg.norm(right.error)


def test_momentum_that_is_off_gives_another_gradient() -> None:
    rule = RULES[0]
    _, ((weight, before), (moved, after), slope), *_ = steps(rule, seed=1)
    forgetful = {**after, "momentum": slope}

    found = gradient(rule, before, forgetful, weight - moved)

    assert np.linalg.norm(found.values - slope) > 1e3 * np.linalg.norm(found.error)
