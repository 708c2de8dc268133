"""Where the noise comes from, and how to spend time against it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cnnbench.stats.variance import MOST_GROUPS, Spread, cheapest, groups_needed, spread

VALUES = st.floats(-10, 10)
DEVIATIONS = st.floats(1e-3, 0.2)
WIDTHS = st.floats(0.01, 0.2)
COSTS = st.floats(0.1, 100)


@given(
    groups=st.integers(2, 6).flatmap(
        lambda n: st.lists(st.lists(VALUES, min_size=n, max_size=n), min_size=2, max_size=6)
    )
)
def test_of_groups_of_one_size_it_is_the_analysis_of_variance(groups: list[list[float]]) -> None:
    found = spread(groups)
    assert found is not None
    table = np.array(groups)
    count, size = table.shape
    within = table.var(axis=1, ddof=1).mean()
    among = size * table.mean(axis=1).var(ddof=1)
    assert found.within == pytest.approx(math.sqrt(within), abs=1e-9)
    expected = math.sqrt(max(0.0, (among - within) / size))
    assert found.between == pytest.approx(expected, abs=1e-6)
    if within > 1e-3 and count > 1:
        assert among / within == pytest.approx(stats.f_oneway(*groups).statistic, rel=1e-6)


@pytest.mark.parametrize("sizes", [[10] * 300, [4, 10, 20] * 100])
@pytest.mark.parametrize(("within", "between"), [(0.02, 0.05), (0.05, 0.02), (0.03, 0.03)])
def test_known_deviations_are_found_again(sizes: list[int], within: float, between: float) -> None:
    rng = np.random.default_rng(3)
    groups = [rng.normal(rng.normal(1, between), within, size).tolist() for size in sizes]
    found = spread(groups)
    assert found is not None
    assert found.within == pytest.approx(within, rel=0.05)
    assert found.between == pytest.approx(between, rel=0.12)


def test_groups_that_differ_no_more_than_their_values_do_show_no_noise_between_them() -> None:
    found = spread([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [2.0, 1.0, 3.0]])
    assert found == Spread(within=1.0, between=0.0)


@given(groups=st.lists(st.lists(VALUES, min_size=2, max_size=5), min_size=2, max_size=5))
def test_noise_is_as_large_in_any_order_and_at_any_level(groups: list[list[float]]) -> None:
    found = spread(groups)
    changed = spread([[value + 3 for value in group[::-1]] for group in groups[::-1]])
    assert found is not None
    assert changed is not None
    assert [part**2 for part in changed] == pytest.approx([p**2 for p in found], abs=1e-9)


@pytest.mark.parametrize("groups", [[], [[1.0, 2.0]], [[1.0, 2.0], [3.0]], [[1.0], [2.0], [3.0]]])
def test_fewer_than_two_groups_of_two_values_tell_nothing(groups: list[list[float]]) -> None:
    assert spread(groups) is None


def test_a_group_of_one_value_is_left_out() -> None:
    groups = [[1.0, 2.0], [4.0, 6.0]]
    assert spread([*groups, [100.0]]) == spread(groups)


@given(deviation=DEVIATIONS, width=WIDTHS, sure=st.sampled_from([0.9, 0.95, 0.99]))
def test_the_groups_needed_are_the_first_that_a_search_from_two_finds(
    deviation: float, width: float, sure: float
) -> None:
    n = 2
    while stats.t.ppf(0.5 + sure / 2, n - 1) * deviation / math.sqrt(n) > width and n < 3000:
        n += 1
    assert groups_needed(deviation, width, sure) == n


def test_more_groups_than_anyone_would_measure_are_not_counted() -> None:
    assert groups_needed(1.0, 1e-6, 0.95) == MOST_GROUPS
    assert groups_needed(0.0, 0.1, 0.95) == 2


def plans(noise: Spread, group: float, value: float, width: float, looks: tuple[int, ...]) -> float:
    """The cost of the best plan among all numbers of values and looks, by trying each."""
    found = []
    for values in range(10, 41):
        deviation = math.sqrt(noise.between**2 + noise.within**2 / values)
        needed = groups_needed(deviation, width, 0.98)
        groups = next((look for look in looks if look >= needed), needed)
        found.append(groups * (group + values * value))
    return min(found)


@settings(max_examples=50)
@given(within=DEVIATIONS, between=DEVIATIONS, group=COSTS, value=st.floats(0.1, 2), width=WIDTHS)
def test_the_cheapest_plan_is_precise_enough_and_as_cheap_as_any(
    within: float, between: float, group: float, value: float, width: float
) -> None:
    noise, looks = Spread(within, between), (5, 7, 10, 14, 20)
    found = cheapest(
        noise, group, value, half_width=width, limits=(10, 40), looks=looks, confidence=0.98
    )
    deviation = math.sqrt(between**2 + within**2 / found.values)
    assert 10 <= found.values <= 40
    assert found.groups in looks or found.groups > 20
    assert found.groups >= groups_needed(deviation, width, 0.98)
    assert found.cost == pytest.approx(found.groups * (group + found.values * value))
    assert found.cost == pytest.approx(plans(noise, group, value, width, looks))


def test_quiet_windows_get_the_fewest_and_noisy_ones_in_costly_groups_more() -> None:
    sure = {"looks": (5, 7, 10, 14, 20), "limits": (10, 40), "confidence": 0.98}
    quiet = cheapest(Spread(0.001, 0.05), 10, 0.5, half_width=0.03, **sure)  # type: ignore[arg-type]
    noisy = cheapest(Spread(0.2, 0.001), 100, 0.5, half_width=0.03, **sure)  # type: ignore[arg-type]
    assert quiet.values == 10
    assert noisy.values > 20


def test_of_many_groups_the_values_are_those_of_kalibera_and_jones() -> None:
    noise = Spread(0.05, 0.02)
    found = cheapest(
        noise,
        100,
        1,
        half_width=0.001,
        limits=(2, 100),
        looks=(),
        confidence=0.95,
    )
    assert found.values == pytest.approx(math.sqrt(100 / 1) * 0.05 / 0.02, abs=2)
