"""What a canary says of a machine: its noise, its drift, and what a budget comes to."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench.fitness import MOST, Fitness, Reading, fitness
from cnnbench.plan import BUDGETS

SECONDS = 0.25
RATES = st.floats(1e-3, 1e6)
CANARIES = st.lists(st.lists(RATES, min_size=4, max_size=9), min_size=3, max_size=7)


def sung(rates: list[list[float]]) -> list[Reading]:
    """Readings of windows that follow each other, a process after the other."""
    flat = [(process, rate) for process, group in enumerate(rates) for rate in group]
    return [
        Reading(process, (i + 1) * SECONDS, rate, SECONDS) for i, (process, rate) in enumerate(flat)
    ]


def drawn(within: float, between: float, processes: int = 60, windows: int = 16) -> Fitness:
    """Of a machine with so much noise."""
    draw = random.Random(1)  # noqa: S311
    levels = [draw.gauss(0, between) for _ in range(processes)]
    return fitness(
        sung(
            [[math.exp(level + draw.gauss(0, within)) for _ in range(windows)] for level in levels]
        )
    )


@given(RATES, st.integers(3, 9), st.integers(4, 20))
def test_a_machine_without_noise_needs_the_fewest_of_every_budget(
    rate: float, processes: int, windows: int
) -> None:
    found = fitness(sung([[rate] * windows] * processes))
    assert found.processes == processes
    assert found.minutes == pytest.approx(processes * windows * SECONDS / 60)
    assert found.window_seconds == SECONDS
    noise = (found.within, found.between, found.paired, found.range, found.drift.per_minute)
    assert noise == pytest.approx((0, 0, 0, 0, 0), abs=1e-9)
    for name, reach in found.reach.items():
        assert reach.half_width == pytest.approx(0, abs=1e-9)
        assert reach.launches == BUDGETS[name].launches[0]
        assert reach.blocks == BUDGETS[name].blocks[0]
        assert 0 < reach.run_minutes < reach.compare_minutes


@given(CANARIES, st.floats(1e-3, 1e3))
def test_the_unit_of_work_does_not_matter(rates: list[list[float]], factor: float) -> None:
    one = fitness(sung(rates), {})
    other = fitness(sung([[rate * factor for rate in group] for group in rates]), {})
    assert other.within == pytest.approx(one.within, abs=1e-9)
    assert other.between == pytest.approx(one.between, abs=1e-6)
    assert other.paired == pytest.approx(one.paired, abs=1e-9)


@given(CANARIES)
def test_whatever_was_measured_is_told_in_numbers_that_are_finite(rates: list[list[float]]) -> None:
    found = fitness(sung(rates))
    assert found.drift.low <= found.drift.per_minute <= found.drift.high <= MOST
    assert found.range >= 0
    for reach in found.reach.values():
        assert 0 <= reach.half_width <= MOST
        assert math.isfinite(reach.run_minutes)
        assert math.isfinite(reach.compare_minutes)


@given(CANARIES, st.floats(0.001, 0.2), st.floats(1.0, 20.0))
def test_a_tighter_precision_never_takes_less(
    rates: list[list[float]], precision: float, looser: float
) -> None:
    strict = replace(BUDGETS["standard"], precision=precision, margin=precision)
    loose = replace(strict, precision=precision * looser, margin=precision * looser)
    reach = fitness(sung(rates), {"strict": strict, "loose": loose}).reach
    assert reach["strict"].run_minutes >= reach["loose"].run_minutes
    assert reach["strict"].compare_minutes >= reach["loose"].compare_minutes


def test_the_noise_of_windows_and_of_processes_is_told_apart() -> None:
    found = drawn(within=0.02, between=0.05)
    assert found.within == pytest.approx(0.02, rel=0.1)
    assert found.between == pytest.approx(0.05, rel=0.25)
    assert found.paired == pytest.approx(0.02 * math.sqrt(2), rel=0.1)


def test_what_slows_whole_processes_costs_launches_but_no_blocks() -> None:
    calm, uneven = drawn(within=0.01, between=0.0), drawn(within=0.01, between=0.05)
    assert uneven.reach["standard"].launches > calm.reach["standard"].launches
    assert uneven.reach["standard"].half_width > 0.05 > calm.reach["standard"].half_width
    assert uneven.reach["standard"].blocks == calm.reach["standard"].blocks


@given(st.floats(-0.5, 0.5))
def test_a_steady_drift_is_found_by_its_slope(slope: float) -> None:
    found = fitness(
        [
            Reading(i // 8, i * SECONDS, math.exp(slope * i * SECONDS / 60), SECONDS)
            for i in range(160)
        ]
    )
    assert found.drift.per_minute == pytest.approx(math.expm1(slope), abs=1e-4)
    assert found.paired == pytest.approx(abs(slope) * SECONDS / 60, abs=1e-9)


def test_windows_are_put_together_until_they_are_as_long_as_a_budgets() -> None:
    # Every second window is slow: half a second, of one each, is always the same.
    found = fitness(sung([[1.0, 1.1] * 8] * 5))
    assert found.within > 0.04
    assert found.reach["standard"].half_width == pytest.approx(0, abs=1e-9)
    assert found.reach["strict"].half_width == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("rates", [[], [[1.0] * 9] * 2, [[1.0] * 3] * 9])
def test_too_few_processes_or_windows_tell_nothing(rates: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="3 processes of 4 windows"):
        fitness(sung(rates))
