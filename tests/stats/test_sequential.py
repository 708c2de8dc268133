"""Looking at data while it grows."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from cnnbench.stats.sequential import MOST_LOOKS, RHO, confidence, levels, looks

DRAWS = 100_000
LIMITS = st.tuples(st.integers(1, 60), st.integers(0, 200)).map(lambda pair: (pair[0], sum(pair)))
ERRORS = st.sampled_from([0.001, 0.01, 0.05, 0.2])
PLANS = [(4, 8), (5, 20), (6, 40)]
# Levels take a while to compute, and are kept.
SOME = st.sampled_from([*PLANS, (2, 3), (2, 20), (3, 12), (10, 100)])


def missed(planned: tuple[int, ...], error: float, *, known: bool, draws: int = DRAWS) -> float:
    """How often any interval of a normal mean misses it, of known variance or by Student's t."""
    values = np.random.default_rng(5).standard_normal((draws, planned[-1]))
    return float(np.any(_misses(values, planned, error, known=known), axis=0).mean())


def _misses(
    values: np.ndarray, planned: tuple[int, ...], error: float, *, known: bool
) -> list[np.ndarray]:
    found = []
    for n, level in zip(planned, levels(planned, error), strict=True):
        seen = values[:, :n]
        if known:
            reach = stats.norm.isf(level / 2) / math.sqrt(n)
        else:
            reach = stats.t.isf(level / 2, n - 1) * seen.std(axis=1, ddof=1) / math.sqrt(n)
        found.append(np.abs(seen.mean(axis=1)) > reach)
    return found


@given(limits=LIMITS)
def test_looks_rise_from_the_fewest_to_the_most_and_are_five_at_most(
    limits: tuple[int, int],
) -> None:
    planned = looks(*limits)
    assert (planned[0], planned[-1]) == limits
    assert all(a < b for a, b in itertools.pairwise(planned))
    assert len(planned) <= MOST_LOOKS


@given(limits=LIMITS, factor=st.sampled_from([2, 3, 5]))
def test_looks_at_k_times_as_many_values_are_k_times_as_late(
    limits: tuple[int, int], factor: int
) -> None:
    small, large = looks(*limits), looks(*(factor * n for n in limits))
    assume(len(small) == len(large))
    assert all(abs(factor * a - b) <= factor / 2 + 1 for a, b in zip(small, large, strict=True))


@given(n=st.integers(1, 60), error=ERRORS)
def test_one_look_may_err_as_often_as_all_looks(n: int, error: float) -> None:
    assert looks(n, n) == (n,)
    assert levels((n,), error) == pytest.approx((error,))


@given(limits=SOME, error=ERRORS)
def test_no_look_may_err_more_often_than_all_looks(limits: tuple[int, int], error: float) -> None:
    found = levels(looks(*limits), error)
    assert all(0 < level <= error * (1 + 1e-9) for level in found)


@given(limits=SOME)
def test_a_smaller_error_makes_every_interval_wider(limits: tuple[int, int]) -> None:
    planned = looks(*limits)
    strict, loose = levels(planned, 0.01), levels(planned, 0.05)
    assert all(a < b for a, b in zip(strict, loose, strict=True))


@given(limits=SOME, factor=st.sampled_from([2, 3, 10]))
def test_levels_depend_on_shares_of_the_values_and_not_on_their_number(
    limits: tuple[int, int], factor: int
) -> None:
    planned = looks(*limits)
    larger = tuple(factor * n for n in planned)
    assert levels(larger, 0.05) == pytest.approx(levels(planned, 0.05), rel=1e-6)


@pytest.mark.parametrize("limits", PLANS)
def test_what_is_spent_until_a_look_is_what_was_planned_for_it(limits: tuple[int, int]) -> None:
    planned = looks(*limits)
    values = np.random.default_rng(5).standard_normal((DRAWS, planned[-1]))
    so_far = np.logical_or.accumulate(_misses(values, planned, 0.05, known=True), axis=0)
    for n, errors in zip(planned, so_far, strict=True):
        spent = 0.05 * (n / planned[-1]) ** RHO
        assert errors.mean() == pytest.approx(spent, abs=4 * math.sqrt(spent / DRAWS))


@given(limits=SOME, scale=st.floats(0.01, 100), shift=st.floats(-100, 100))
def test_what_a_look_says_does_not_depend_on_unit_and_origin(
    limits: tuple[int, int], scale: float, shift: float
) -> None:
    planned = looks(*limits)
    values = np.random.default_rng(5).standard_normal((50, planned[-1]))
    for n, level in zip(planned, levels(planned, 0.2), strict=True):
        seen, changed = values[:, :n], shift + scale * values[:, :n]
        before = stats.ttest_1samp(seen, 0, axis=1).pvalue
        after = stats.ttest_1samp(changed, shift, axis=1).pvalue
        assert after == pytest.approx(before, abs=1e-6)
        assert np.all((before < level) == (after < level) | np.isclose(before, level))


def test_repeated_intervals_by_student_s_t_hold_together_at_the_looks_of_standard() -> None:
    assert missed(looks(5, 20), 0.05, known=False, draws=2 * DRAWS) <= 0.055


def test_without_such_levels_looking_five_times_errs_far_more_often() -> None:
    planned = looks(5, 20)
    values = np.random.default_rng(5).standard_normal((DRAWS, 20))
    ever = [np.abs(values[:, :n].mean(axis=1)) * math.sqrt(n) > 1.96 for n in planned]
    assert np.any(ever, axis=0).mean() > 0.1


@given(limits=SOME, n=st.integers(1, 300))
def test_between_two_looks_the_confidence_is_that_of_the_next(
    limits: tuple[int, int], n: int
) -> None:
    planned = looks(*limits)
    following = next((look for look in planned if look >= n), planned[-1])
    at = levels(planned, 0.05)[planned.index(following)]
    assert confidence(n, *limits, 0.95) == pytest.approx(1 - at)


@given(limits=SOME, n=st.integers(1, 300), overall=st.sampled_from([0.9, 0.95, 0.99]))
def test_a_look_is_never_less_confident_than_all_together(
    limits: tuple[int, int], n: int, overall: float
) -> None:
    assert overall - 1e-9 <= confidence(n, *limits, overall) < 1
