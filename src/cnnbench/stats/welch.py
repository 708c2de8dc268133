"""Do two groups of numbers differ? Welch's t-test, and what to believe of several tests.

Source: Welch, Biometrika 1947; Benjamini & Hochberg, JRSS B 1995.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from cnnbench.stats.distributions import student_quantile, student_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LEAST_NOISE = 1e-3  # standard deviation; clocks and counters are not better than that


def welch(one: Sequence[float], other: Sequence[float]) -> float:
    """The two-sided p-value of equal means, variances being what they are.

    1.0 for groups of which one has fewer than two values.
    """
    if min(len(one), len(other)) < 2:  # noqa: PLR2004
        return 1.0
    apart, error, freedom = _apart(one, other, LEAST_NOISE)
    return 2 * student_share(freedom, -abs(apart) / error)


def pooled(one: Sequence[float], other: Sequence[float]) -> float:
    """The same if variances are equal (Student), so that a group may have a single value.

    1.0 if there are fewer than three values in all, or a group is empty.
    """
    freedom = len(one) + len(other) - 2
    if freedom < 1 or not one or not other:
        return 1.0
    a, b = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    squares = float(((a - a.mean()) ** 2).sum() + ((b - b.mean()) ** 2).sum())
    variance = max(squares / freedom, LEAST_NOISE**2)
    return _p_value(a, b, variance * (1 / len(a) + 1 / len(b)), freedom)


def less(one: Sequence[float], other: Sequence[float], *, least_noise: float) -> float:
    """The one-sided p-value for `one` having the lower mean: small if it has.

    Args:
        one: At least two values.
        other: The same.
        least_noise: Standard deviation that values have at least, as for how finely they are seen.
    """
    apart, error, freedom = _apart(one, other, least_noise)
    return student_share(freedom, apart / error)


def difference(
    one: Sequence[float], other: Sequence[float], confidence: float, *, least_noise: float
) -> tuple[float, float]:
    """The difference of means, and how far its interval reaches to either side.

    Args:
        one: At least two values.
        other: The same.
        confidence: Of the interval.
        least_noise: As for `less`.
    """
    apart, error, freedom = _apart(one, other, least_noise)
    return apart, student_quantile(freedom, (1 + confidence) / 2) * error


def _apart(
    one: Sequence[float], other: Sequence[float], least_noise: float
) -> tuple[float, float, float]:
    """Difference of means, its standard error, and degrees of freedom (Welch-Satterthwaite)."""
    a, b = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    errors = [max(float(x.var(ddof=1)), least_noise**2) / len(x) for x in (a, b)]
    parts = sum(error**2 / (len(x) - 1) for error, x in zip(errors, (a, b), strict=True))
    return float(a.mean() - b.mean()), math.sqrt(sum(errors)), sum(errors) ** 2 / parts


def believed(p_values: Sequence[float], rate: float, tests: int | None = None) -> list[bool]:
    """Which of several differences to believe (Benjamini & Hochberg).

    Of what is believed, a share of at most `rate` is expected to be false.

    Args:
        p_values: Of the tests, in any order.
        rate: Between 0 and 1.
        tests: How many were made; more than there are p-values where others found nothing.
    """
    count = max(tests or 0, len(p_values))
    ranked = sorted(p_values)
    passing = [p for i, p in enumerate(ranked, 1) if p <= rate * i / count]
    return [bool(passing) and p <= passing[-1] for p in p_values]


def _p_value(
    one: NDArray[np.float64], other: NDArray[np.float64], variance: float, freedom: float
) -> float:
    distance = abs(float(one.mean() - other.mean())) / math.sqrt(variance)
    return 2 * student_share(freedom, -distance)
