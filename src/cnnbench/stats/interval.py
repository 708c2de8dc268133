"""Intervals of means: Student's t, on logarithms where values are positive and vary by factors.

For values x_1 ... x_n of independent launches, with y = ln x, the interval is
exp(mean(y) ± t(1 - a/2, n - 1) * s_y / sqrt(n)). Speeds are positive and vary by factors, so
logarithms are closer to normal, and the interval of 1/x is the inverse of that of x.
Source: Georges, Buytaert & Eeckhout, "Statistically Rigorous Java Performance Evaluation",
OOPSLA 2007 (launches as the unit); Kalibera & Jones, "Rigorous Benchmarking in Reasonable Time",
ISMM 2013.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cnnbench.stats.distributions import student_quantile

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence


class Interval(NamedTuple):
    """A mean and where it may lie; no bounds for a single value."""

    point: float
    low: float | None
    high: float | None


def geometric(values: Sequence[float], confidence: float) -> Interval:
    """Geometric mean of positive values with its two-sided interval.

    Args:
        values: At least one, all above zero.
        confidence: Between 0 and 1.

    Raises:
        ValueError: There is no value, or one is not positive.
    """
    if not values or min(values) <= 0:
        raise ValueError("a geometric mean needs positive values")
    if len(values) == 1:
        return Interval(float(values[0]), None, None)
    middle, low, high = arithmetic([math.log(value) for value in values], confidence)
    assert low is not None  # noqa: S101
    assert high is not None  # noqa: S101
    return Interval(math.exp(middle), math.exp(low), _exp(high))


def independent(values: Sequence[float], groups: Sequence[Hashable]) -> list[float]:
    """What of some positive values varies independently, as an interval of their mean supposes.

    Values of several groups that are themselves drawn at random, as launches are of machines, vary
    with their group: only the geometric means of groups are independent. Of one group, the values
    are; what they say holds of that group alone.
    Source: Kalibera & Jones, ISMM 2013: the variance of a mean is that of the topmost level.

    Args:
        values: Above zero.
        groups: That of each value.
    """
    logs: dict[Hashable, list[float]] = {}
    for value, group in zip(values, groups, strict=True):
        logs.setdefault(group, []).append(math.log(value))
    if len(logs) < 2:  # noqa: PLR2004
        return list(values)
    return [math.exp(sum(own) / len(own)) for own in logs.values()]


def arithmetic(values: Sequence[float], confidence: float) -> Interval:
    """Mean of values of any sign with its two-sided interval: Student's t.

    Args:
        values: At least one.
        confidence: Between 0 and 1.

    Raises:
        ValueError: There is no value.
    """
    if not values:
        raise ValueError("a mean needs values")
    some = np.asarray(values, dtype=float)
    middle = float(some.mean())
    if len(values) == 1:
        return Interval(middle, None, None)
    error = float(some.std(ddof=1)) / math.sqrt(len(values))
    reach = student_quantile(len(values) - 1, 0.5 + confidence / 2) * error
    return Interval(middle, middle - reach, middle + reach)


def _exp(value: float) -> float:
    """Infinity for what no float holds: two wild values bound nothing from above."""
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def relative_half_width(values: Sequence[float], confidence: float) -> float | None:
    """How far the upper bound lies above the point, relative to it; None below two values."""
    if len(values) < 2:  # noqa: PLR2004
        return None
    interval = geometric(values, confidence)
    assert interval.high is not None  # noqa: S101
    return interval.high / interval.point - 1
