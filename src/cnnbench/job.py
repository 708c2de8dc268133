"""What a user's own training will take, in time, money and energy, by what was measured.

A job starts once (imports, data, model, compiling, first step) and then trains on its images. A
validation image is counted as a training image: its pass forward is a part of a training step, so
that the time is an upper bound. Bounds are the ends of the 95 % intervals of all that goes into a
number: speed and start are within theirs together in 90 % at least. Prices are the user's.
"""

from __future__ import annotations

import math
import tomllib
from typing import TYPE_CHECKING, NamedTuple

from cnnbench.errors import UsageError
from cnnbench.stats.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from cnnbench.result import Estimate, Result

STAGES = ("import", "data", "build", "compile", "first_step")
HOUR = 3600.0  # seconds


class Job(NamedTuple):
    """A training.

    Attributes:
        images: In an epoch.
        epochs: Of training.
        validation: Images that are evaluated after each epoch.
    """

    images: int
    epochs: float = 1.0
    validation: int = 0

    @property
    def work(self) -> float:
        """Images that go through the model."""
        return self.epochs * (self.images + self.validation)


class Prices(NamedTuple):
    """What machines cost.

    Attributes:
        currency: As the user calls it.
        per_hour: By instance type, in that currency.
    """

    currency: str
    per_hour: Mapping[str, float]


class Bill(NamedTuple):
    """What a job takes in one configuration on one machine.

    Attributes:
        result: What was measured.
        seconds: From the start to the last image.
        money: In the currency of the prices; None without a price for the machine.
        images_per_money: For one unit of that currency, without the start.
        joules: Of all GPUs used, else of the CPUs; None where energy was not measured.
        beaten: Whether another configuration is certainly faster, and cheaper where both have a
            price.
    """

    result: Result
    seconds: Interval
    money: Interval | None
    images_per_money: Interval | None
    joules: Interval | None
    beaten: bool = False


def bills(
    results: Sequence[Result], job: Job, price: Callable[[Result], float | None]
) -> list[Bill]:
    """What a job takes, the fastest first, by those results that have a speed.

    Args:
        results: Of one model and data set.
        job: What is to be done.
        price: Of an hour on the machine of a result; None where it is not known.
    """
    found = [
        _bill(result, _interval(speed), job, price(result))
        for result in results
        if (speed := result.images_per_second)
    ]
    marked = [one._replace(beaten=any(_beats(other, one) for other in found)) for one in found]
    return sorted(marked, key=lambda one: one.seconds.point)


def read_prices(path: Path) -> Prices:
    """The user's prices: TOML with `currency` and a table `per_hour`, by instance type.

    Raises:
        UsageError: It cannot be read, or a price is no positive number.
    """
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no TOML: {error}") from None
    currency, per_hour = told.get("currency"), told.get("per_hour")
    if not isinstance(currency, str) or not isinstance(per_hour, dict):
        raise UsageError(
            f'{path} needs a line currency = "USD" and a table [per_hour] of instance types, each'
            ' a line like "c5.xlarge" = 1.5'
        )
    for name, price in per_hour.items():
        is_number = isinstance(price, int | float) and not isinstance(price, bool)
        if not is_number or not 0 < price < math.inf:
            raise UsageError(f"{path}: the price of {name} is no positive number")
    return Prices(currency, per_hour)


def _bill(result: Result, speed: Interval, job: Job, price: float | None) -> Bill:
    names = (f"{stage}_seconds" for stage in STAGES)
    starts = [_interval(result.metrics[name]) for name in names if name in result.metrics]
    seconds = Interval(
        _lasts(job.work, speed.point, [start.point for start in starts]) or 0.0,
        _lasts(job.work, speed.high, [start.low for start in starts]),
        _lasts(job.work, speed.low, [start.high for start in starts]),
    )
    energy = result.metrics.get("energy_per_image")
    return Bill(
        result=result,
        seconds=seconds,
        money=None if price is None else _scaled(seconds, price / HOUR),
        images_per_money=None if price is None else _scaled(speed, HOUR / price),
        joules=None if energy is None else _scaled(_interval(energy), job.work),
    )


def _lasts(work: float, speed: float | None, starts: Sequence[float | None]) -> float | None:
    """Seconds from the start to the end; None if one of them is not known."""
    known = [start for start in starts if start is not None]
    return None if speed is None or len(known) < len(starts) else work / speed + sum(known)


def _beats(one: Bill, other: Bill) -> bool:
    """Whether one is faster, and cheaper where that is known, whatever lies within the bounds."""
    unpriced = one.money is None and other.money is None
    return _below(one.seconds, other.seconds) and (unpriced or _below(one.money, other.money))


def _below(one: Interval | None, other: Interval | None) -> bool:
    if one is None or other is None or one.high is None or other.low is None:
        return False
    return one.high < other.low


def _scaled(one: Interval, factor: float) -> Interval:
    """The interval of a positive multiple."""
    low, high = (None if end is None else end * factor for end in (one.low, one.high))
    return Interval(one.point * factor, low, high)


def _interval(estimate: Estimate) -> Interval:
    return Interval(estimate.point, estimate.low, estimate.high)
