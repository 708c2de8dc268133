"""How many values a sequential plan will take, foreseen from the noise that is known so far."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cnnbench.stats.foresight import PRIOR, Noise, noise_of, stops

VALUES = st.floats(-10, 10)
LOOKS = (3, 5, 8)
CONFIDENCES = (0.99, 0.98, 0.97)


def stopped(own: list[float], noise: Noise, width: float) -> float:
    """Values on average until the half-width of the interval is small enough."""
    found = stops(own, noise, LOOKS, CONFIDENCES, lambda _, half_width: half_width <= width)
    assert set(found) <= {*LOOKS}
    return float(found.mean())


@given(values=st.lists(VALUES, max_size=5), shift=VALUES)
def test_noise_is_the_same_wherever_values_lie(values: list[float], shift: float) -> None:
    found = noise_of(values)
    moved = noise_of([value + shift for value in values])
    assert (found is None) == (len(values) < 2)
    if found is not None and moved is not None:
        assert found.degrees == moved.degrees == len(values) - 1
        assert found.deviation == pytest.approx(moved.deviation, abs=1e-6)


def test_the_noise_of_one_group_is_its_standard_deviation() -> None:
    values = [1.0, 4.0, 2.0, 8.0]
    found = noise_of(values)
    assert found is not None
    assert found.degrees == 3
    assert found.deviation == pytest.approx(np.std(values, ddof=1))


@given(own=st.floats(0, 10), typical=st.floats(0, 10), degrees=st.integers(1, 50))
def test_moderated_noise_lies_between_its_own_and_what_is_typical(
    own: float, typical: float, degrees: int
) -> None:
    found = Noise(own, degrees).moderated(typical)
    assert found.degrees == degrees + PRIOR
    assert min(own, typical) - 1e-9 <= found.deviation <= max(own, typical) + 1e-9


@settings(max_examples=50)
@given(deviation=st.floats(0.001, 1), degrees=st.integers(1, 50), factor=st.floats(1, 10))
def test_more_noise_never_takes_fewer_values(deviation: float, degrees: int, factor: float) -> None:
    noise = Noise(deviation, degrees)
    assert stopped([], noise._replace(deviation=deviation * factor), 0.1) >= stopped([], noise, 0.1)


@settings(max_examples=50)
@given(own=st.lists(VALUES, max_size=7), scale=st.floats(0.1, 10), shift=VALUES)
def test_what_is_foreseen_is_the_same_in_any_unit(
    own: list[float], scale: float, shift: float
) -> None:
    noise = Noise(1.0, 4)
    found = stopped(own, noise, 1.0)
    scaled = stopped(
        [scale * value + shift for value in own], noise._replace(deviation=scale), scale
    )
    assert scaled == pytest.approx(found, abs=0.1)  # one play may lie on the edge


def test_no_noise_stops_at_the_next_look_and_much_at_the_last() -> None:
    assert stopped([], Noise(0.0, 5), 0.1) == 3
    assert stopped([1.0, 1.0, 1.0], Noise(0.0, 5), 0.1) == 5
    assert stopped([], Noise(1e9, 5), 0.1) == 8


def test_a_plan_that_is_at_its_end_takes_what_it_has() -> None:
    found = stops([1.0] * 8, Noise(1.0, 7), LOOKS, CONFIDENCES, lambda *_: np.array([False]))
    assert set(found) == {8}


def test_the_share_that_stops_at_the_first_look_is_that_of_the_chi_squared_distribution() -> None:
    width, degrees = 0.9, 10**9
    found = stops([], Noise(0.5, degrees), LOOKS, CONFIDENCES, lambda _, half: half <= width)
    reach = stats.t.ppf(0.5 + CONFIDENCES[0] / 2, 2) / np.sqrt(3)
    share = stats.chi2.cdf(2 * (width / reach / 0.5) ** 2, 2)
    assert np.mean(found == LOOKS[0]) == pytest.approx(share, abs=0.06)
