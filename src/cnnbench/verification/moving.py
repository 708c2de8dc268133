"""The moving averages of batch normalisation, as different frameworks keep them.

They do not touch training; they are what the trained model is later used with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOMENTUM, EPSILON = 0.99, 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Average:
    """How moving averages are kept.

    Attributes:
        debiased: Whether the average forgets its start: the sum of weighted batches over the sum of
            their weights, as Adam corrects its moments.
        corrections: By what a batch's variance is multiplied: `bessel` n / (n - 1), and `keras`
            n / (n - 1 - epsilon), for n values of a channel.
    """

    debiased: bool = False
    corrections: tuple[str, ...] = ()


def average(how: Average, before: Floats, batches: Sequence[Floats]) -> Floats:
    """A moving average after the last of some batches.

    Args:
        how: It is kept.
        before: The average before the last batch.
        batches: What each batch had, from the first on.
    """
    if not how.debiased:
        return MOMENTUM * before + (1 - MOMENTUM) * batches[-1]
    weights = MOMENTUM ** np.arange(len(batches) - 1, -1, -1)
    found: Floats = np.average(np.stack(list(batches)), axis=0, weights=weights)
    return found


def corrected(how: Average, variance: Floats, count: int) -> Floats:
    """A batch's variance, as it goes into the average.

    Args:
        how: Averages are kept.
        variance: Mean square about the mean.
        count: Values of a channel in the batch.
    """
    factors = {"bessel": count / (count - 1), "keras": count / (count - 1 - EPSILON)}
    for name in how.corrections:
        variance = variance * factors[name]
    return variance
