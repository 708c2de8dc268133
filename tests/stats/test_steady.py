"""Whether a series of log speeds is steady, and from where on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import linregress

from cnnbench.stats.steady import FLAT, NO_STEADY_STATE, SLOWDOWN, WARM_UP, _line, steadiness

if TYPE_CHECKING:
    from numpy.typing import NDArray


TOLERANCE = math.log(1.03)
SEEDS = st.integers(0, 10_000)


def noise(
    seed: int, count: int, sigma: float = 0.004, correlation: float = 0.0
) -> NDArray[np.float64]:
    found = np.random.default_rng(seed).normal(0, sigma, count)
    for i in range(1, count):
        found[i] = correlation * found[i - 1] + math.sqrt(1 - correlation**2) * found[i]
    return found


def stepped(seed: int, before: int, after: int, by: float) -> list[float]:
    """A series that rises by so much after so many values."""
    levels = np.concatenate([np.zeros(before), np.full(after, by)])
    return list(levels + noise(seed, before + after))


def kind(values: list[float], tolerance: float = TOLERANCE, fewest: int = 10) -> str:
    return steadiness(values, tolerance, fewest).kind


@given(value=st.floats(-5, 12), count=st.integers(1, 60))
def test_what_never_changes_is_flat_from_the_first_value(value: float, count: int) -> None:
    assert steadiness([value] * count, TOLERANCE, 1) == (FLAT, 0, ())


@given(values=st.lists(st.floats(-5, 12), max_size=5), fewest=st.integers(0, 10))
def test_of_five_values_nothing_is_said(values: list[float], fewest: int) -> None:
    assert steadiness(values, TOLERANCE, fewest) == (FLAT, 0, ())


@given(seed=SEEDS, before=st.integers(4, 10), by=st.floats(0.08, 1))
def test_becoming_faster_and_staying_so_is_warm_up_and_ends_at_the_change(
    seed: int, before: int, by: float
) -> None:
    found = steadiness(stepped(seed, before, 20, by), TOLERANCE, 10)
    assert (found.kind, found.start) == (WARM_UP, before)


@given(seed=SEEDS, before=st.integers(4, 10), by=st.floats(0.08, 1))
def test_becoming_slower_and_staying_so_is_slowdown_and_begins_at_the_change(
    seed: int, before: int, by: float
) -> None:
    found = steadiness(stepped(seed, before, 20, -by), TOLERANCE, 10)
    assert (found.kind, found.start) == (SLOWDOWN, before)


@given(seed=SEEDS, by=st.floats(0.1, 1), sign=st.sampled_from([-1, 1]))
def test_a_change_too_near_to_the_end_leaves_no_steady_state(
    seed: int, by: float, sign: int
) -> None:
    values = stepped(seed, 20, 6, sign * by)
    assert kind(values, fewest=5) == NO_STEADY_STATE


@given(seed=SEEDS, slope=st.floats(0.01, 0.1), sign=st.sampled_from([-1, 1]))
def test_what_rises_or_falls_without_end_has_no_steady_state(
    seed: int, slope: float, sign: int
) -> None:
    values = sign * slope * np.arange(24) + noise(seed, 24, 0.002)
    assert kind(list(values)) == NO_STEADY_STATE


@given(seed=SEEDS, by=st.floats(0.15, 1))
def test_what_goes_to_and_fro_has_no_steady_state(seed: int, by: float) -> None:
    values = by * np.tile(np.repeat([0, 1], 6), 3) + noise(seed, 36)
    assert kind(list(values)) == NO_STEADY_STATE


def test_the_last_stretch_must_have_as_many_values_as_are_asked_for() -> None:
    values = stepped(1, 8, 12, 0.2)
    assert kind(values, fewest=12) == WARM_UP
    assert kind(values, fewest=13) == NO_STEADY_STATE


@given(seed=SEEDS, at=st.integers(0, 23), by=st.floats(0.2, 3), sign=st.sampled_from([-1, 1]))
def test_one_value_far_off_is_flagged_and_is_no_change(
    seed: int, at: int, by: float, sign: int
) -> None:
    values = noise(seed, 24, 0.002)
    values[at] += sign * by
    found = steadiness(list(values), TOLERANCE, 10)
    assert at in found.outliers
    assert (found.kind, found.start) == (FLAT, 0)


@given(seed=SEEDS, before=st.integers(0, 10), shift=st.integers(-64, 64))
def test_what_it_is_depends_on_no_unit_of_speed(seed: int, before: int, shift: int) -> None:
    values = stepped(seed, before, 20, 0.1)
    moved = [shift / 8 + value for value in values]
    assert steadiness(moved, TOLERANCE, 10) == steadiness(values, TOLERANCE, 10)


@given(seed=SEEDS, by=st.floats(0.08, 1), sign=st.sampled_from([-1, 1]))
def test_upside_down_warm_up_is_slowdown(seed: int, by: float, sign: int) -> None:
    found = steadiness(stepped(seed, 8, 16, sign * by), TOLERANCE, 10)
    turned = steadiness([-value for value in stepped(seed, 8, 16, sign * by)], TOLERANCE, 10)
    assert {found.kind, turned.kind} == {WARM_UP, SLOWDOWN}
    assert turned[1:] == found[1:]


@given(seed=SEEDS, by=st.floats(0.08, 1), sign=st.sampled_from([-1, 1]))
def test_backwards_warm_up_is_slowdown_where_both_stretches_are_long_enough(
    seed: int, by: float, sign: int
) -> None:
    values = stepped(seed, 12, 12, sign * by)
    kinds = {kind(values), kind(values[::-1])}
    assert kinds == {WARM_UP, SLOWDOWN}


@given(seed=SEEDS, before=st.integers(3, 17), by=st.floats(0.001, 0.5))
def test_a_change_smaller_than_is_tolerated_is_flat(seed: int, before: int, by: float) -> None:
    """A straight line through a step rises by up to one and a half times as much."""
    values = stepped(seed, before, 20 - before, by)
    assert kind(values, tolerance=1.6 * by + 0.02) == FLAT


@settings(max_examples=50)
@given(values=st.lists(st.floats(-5, 5), min_size=6, max_size=40), fewest=st.integers(1, 12))
def test_whatever_comes_the_start_is_in_the_series_or_at_its_end(
    values: list[float], fewest: int
) -> None:
    found = steadiness(values, TOLERANCE, fewest)
    assert all(0 <= i < len(values) for i in found.outliers)
    if found.kind == NO_STEADY_STATE:
        assert found.start == len(values)
    else:
        assert len(values) - found.start >= max(min(fewest, len(values)), len(values) / 2)
        assert (found.kind == FLAT) == (found.start == 0)


@pytest.mark.parametrize("correlation", [0.0, 0.3])
@pytest.mark.parametrize("count", [10, 20])
def test_noise_of_which_neighbours_are_alike_is_seldom_a_change(
    correlation: float, count: int
) -> None:
    """Noise that is larger than the tolerance, which alone would hide every mistake."""
    series = [noise(seed, count, 0.04, correlation) for seed in range(400)]
    wrong = sum(kind(list(values)) != FLAT for values in series)
    assert wrong / len(series) <= 0.04


@given(values=st.lists(st.floats(-5, 5), min_size=3, max_size=50))
def test_the_straight_line_is_scipy_s(values: list[float]) -> None:
    assume(max(values) - min(values) > 1e-9)  # of a constant, SciPy has no error
    found = linregress(range(len(values)), values)
    assert _line(np.array(values)) == pytest.approx((found.slope, found.stderr), abs=1e-7)
