"""Scaling efficiency: several devices against one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench.case import Case
from cnnbench.report.document import document
from cnnbench.report.scaling import RANGE, STRONG, WEAK, markdown, rows, scalings
from cnnbench.result import Estimate, Result

ONE = Case(stack="keras3-jax", model="simple_cnn", dataset="synthetic-32", method="fit")
FOUR = replace(ONE, devices=4)


def result(case: Case, speed: float | None, spread: float | None = 0.1) -> Result:
    estimate = speed and Estimate(
        point=speed,
        low=None if spread is None else speed * (1 - spread),
        high=None if spread is None else speed * (1 + spread),
        confidence=0.95,
        n=3,
    )
    return Result(
        case=case,
        verdict="settled",
        reason="",
        images_per_second=estimate or None,
        metrics={},
    )


def test_the_same_batch_a_device_is_weak_scaling() -> None:
    (found,) = scalings([result(ONE, 100), result(FOUR, 300)])
    assert (found.kind, found.efficiency.point) == (WEAK, 0.75)


def test_the_same_global_batch_is_strong_scaling() -> None:
    (found,) = scalings([result(replace(ONE, batch_size=128), 200), result(FOUR, 300)])
    assert (found.kind, found.efficiency.point) == (STRONG, 0.375)


def test_both_kinds_are_told_where_both_can_be() -> None:
    several = [result(ONE, 100), result(replace(ONE, batch_size=128), 200), result(FOUR, 300)]
    assert [found.kind for found in scalings(several)] == [WEAK, STRONG]
    assert len(rows(several)) == 2


@pytest.mark.parametrize(
    "other",
    [
        replace(ONE, stack="keras3-torch"),
        replace(ONE, method="train_on_batch"),
        replace(ONE, precision="bfloat16"),
        replace(ONE, batch_size=64),
    ],
)
def test_cases_that_differ_in_more_than_devices_are_not_set_against_each_other(
    other: Case,
) -> None:
    assert scalings([result(other, 100), result(FOUR, 300)]) == []


def test_without_a_number_there_is_no_efficiency() -> None:
    assert scalings([result(ONE, None), result(FOUR, 300)]) == []
    assert markdown([result(ONE, 100)]) == ""


def test_a_single_launch_gives_no_interval() -> None:
    (found,) = scalings([result(ONE, 100, None), result(FOUR, 300)])
    assert (found.efficiency.low, found.efficiency.high) == (None, None)
    assert rows([result(ONE, 100, None), result(FOUR, 300)])[0][RANGE].startswith("none")


@given(
    one=st.floats(1, 1e5),
    several=st.floats(1, 1e6),
    spread=st.floats(0.001, 0.9),
    devices=st.integers(2, 16),
)
def test_the_interval_holds_the_efficiency(
    one: float, several: float, spread: float, devices: int
) -> None:
    case = replace(ONE, devices=devices)
    (found,) = scalings([result(ONE, one, spread), result(case, several, spread)])
    efficiency = found.efficiency
    assert efficiency.low is not None
    assert efficiency.high is not None
    assert efficiency.low <= efficiency.point <= efficiency.high
    assert efficiency.point == pytest.approx(several / one / devices)


def test_programs_read_the_efficiency_beside_the_results() -> None:
    told = document([result(ONE, 100), result(FOUR, 300)], {})["scaling"]
    assert told[0]["case"] == FOUR.id
    assert told[0]["kind"] == WEAK
    assert told[0]["efficiency"]["point"] == 0.75
