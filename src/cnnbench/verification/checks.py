"""Holds what a stack's training steps gave against what they should have given."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnbench.verification import moving, optimizers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from cnnbench.probe.wire import Described
    from cnnbench.verification.traits import Traits

    Arrays = Mapping[str, Any]
    Floats = NDArray[np.float64]

# What rounding does in a whole layer, against what one rounding of its output does. Sums of
# products round at every term, to float32 in every precision. `benchmarks/correctness.py` shows
# what right stacks need.
ALLOWANCE, SUMS = 16.0, 48.0
ON_EDGE = 1.5  # of what values on an edge can do together, for what follows from their passing
# Of unordered updates any part may be early or late, each by itself, in each layer.
UNORDERED = 4.0
TRAINABLE = ("kernel", "bias", "gamma", "beta")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was compared.

    Attributes:
        what: `loss`, `gradient`, `velocity`, `weights`, `moving mean`...
        where: The layer's weight, by its place in Keras' order; empty for the loss.
        step: From 1.
        deviation: Euclidean distance from what it should be.
        tolerance: The largest deviation that rounding explains.
    """

    what: str
    where: str
    step: int
    deviation: float
    tolerance: float

    @property
    def excess(self) -> float:
        """Deviation over tolerance: right if it is at most 1."""
        if self.deviation == 0:
            return 0.0
        if not math.isfinite(self.deviation) or self.tolerance == 0:
            return math.inf
        return self.deviation / self.tolerance


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known of a stack's steps.

    Attributes:
        described: The reference's model.
        given: First weights, images and labels.
        seen: What the stack made of them.
        losses: That the stack told of each step.
        expected: What the reference makes of the stack's weights.
        rounding: How far rounding leads away in the plain network's first step, and the `size` of
            its gradients.
        perturbed: The same of steps in which it was tried out, each for itself.
        roundoff: Of the precision; the largest relative error of one rounding.
        late: What the reference makes of it if all gradients go back through weights as they are
            after the step; needed where updates are unordered.
    """

    described: Described
    given: Arrays
    seen: Arrays
    losses: Sequence[float]
    expected: Arrays
    rounding: Arrays
    perturbed: Mapping[int, Arrays]
    roundoff: float
    late: Arrays = field(default_factory=dict)


def checks(evidence: Evidence, traits: Traits) -> Iterator[Check]:
    """Everything compared, step by step.

    Args:
        evidence: What is known.
        traits: What the stack is held to do.
    """
    for number in range(1, len(evidence.losses) + 1):
        yield _loss(evidence, traits, number)
        yield from _trained(evidence, traits, number)
        yield from _averaged(evidence, traits, number)
        done = int(evidence.seen[f"iterations/{number}/0"])
        yield Check(
            what="iterations", where="", step=number, deviation=abs(done - number), tolerance=0.5
        )


def _loss(evidence: Evidence, traits: Traits, number: int) -> Check:
    told = step_losses(evidence.losses, traits)[number - 1]
    right = float(evidence.expected[f"{number}/loss"])
    # The mean of n losses, told in float32, is off by n roundings of it.
    rounding = 2 * number * optimizers.HALF_ULP * abs(right)
    return Check(
        what="loss",
        where="",
        step=number,
        deviation=abs(told - right),
        tolerance=_rounding(evidence, number, "loss") + rounding,
    )


def _trained(evidence: Evidence, traits: Traits, number: int) -> Iterator[Check]:
    """Gradients as the optimiser has them, then what it makes of them."""
    size = gradient_norm(evidence.described, evidence.expected, number)
    size /= float(_perturbed(evidence, number)["size"])
    for place, (where, index) in enumerate(_named(evidence.described, TRAINABLE)):
        weight = _weight(evidence, number - 1, index)
        if where.startswith("gamma") and "fixed gamma" in traits.variants:
            weight = np.ones_like(weight)  # whatever it was given, forward sets it to 1
        moved = weight - _array(evidence.seen, f"weights/{number}/{index}")
        before, after = (
            _slots(evidence.seen, number - 1, place),
            _slots(evidence.seen, number, place),
        )
        before = before or {kind: np.zeros_like(value) for kind, value in after.items()}
        right = _array(evidence.expected, f"{number}/gradients/{place}")
        found = optimizers.gradient(traits.rule, before, after, moved)
        far = _rounding(evidence, number, f"gradients/{place}") * size
        far += ON_EDGE * float(evidence.expected.get(f"{number}/edges/gradients/{place}", 0.0))
        if traits.unordered:
            late = _array(evidence.late, f"{number}/gradients/{place}")
            far += UNORDERED * _norm(late - right)
        yield Check(
            what="gradient",
            where=where,
            step=number,
            deviation=_norm(found.values - right),
            tolerance=far + _norm(found.error) + optimizers.HALF_ULP * _norm(right),
        )
        if traits.rule.name == "adam":
            yield _apart(
                "velocity", where, number, after["velocity"],
                optimizers.velocity(traits.rule, before, found),
            )  # fmt: skip
        yield _apart(
            "weights", where, number, weight - moved,
            optimizers.step(traits.rule, number, weight, after, found),
        )  # fmt: skip


def _averaged(evidence: Evidence, traits: Traits, number: int) -> Iterator[Check]:
    """The moving averages of batch normalisation."""
    for kind, name in (("mean", "means"), ("variance", "variances")):
        for place, (where, index) in enumerate(_named(evidence.described, (kind,))):
            batches = [
                _array(evidence.expected, f"{step}/{name}/{place}") for step in range(1, number + 1)
            ]
            if kind == "variance":
                count = evidence.described.batch * _positions(evidence, place)
                batches = [moving.corrected(traits.average, b, count) for b in batches]
            before = _weight(evidence, number - 1, index)
            right = moving.average(traits.average, before, batches)
            after = _array(evidence.seen, f"weights/{number}/{index}")
            far = _rounding(evidence, number, f"{name}/{place}")
            # Of a debiased average a batch's share is up to all of it.
            share = 1.0 if traits.average.debiased else 1 - moving.MOMENTUM
            # A hundredth, taken as 1 - 0.99 in float32, has lost seven bits.
            lost = 4 + share / (1 - moving.MOMENTUM)
            rounding = lost * optimizers.HALF_ULP * _norm(np.abs(before) + np.abs(right))
            yield Check(
                what=f"moving {kind}",
                where=where,
                step=number,
                deviation=_norm(after - right),
                tolerance=share * far + rounding,
            )


def _apart(what: str, where: str, step: int, found: Floats, right: optimizers.Reading) -> Check:
    return Check(
        what=what,
        where=where,
        step=step,
        deviation=_norm(found - right.values),
        tolerance=_norm(right.error),
    )


def _named(described: Described, kinds: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Name and index of each weight of some kinds: `kernel 3` is the third layer's with one."""
    counts: dict[str, int] = {}
    for index, (kind, _) in enumerate(described.weights):
        counts[kind] = counts.get(kind, 0) + 1
        if kind in kinds:
            yield f"{kind} {counts[kind]}", index


def _weight(evidence: Evidence, number: int, index: int) -> Floats:
    """A weight after a step; 0 is before the first."""
    return _array(evidence.seen if number else evidence.given, f"weights/{number}/{index}")


def _slots(seen: Arrays, number: int, place: int) -> dict[str, Floats]:
    """The optimiser's state of a trainable weight; empty where there is none yet."""
    names = ("momentum", "velocity")
    keys = {name: f"{name}/{number}/{place}" for name in names}
    return {name: _array(seen, key) for name, key in keys.items() if key in seen}


def _positions(evidence: Evidence, place: int) -> int:
    """Positions of the images that a layer normalises over."""
    return int(evidence.expected[f"positions/{place}"])


def gradient_norm(described: Described, expected: Arrays, number: int) -> float:
    """Of all gradients of a step together, as they should be."""
    named = enumerate(_named(described, TRAINABLE))
    return math.hypot(*(_norm(_array(expected, f"{number}/gradients/{p}")) for p, _ in named))


def step_losses(told: Sequence[float], traits: Traits) -> list[float]:
    """The loss of each step, from what a stack told of it."""
    if not traits.running_mean:
        return list(told)
    sums = [number * mean for number, mean in enumerate(told, 1)]
    return [one - before for one, before in zip(sums, [0.0, *sums], strict=False)]


def allowance(roundoff: float) -> float:
    """What rounding may do in a whole layer, over one rounding of its output."""
    return ALLOWANCE + SUMS * optimizers.HALF_ULP / roundoff


def _rounding(evidence: Evidence, number: int, part: str) -> float:
    """How far rounding may lead away."""
    return allowance(evidence.roundoff) * float(_perturbed(evidence, number)[part])


def _perturbed(evidence: Evidence, number: int) -> Arrays:
    """How far it led in a step, or if that was not tried out, in the plain network's first."""
    return evidence.perturbed.get(number, evidence.rounding)


def _array(arrays: Arrays, name: str) -> Floats:
    return np.asarray(arrays[name], np.float64)


def _norm(values: Floats) -> float:
    return float(np.linalg.norm(values))
