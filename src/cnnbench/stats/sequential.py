"""Looking at data while it grows: when to look, and intervals that hold at every look.

An interval of 95 % that is looked at after each value, until it is narrow or until it excludes 1,
misses far more often than once in twenty. Here the error is spent over the planned looks as
error * (n / most) ** RHO (Kim & DeMets 1987), and the interval of each look is as wide as the part
that is spent there demands. Such *repeated* intervals (Jennison & Turnbull 1989) hold together: the
chance that any of them misses is at most `error`, whatever the reason for stopping: narrow enough,
a verdict, no time left, or Ctrl-C. O'Brien & Fleming's levels, which spend almost nothing early,
would make the first looks useless with Student's t and few launches.

Levels are computed for values of known variance and used with Student's t (Pocock 1977);
`benchmarks/coverage.py` shows what that costs.
Source: Armitage, McPherson & Rowe 1969 (the integral); Jennison & Turnbull, "Group Sequential
Methods", 2000, chapters 4, 7 and 9.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np

from cnnbench.stats.distributions import normal_quantile, normal_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

RHO = 1.5
GROWTH = math.sqrt(2)
MOST_LOOKS = 5
POINTS = 801  # of the grid on which densities are integrated


@functools.cache
def looks(fewest: int, most: int) -> tuple[int, ...]:
    """After how many values to look: from `fewest` to `most`, each about 1.4 times the last.

    Args:
        fewest: At least 1.
        most: At least `fewest`.
    """
    steps = min(MOST_LOOKS - 1, math.ceil(math.log(most / fewest) / math.log(GROWTH) - 1e-9))
    found = (fewest * (most / fewest) ** (i / steps) for i in range(steps)) if steps else ()
    return (*dict.fromkeys(round(n) for n in found if round(n) < most), most)


def confidence(n: int, fewest: int, most: int, overall: float) -> float:
    """The confidence to compute an interval of n values with, so that all looks hold together.

    Between two looks, or when time ended a plan, that of the next look.

    Args:
        n: Values so far.
        fewest: When the first look was planned.
        most: When the last was.
        overall: The confidence of all looks together, between 0 and 1.
    """
    planned = looks(fewest, most)
    at = next((i for i, look in enumerate(planned) if n <= look), len(planned) - 1)
    return 1 - levels(planned, 1 - overall)[at]


@functools.cache
def levels(planned: tuple[int, ...], error: float) -> tuple[float, ...]:
    """The two-sided level of each look, such that all together err with probability `error`.

    Args:
        planned: Values at each look, rising.
        error: Between 0 and 1.
    """
    from scipy.optimize import brentq  # noqa: PLC0415  long to import, and seldom asked for

    spent = [error * (n / planned[-1]) ** RHO for n in planned]
    found = [spent[0]]
    bound = -normal_quantile(spent[0] / 2) * math.sqrt(planned[0])
    sums = np.linspace(-bound, bound, POINTS)
    mass = _density(sums, math.sqrt(planned[0])) * _weights(sums)
    for before, now, spend in zip(planned, planned[1:], np.diff(spent), strict=False):
        spread = math.sqrt(now - before)
        bound = float(brentq(_excess, 0, 40 * math.sqrt(now), args=(sums, mass, spread, spend)))
        found.append(2 * float(normal_share(-bound / math.sqrt(now))))
        following = np.linspace(-bound, bound, POINTS)
        mass = mass @ _density(following[None, :] - sums[:, None], spread) * _weights(following)
        sums = following
    return tuple(found)


def _excess(
    bound: float,
    sums: NDArray[np.float64],
    mass: NDArray[np.float64],
    spread: float,
    spend: float,
) -> float:
    """How much more than `spend` leaves ±bound at the next look, of what is inside so far."""
    return 2 * float(mass @ normal_share((sums - bound) / spread)) - spend


def _density(values: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """Of the normal distribution around 0."""
    found: NDArray[np.float64] = np.exp(-((values / scale) ** 2) / 2) / (
        scale * math.sqrt(2 * math.pi)
    )
    return found


def _weights(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of the trapezoidal rule."""
    weights = np.full(len(points), points[1] - points[0])
    weights[[0, -1]] /= 2
    return weights
