"""What a proof starts from: first weights, images and labels, all from a seed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from cnnbench.probe.wire import Described

STEPS = 3  # that are compared, one by one
LEARNING = 21  # more, of which the losses are compared
MORE_STEPS = 2  # in a last window, of which only the work is counted
LABELS = 10  # of which there are images, at most: in so few steps a network learns few classes
GRID = 4  # colours of a class, across and down
MILD = 0.1  # of the last layer's usual kernel


def write(path: Path, described: Described, seed: int, *, mild: bool = False) -> None:
    """Write `given.npz`.

    Args:
        path: Of the file.
        described: What the reference says of its model.
        seed: Of everything.
        mild: Whether the first predictions are to be unsure: float16 has no number for the gradient
            of a probability that is nearly 0.
    """
    random = np.random.default_rng(seed)
    labels = random.integers(0, min(LABELS, described.classes), _count(described.batch))
    arrays: dict[str, Any] = {
        "images": _images(labels, described.shape, random),
        "labels": labels,
        "classes": described.classes,
        "looks": STEPS,
    }
    last = max(n for n, (kind, _) in enumerate(described.weights) if kind == "kernel")
    for number, array in enumerate(_weights(described.weights, random)):
        arrays[f"weights/0/{number}"] = array * np.float32(MILD if mild and number == last else 1)
    np.savez(path, **arrays)


def rows(batch: int, seed: int, steps: int, *, from_start: bool) -> list[list[int]]:
    """The images that each step trains on, as indices of those given.

    Args:
        batch: Images in a step.
        seed: Of the launch, whose feed shuffles once.
        steps: How many.
        from_start: Whether each window of the method begins with the first batch again.
    """
    # RandomState's stream is the same in every release of NumPy, old ones too.
    order = np.random.RandomState(seed).permutation(_count(batch))
    starts = [0 if from_start else step * batch for step in range(steps)]
    return [[int(row) for row in order[start : start + batch]] for start in starts]


def _count(batch: int) -> int:
    """Images that are given: no step sees one again, unless its method begins anew."""
    return batch * (STEPS + LEARNING + MORE_STEPS)


def _images(
    labels: NDArray[np.int64], shape: Sequence[int], random: np.random.Generator
) -> NDArray[np.uint8]:
    """Images (n, height, width, channels) whose classes can be learned: colours under noise."""
    height, width, channels = shape
    colours = random.integers(0, 160, (LABELS, GRID, GRID, channels), np.uint8)
    patterns = colours.repeat(height // GRID, 1).repeat(width // GRID, 2)
    noise = random.integers(0, 96, (len(labels), height, width, channels), np.uint8)
    images: NDArray[np.uint8] = patterns[labels] + noise
    return images


def _weights(
    described: Sequence[Sequence[Any]], random: np.random.Generator
) -> Iterator[np.ndarray]:
    """Kernels by He et al. (ICCV 2015); all else near its usual start, but nowhere exactly there.

    A network at its usual start hides mistakes: a gamma of 1, and means of 0, are what a layer
    without them has.
    """
    for kind, shape in described:
        noise = random.standard_normal(shape)
        match kind:
            case "kernel":
                value = noise * math.sqrt(2 / math.prod(shape[:-1]))
            case "gamma":
                value = 1 + 0.1 * noise
            case "variance":
                value = np.exp(0.1 * noise)
            case _:
                value = 0.1 * noise
        yield value.astype(np.float32)
