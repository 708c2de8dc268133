"""Moving averages are what their frameworks' formulas say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench.verification.moving import MOMENTUM, Average, average, corrected

values = st.floats(-1e3, 1e3)
batches = st.lists(values, min_size=1, max_size=8)
PLAIN, DEBIASED = Average(), Average(debiased=True)


def of(how: Average, before: float, found: list[float]) -> float:
    return float(average(how, np.array(before), [np.array(value) for value in found]))


@given(start=values, found=batches)
def test_a_plain_average_goes_a_hundredth_of_the_way_to_the_last_batch(
    start: float, found: list[float]
) -> None:
    right = start + (1 - MOMENTUM) * (found[-1] - start)
    assert of(PLAIN, start, found) == pytest.approx(right, abs=1e-9)


@given(start=values, found=batches)
def test_a_debiased_average_forgets_where_it_began(start: float, found: list[float]) -> None:
    assert of(DEBIASED, start, found) == of(DEBIASED, 0.0, found)


@given(start=values, value=values, count=st.integers(1, 8))
def test_a_debiased_average_of_equal_batches_is_the_batch(
    start: float, value: float, count: int
) -> None:
    assert of(DEBIASED, start, [value] * count) == pytest.approx(value, abs=1e-9)


@given(found=batches)
def test_a_debiased_average_is_adams(found: list[float]) -> None:
    biased = 0.0
    for value in found:
        biased = MOMENTUM * biased + (1 - MOMENTUM) * value
    right = biased / (1 - MOMENTUM ** len(found))
    assert of(DEBIASED, 0.0, found) == pytest.approx(right, rel=1e-9, abs=1e-9)


def test_corrections_of_a_variance_multiply() -> None:
    variance, count = np.array(2.0), 100
    bessel = corrected(Average(corrections=("bessel",)), variance, count)
    both = corrected(Average(corrections=("keras", "bessel")), variance, count)
    assert float(bessel) == pytest.approx(2 * 100 / 99)
    assert float(both) == pytest.approx(2 * 100 / 99 * 100 / (99 - 1e-3))
    assert float(corrected(PLAIN, variance, count)) == 2.0
