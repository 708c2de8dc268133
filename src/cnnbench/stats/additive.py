"""Effects of arms over blocks that not every arm is in: an additive model, by least squares.

A value is its arm's effect, and its block's, and noise that is alike everywhere. Arms that left
early are held against the others over the blocks that they shared, and the noise is known from all.

Source: Scheffé, "The Analysis of Variance", 1959, chapter 4 (two-way layout, one value a cell).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


class Fit(NamedTuple):
    """What blocks say of arms.

    Attributes:
        names: Of the arms, in the order in which they were met.
        effects: (n,) of the arms; only their differences mean anything.
        spread: (n, n) covariance of the effects over the variance of one value.
        noise: Standard deviation of one value; None where nothing tells of it.
        freedom: Degrees of freedom of that.
    """

    names: tuple[str, ...]
    effects: NDArray[np.float64]
    spread: NDArray[np.float64]
    noise: float | None
    freedom: int

    def difference(self, one: str, other: str) -> tuple[float, float | None]:
        """Effect of one over the other, and its standard error if the noise is known."""
        i, j = self.names.index(one), self.names.index(other)
        value = float(self.effects[i] - self.effects[j])
        if self.noise is None:
            return value, None
        variance = self.spread[i, i] + self.spread[j, j] - 2 * self.spread[i, j]
        return value, self.noise * math.sqrt(max(float(variance), 0.0))


def fit(blocks: Sequence[Mapping[str, float]]) -> Fit:
    """Fit the model.

    Args:
        blocks: Values by arm; at least one, and each shares an arm with one before it.
    """
    names = tuple(dict.fromkeys(name for block in blocks for name in block))
    cells = [(names.index(name), at, v) for at, one in enumerate(blocks) for name, v in one.items()]
    columns = len(names) + len(blocks) - 1  # the first block's effect is 0
    design = np.zeros((len(cells), columns))
    for row, (arm, block, _) in enumerate(cells):
        design[row, arm] = 1.0
        if block:
            design[row, len(names) + block - 1] = 1.0
    values = np.array([value for _, _, value in cells])
    inverse = np.linalg.pinv(design.T @ design)
    found = inverse @ design.T @ values
    freedom = len(cells) - columns
    noise = None
    if freedom > 0:
        noise = math.sqrt(float(np.sum((values - design @ found) ** 2)) / freedom)
    count = len(names)
    spread = np.asarray(inverse[:count, :count], np.float64)
    return Fit(names, found[:count], spread, noise, freedom)
