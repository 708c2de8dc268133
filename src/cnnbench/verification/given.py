"""What a proof starts from: first weights, images and labels, all from a seed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from cnnbench.probe.wire import Described

STEPS = 3  # that are compared, one by one
MORE_STEPS = 2  # in a last window, of which only the work is counted


def write(path: Path, described: Described, seed: int) -> None:
    """Write `given.npz`.

    Args:
        path: Of the file.
        described: What the reference says of its model.
        seed: Of everything.
    """
    random = np.random.default_rng(seed)
    count = described.batch * (STEPS + MORE_STEPS)
    height, width, channels = described.shape
    arrays: dict[str, Any] = {
        "images": random.integers(0, 256, (count, height, width, channels), np.uint8),
        "labels": random.integers(0, described.classes, count),
        "classes": described.classes,
    }
    for number, array in enumerate(_weights(described.weights, random)):
        arrays[f"weights/0/{number}"] = array
    np.savez(path, **arrays)


def rows(count: int, batch: int, seed: int, *, from_start: bool) -> list[list[int]]:
    """The images that each step trains on, as indices of those given.

    Args:
        count: Images given.
        batch: In a step.
        seed: Of the launch, whose feed shuffles once.
        from_start: Whether each window of the method begins with the first batch again.
    """
    # RandomState's stream is the same in every release of NumPy, old ones too.
    order = np.random.RandomState(seed).permutation(count)
    starts = [0 if from_start else step * batch for step in range(STEPS)]
    return [[int(row) for row in order[start : start + batch]] for start in starts]


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
