"""Interval of a geometric mean."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cnnbench.stats.interval import geometric, independent, relative_half_width

SPEEDS = st.lists(st.floats(min_value=0.1, max_value=1e5), min_size=2, max_size=12)


@given(values=SPEEDS, confidence=st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_the_interval_is_student_s_t_on_logarithms_as_scipy_computes_it(
    values: list[float], confidence: float
) -> None:
    logs = np.log(values)
    error = float(stats.sem(logs)) or 1e-300  # SciPy gives NaN for a scale of zero
    low, high = stats.t.interval(confidence, len(values) - 1, loc=logs.mean(), scale=error)
    found = geometric(values, confidence)
    assert found.point == pytest.approx(stats.gmean(values))
    # Compared as logarithms: a bound of two wild values has no float.
    assert found.low is not None
    assert found.high is not None
    if found.low > 0 and math.isfinite(found.high):
        assert math.log(found.low) == pytest.approx(low, abs=1e-9)
        assert math.log(found.high) == pytest.approx(high, abs=1e-9)


@given(values=SPEEDS, factor=st.floats(min_value=1e-3, max_value=1e3))
def test_the_interval_of_k_times_x_is_k_times_that_of_x(values: list[float], factor: float) -> None:
    before = geometric(values, 0.95)
    after = geometric([factor * value for value in values], 0.95)
    expected = [factor * bound for bound in before if bound is not None]
    assert list(after) == pytest.approx(expected, rel=1e-6)


@given(values=st.lists(st.floats(min_value=1, max_value=100), min_size=3, max_size=9))
def test_the_interval_of_one_over_x_is_the_inverse_of_that_of_x(values: list[float]) -> None:
    there = geometric(values, 0.95)
    back = geometric([1 / value for value in values], 0.95)
    assert there.low is not None
    assert back.high is not None
    assert back.point == pytest.approx(1 / there.point)
    assert back.high == pytest.approx(1 / there.low)


@given(values=SPEEDS, data=st.data())
def test_the_order_of_launches_does_not_matter(values: list[float], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(values))
    assert list(geometric(shuffled, 0.95)) == pytest.approx(list(geometric(values, 0.95)))


@given(value=st.floats(min_value=1e-3, max_value=1e6))
def test_one_value_has_no_bounds(value: float) -> None:
    assert geometric([value], 0.95) == (value, None, None)
    assert relative_half_width([value], 0.95) is None


@pytest.mark.parametrize("values", [[], [0.0], [1.0, -1.0], [3.0, 0.0, 3.0]])
def test_what_is_not_positive_has_no_geometric_mean(values: list[float]) -> None:
    with pytest.raises(ValueError, match="positive"):
        geometric(values, 0.95)


def test_two_wild_values_bound_nothing_from_above() -> None:
    assert list(geometric([1e-4, 1e4], 0.9999)) == pytest.approx([1, 0, math.inf])


def test_equal_values_leave_no_doubt() -> None:
    assert relative_half_width([250.0] * 3, 0.95) == 0


def test_the_half_width_is_how_far_the_upper_bound_lies_above_the_point() -> None:
    values = [95.0, 100.0, 104.0]
    found = geometric(values, 0.95)
    assert found.high is not None
    assert relative_half_width(values, 0.95) == pytest.approx(found.high / found.point - 1)


def test_95_percent_intervals_hold_the_truth_95_times_in_100() -> None:
    draws = np.random.default_rng(7).lognormal(math.log(300), 0.05, size=(4000, 5))
    found = [geometric(draw.tolist(), 0.95) for draw in draws]
    held = sum(low <= 300 <= high for _, low, high in found if low is not None and high is not None)
    assert 0.94 < held / len(draws) < 0.96


@given(values=SPEEDS)
def test_values_of_one_group_are_independent_and_of_groups_of_one_too(values: list[float]) -> None:
    assert independent(values, ["a"] * len(values)) == values
    assert independent(values, range(len(values))) == pytest.approx(values)


@given(values=SPEEDS, factor=st.floats(min_value=1e-3, max_value=1e3))
def test_means_of_groups_are_geometric_and_scale(values: list[float], factor: float) -> None:
    groups = [index % 2 for index in range(len(values))]
    found = independent(values, groups)
    assert found == pytest.approx([stats.gmean(values[0::2]), stats.gmean(values[1::2])])
    scaled = independent([factor * value for value in values], groups)
    assert scaled == pytest.approx([factor * value for value in found])


def test_an_interval_over_machines_that_differ_covers_where_one_over_launches_does_not() -> None:
    rng = np.random.default_rng(5)
    machines, launches, count = 4, 5, 2000
    groups = np.repeat(np.arange(machines), launches).tolist()
    over_machines = over_launches = 0
    for _ in range(count):
        logs = rng.normal(0, 0.03, machines)[:, None] + rng.normal(0, 0.01, (machines, launches))
        values = np.exp(logs).ravel().tolist()
        for grouped in (True, False):
            parts = independent(values, groups) if grouped else values
            _, low, high = geometric(parts, 0.95)
            assert low is not None
            assert high is not None
            over_machines += grouped and low <= 1 <= high
            over_launches += not grouped and low <= 1 <= high
    three_errors = 3 * math.sqrt(0.05 * 0.95 / count)
    assert abs(over_machines / count - 0.95) < three_errors
    assert over_launches / count < 0.7
