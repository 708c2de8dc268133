"""What a job takes, by what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench.errors import UsageError
from cnnbench.job import Job, bills, read_prices
from cnnbench.result import Estimate, Result
from tests.blank import LAUNCH

if TYPE_CHECKING:
    from pathlib import Path


def known(point: float, spread: float | None = None) -> Estimate:
    low, high = (None, None) if spread is None else (point / (1 + spread), point * (1 + spread))
    return Estimate(point=point, low=low, high=high, confidence=0.95, n=3)


def measured(speed: Estimate | None, machine: str = "m", **metrics: Estimate) -> Result:
    return Result(
        case=LAUNCH.case,
        verdict="settled",
        reason="",
        images_per_second=speed,
        metrics=metrics,
        machine={"instance_type": machine},
    )


def free(_: Result) -> None:
    """No price."""


def test_a_job_starts_once_and_trains_on_all_its_images() -> None:
    result = measured(known(50, 0.1), import_seconds=known(4, 0.5), compile_seconds=known(1, 0))
    (bill,) = bills([result], Job(images=1000, epochs=2, validation=500), lambda _: 7.2)
    assert bill.seconds == pytest.approx(
        (65, 2 + 2 / 3 + 1 + 3000 / 55, 6 + 1 + 3000 / 45.4545), 1e-4
    )
    assert bill.money == pytest.approx([one * 0.002 for one in bill.seconds if one])
    assert bill.images_per_money is not None
    assert bill.images_per_money.point == pytest.approx(50 * 3600 / 7.2)
    assert bill.joules is None


def test_a_single_launch_gives_no_bounds_and_no_speed_gives_no_bill() -> None:
    found = bills([measured(known(50)), measured(None)], Job(images=100), free)
    assert [one.seconds for one in found] == [(2.0, None, None)]
    assert found[0].money is None


def test_one_start_without_bounds_leaves_the_whole_without() -> None:
    result = measured(known(50, 0.1), build_seconds=known(1))
    (bill,) = bills([result], Job(images=100), free)
    assert bill.seconds == (3.0, None, None)


def test_energy_is_of_all_images() -> None:
    result = measured(known(50), energy_per_image=known(2, 0.5))
    (bill,) = bills([result], Job(images=100, epochs=3), free)
    assert bill.joules == pytest.approx((600, 400, 900))


def test_only_what_is_certainly_slower_and_dearer_is_beaten() -> None:
    prices = {"slow": 1.0, "fast": 1.0, "near": 1.0, "cheap": 0.01}
    results = [
        measured(known(speed, 0.1), name)
        for name, speed in (("slow", 10), ("fast", 100), ("near", 90), ("cheap", 10))
    ]
    found = bills(results, Job(images=10**6), lambda one: prices[str(one.machine["instance_type"])])
    assert [one.result.machine["instance_type"] for one in found][:2] == ["fast", "near"]
    assert {str(one.result.machine["instance_type"]) for one in found if one.beaten} == {"slow"}


def test_without_prices_what_is_certainly_slower_is_beaten() -> None:
    results = [measured(known(speed, 0.1)) for speed in (10, 90, 100)]
    assert [bill.beaten for bill in bills(results, Job(images=1000), free)] == [False, False, True]


def test_what_has_no_price_is_not_beaten_by_what_has_one() -> None:
    results = [measured(known(10, 0.1), "slow"), measured(known(100, 0.1), "fast")]
    prices = {"fast": 1.0}
    found = bills(results, Job(images=9), lambda one: prices.get(str(one.machine["instance_type"])))
    assert not any(bill.beaten for bill in found)


@given(
    speed=st.floats(1e-3, 1e6),
    spread=st.floats(0, 2),
    images=st.integers(1, 10**9),
    epochs=st.floats(0.01, 1000),
    validation=st.integers(0, 10**9),
)
def test_more_work_takes_longer_and_bounds_are_on_both_sides(
    speed: float, spread: float, images: int, epochs: float, validation: int
) -> None:
    result = measured(known(speed, spread), import_seconds=known(3, 0.5))
    (bill,) = bills([result], Job(images, epochs, validation), free)
    (more,) = bills([result], Job(images, epochs, validation + 1), free)
    point, low, high = bill.seconds
    assert low is not None
    assert high is not None
    assert low <= point <= high
    assert point > 3
    assert more.seconds.point >= point


def test_prices_are_read_by_instance_type(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text('currency = "EUR"\n[per_hour]\n"c5.xlarge" = 0.5\nmine = 1\n')
    assert read_prices(tmp_path / "p.toml") == ("EUR", {"c5.xlarge": 0.5, "mine": 1})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("currency = ", "is no TOML"),
        ('currency = "EUR"', r"a table \[per_hour\]"),
        ("[per_hour]\na = 1", 'a line currency = "USD"'),
        ('currency = "EUR"\n[per_hour]\na = -1', "the price of a is no positive number"),
        ('currency = "EUR"\n[per_hour]\na = inf', "the price of a is no positive number"),
        ('currency = "EUR"\n[per_hour]\na = true', "the price of a is no positive number"),
        ('currency = "EUR"\n[per_hour]\na = "1"', "the price of a is no positive number"),
    ],
)
def test_wrong_prices_are_one_line(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "p.toml").write_text(text)
    with pytest.raises(UsageError, match=says) as told:
        read_prices(tmp_path / "p.toml")
    assert "\n" not in str(told.value)


def test_a_file_of_prices_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*: No such file"):
        read_prices(tmp_path / "p.toml")
