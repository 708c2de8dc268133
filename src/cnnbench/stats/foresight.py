"""How many values a sequential plan will take, foreseen from the noise that is known so far.

What a plan *needs* at the noise that was seen is too few on average: a sample that is noisier than
it should be at a look goes on to the next. So plans are played through, many times: a variance is
drawn from what the noise leaves open (its scaled inverse chi-squared distribution, the prior 1 over
the variance), then values to come, and the looks are made as the plan makes them.
Source: Gelman et al., "Bayesian Data Analysis", 2013, section 3.2 (the distributions); Smyth,
"Linear models and empirical Bayes methods", SAGMB 2004 (moderated variances).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cnnbench.stats.distributions import student_quantile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    # Whether a plan is over, by the middle and the half-width of its interval.
    Enough = Callable[[Floats, Floats], NDArray[np.bool_]]

PLAYS = 500
PRIOR = 2  # degrees of freedom that what is typical counts for


class Noise(NamedTuple):
    """A standard deviation, and how many degrees of freedom its estimate has: at least one."""

    deviation: float
    degrees: int

    def moderated(self, typical: float) -> Noise:
        """Drawn towards a deviation that is typical of others, which counts as PRIOR degrees."""
        degrees = self.degrees + PRIOR
        squares = self.degrees * self.deviation**2 + PRIOR * typical**2
        return Noise(math.sqrt(squares / degrees), degrees)


def noise_of(values: Sequence[float]) -> Noise | None:
    """The noise of values; None if there are not two."""
    if len(values) < 2:  # noqa: PLR2004
        return None
    return Noise(float(np.std(values, ddof=1)), len(values) - 1)


def stops(
    own: Sequence[float],
    noise: Noise,
    looks: Sequence[int],
    confidences: Sequence[float],
    is_enough: Enough,
) -> NDArray[np.int64]:
    """How many values a plan has when it stops, in each of PLAYS plays; the same every time.

    Args:
        own: Values so far, which were not enough.
        noise: Of the values to come.
        looks: Numbers of values that are looked at, rising, from 2; the last is the end.
        confidences: Of Student's interval at each look.
        is_enough: Whether the plan stops there.
    """
    random = np.random.default_rng(0)
    n, most = len(own), looks[-1]
    deviation = noise.deviation * np.sqrt(noise.degrees / random.chisquare(noise.degrees, PLAYS))
    middle = np.zeros(PLAYS)
    if own:
        middle = np.mean(own) + deviation / math.sqrt(n) * random.standard_normal(PLAYS)
    to_come = random.standard_normal((PLAYS, max(most - n, 0)))
    known = np.tile(np.asarray(own, dtype=float), (PLAYS, 1))
    values = np.hstack([known, middle[:, None] + deviation[:, None] * to_come])
    found = np.full(PLAYS, max(most, n))
    for look, confidence in reversed(list(zip(looks, confidences, strict=True))):
        if look > n:
            seen = values[:, :look]
            reach = student_quantile(look - 1, 0.5 + confidence / 2) / math.sqrt(look)
            over = is_enough(seen.mean(axis=1), reach * seen.std(axis=1, ddof=1))
            found = np.where(over, look, found)
    return found
