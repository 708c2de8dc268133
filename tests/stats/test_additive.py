"""Effects of arms over blocks that not every arm is in."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cnnbench.stats.additive import fit

values = st.floats(-3, 3)
complete = st.integers(2, 5).flatmap(
    lambda arms: st.lists(st.lists(values, min_size=arms, max_size=arms), min_size=2, max_size=6)
)


def named(rows: list[list[float]]) -> list[dict[str, float]]:
    return [dict(zip("abcdefgh", row, strict=False)) for row in rows]


@given(rows=complete)
def test_with_every_arm_in_every_block_a_difference_is_that_of_means(
    rows: list[list[float]],
) -> None:
    found = fit(named(rows))
    means = np.mean(rows, axis=0)
    difference, _ = found.difference("a", "b")
    assert difference == pytest.approx(means[0] - means[1], abs=1e-9)
    assert found.freedom == (len(rows) - 1) * (len(rows[0]) - 1)


@given(rows=st.lists(st.tuples(values, values), min_size=3, max_size=8))
def test_of_two_arms_it_is_the_paired_t_test(rows: list[tuple[float, float]]) -> None:
    pairs = [a - b for a, b in rows]
    if np.std(pairs) < 1e-6:
        return
    difference, error = fit(named([list(row) for row in rows])).difference("a", "b")
    assert error is not None
    expected = stats.ttest_1samp(pairs, 0.0).statistic
    assert difference / error == pytest.approx(expected, rel=1e-6, abs=1e-6)


@given(rows=complete, shifts=st.lists(values, min_size=6, max_size=6))
def test_what_shifts_a_whole_block_shifts_no_arm(
    rows: list[list[float]], shifts: list[float]
) -> None:
    shifted = [[v + by for v in row] for row, by in zip(rows, shifts, strict=False)]
    one, other = fit(named(rows)), fit(named(shifted))
    assert one.difference("a", "b")[0] == pytest.approx(other.difference("a", "b")[0], abs=1e-9)
    assert one.noise == pytest.approx(other.noise, abs=1e-7)


def test_an_arm_that_left_is_held_against_others_over_the_blocks_that_they_shared() -> None:
    # In the second block everything is 10 more; c is not in it.
    found = fit([{"a": 1.0, "b": 2.0, "c": 5.0}, {"a": 11.0, "b": 12.0}])
    assert found.difference("c", "a")[0] == pytest.approx(4.0)
    assert found.noise == pytest.approx(0.0, abs=1e-9)


def test_one_block_tells_nothing_of_noise() -> None:
    found = fit([{"a": 1.0, "b": 2.0}])
    assert found.noise is None
    value, error = found.difference("b", "a")
    assert value == pytest.approx(1.0)
    assert error is None


def test_the_error_of_an_arm_that_left_is_larger() -> None:
    draw = np.random.default_rng(1)
    blocks = [{n: float(draw.normal()) for n in "abc"} for _ in range(3)]
    blocks += [{n: float(draw.normal()) for n in "ab"} for _ in range(6)]
    found = fit(blocks)
    assert (found.difference("a", "c")[1] or 0) > (found.difference("a", "b")[1] or math.inf)
