"""Is it steady? Change points in a series of log speeds, and what they make of a launch.

    flat                no change that matters
    warm-up             it became faster, then stayed so
    slowdown            it became slower, then stayed so
    no steady state     it still changes, or has not stayed the same for long enough

Only the last stretch counts, and only if it is long enough: speeds on the two sides of a change are
never averaged. A change matters if it is larger than a tolerance and more than noise. Outliers
(a pause of the machine) are flagged and set aside while looking for changes; they stay in every
mean.

PELT (Killick, Fearnhead & Eckley 2012), of `ruptures` (its linear kernel is the squared error, in
C), proposes changes generously; each must then
pass a t-test between its two sides, at SURE over the number of places where it might have been,
as Hunter does (Fleming et al. 2023), and with a t made smaller for autocorrelated values. So few
values decide that a penalty alone, on a noise that is estimated from them, is wrong too often: of
12 steady windows it broke up one launch in eight. Classes after Barrett et al., "Virtual Machine
Warmup Blows Hot and Cold", OOPSLA 2017.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cnnbench.stats.distributions import student_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FLAT, WARM_UP, SLOWDOWN, NO_STEADY_STATE = "flat", "warm-up", "slowdown", "no steady state"

PENALTY = 3.0  # times ln n, over the noise from one value to the next
SHORTEST = 3  # values between two changes; fewer are outliers
SHARE = 0.5  # of all values that the last stretch must have
FAR = 6.0  # standard deviations off, beyond which a value is an outlier
REACH = 7  # values among which it is one
SURE = 0.01  # significance of a change, wherever it is, and of a slope
CORRELATION = 0.3  # of neighbours, at most, that must not look like a change
INFLATION = math.sqrt((1 + CORRELATION) / (1 - CORRELATION))  # of the error of a mean
TO_SIGMA = 1.4826  # from a median absolute deviation to a normal distribution's sigma
LEAST_NOISE = 1e-3  # clocks and counters are not better than that


class Steadiness(NamedTuple):
    """What a series is.

    Attributes:
        kind: `flat`, `warm-up`, `slowdown` or `no steady state`.
        start: Position of the first value that counts; the length of the series if none does.
        outliers: Positions.
    """

    kind: str
    start: int
    outliers: tuple[int, ...]


def steadiness(values: Sequence[float], tolerance: float, fewest: int) -> Steadiness:
    """Judge a series.

    Args:
        values: Logarithms of speeds, in order.
        tolerance: Logarithm of the smallest factor between speeds that matters.
        fewest: Values that the last stretch must have.
    """
    series = np.asarray(values, dtype=float)
    if len(series) < 2 * SHORTEST:
        return Steadiness(FLAT, 0, ())
    outliers = _outliers(series)
    smooth = np.where(outliers, _local_median(series), series)
    flagged = tuple(int(i) for i in np.flatnonzero(outliers))
    bounds = [0, *_changes(smooth)]
    means = [float(part.mean()) for part in np.split(smooth, bounds[1:])]
    start = bounds[-1]
    for begin, mean in zip(reversed(bounds), reversed(means), strict=True):
        if abs(mean - means[-1]) > tolerance:
            break
        start = begin
    last = smooth[start:]
    if len(last) < max(fewest, SHARE * len(series)) or _drifts(last, tolerance):
        return Steadiness(NO_STEADY_STATE, len(series), flagged)
    if start == 0:
        return Steadiness(FLAT, 0, flagged)
    kind = WARM_UP if smooth[:start].mean() < last.mean() else SLOWDOWN
    return Steadiness(kind, start, flagged)


def _outliers(series: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Values far from the median of their neighbours (Hampel's identifier)."""
    off = np.abs(series - _local_median(series))
    return off > FAR * max(TO_SIGMA * float(np.median(off)), LEAST_NOISE)


def _local_median(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mirrored at the ends, where a value that is repeated would be its own median."""
    from scipy.ndimage import median_filter  # noqa: PLC0415  long to import, and seldom asked for

    return np.asarray(median_filter(series, size=REACH, mode="mirror"))


def _noise(series: NDArray[np.float64]) -> float:
    """Standard deviation of a value, from the differences of neighbours: blind to changes."""
    steps = np.abs(np.diff(series))
    return max(TO_SIGMA * float(np.median(steps)) / math.sqrt(2), LEAST_NOISE)


def _changes(series: NDArray[np.float64]) -> list[int]:
    """Positions at which a new level begins."""
    import ruptures  # noqa: PLC0415  which takes half a second, that most commands can do without

    scaled = (series - series.mean()) / _noise(series)
    search = ruptures.KernelCPD("linear", min_size=SHORTEST).fit(scaled)
    found = [int(i) for i in search.predict(pen=PENALTY * math.log(len(series)))[:-1]]
    level = SURE / max(len(series) - 2 * SHORTEST + 1, 1)
    while found:
        parts = np.split(series, found)
        doubts = [_doubt(a, b) for a, b in itertools.pairwise(parts)]
        weakest = int(np.argmax(doubts))
        if doubts[weakest] <= level:
            break
        del found[weakest]
    return found


def _doubt(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """The p-value of a t-test between two sides of equal variance, of autocorrelated values."""
    freedom = len(before) + len(after) - 2
    squares = float(((before - before.mean()) ** 2).sum() + ((after - after.mean()) ** 2).sum())
    error = math.sqrt(max(squares / freedom, LEAST_NOISE**2) * (1 / len(before) + 1 / len(after)))
    distance = abs(float(after.mean() - before.mean())) / (error * INFLATION)
    return 2 * student_share(freedom, -distance)


def _drifts(series: NDArray[np.float64], tolerance: float) -> bool:
    """Whether a straight line through the series rises or falls by more than is tolerated."""
    slope, error = _line(series)
    if abs(slope) * (len(series) - 1) <= tolerance:
        return False
    error = max(error, LEAST_NOISE / len(series) ** 1.5) * INFLATION
    return 2 * student_share(len(series) - 2, -abs(slope) / error) < SURE


def _line(series: NDArray[np.float64]) -> tuple[float, float]:
    """Slope of the line of least squares through a series of at least 3, and its standard error.

    As `scipy.stats.linregress` has them, whose checks take ten times as long.
    """
    places = np.arange(len(series)) - (len(series) - 1) / 2
    squares = float(places @ places)
    slope = float(places @ series) / squares
    rest = series - series.mean() - slope * places
    return slope, math.sqrt(float(rest @ rest) / (len(series) - 2) / squares)
