"""`benchmarks/coverage.py` simulates what the tool does, and there the promises are kept."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import stats

from cnnbench import comparison, stopping
from cnnbench.case import Arm
from cnnbench.plan import BUDGETS
from cnnbench.record import STEADY, Launch, Window
from cnnbench.result import SETTLED, conclude
from tests.scripts import benchmark

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnbench.case import Budget
    from cnnbench.result import Estimate

SIMULATIONS = 2000
ALLOWED = 3 * math.sqrt(0.05 * 0.95 / SIMULATIONS)  # three standard errors of 95 %
DRAWS = 25


BENCHMARK = benchmark("coverage")
MACHINES = {machine.name: machine for machine in BENCHMARK.MACHINES}
STEADY_OR_NOT = {machine.name: machine for machine in BENCHMARK.STEADY_OR_NOT}
ARMS = tuple(Arm(name=name, case=BENCHMARK.CASE) for name in "ab")


def launch(log: float, **fields: Any) -> Launch:
    """A launch of one window."""
    window = Window(
        index=0, role=STEADY, steps=10**6, images=10**6, seconds=10**6 / math.exp(log), started=0.0
    )
    made: Launch = BENCHMARK.launch([window], **fields)
    return made


def logs(found: Estimate | None) -> tuple[float, float]:
    """Middle and half-width of an interval, of logarithms."""
    assert found is not None
    assert found.high is not None
    return math.log(found.point), math.log(found.high / found.point)


def draws(sigma: float, middle: float, count: int) -> NDArray[np.float64]:
    return np.random.default_rng(11).normal(middle, sigma, (DRAWS, count))


@pytest.mark.parametrize("name", ["quick", "standard"])
@pytest.mark.parametrize("sigma", [0.002, 0.03, 0.05, 0.1])
def test_cases_stop_where_the_tool_stops_them_with_its_intervals(name: str, sigma: float) -> None:
    budget = BUDGETS[name]
    values = draws(sigma, 6, budget.launches[1])
    stops = BENCHMARK.settle(values, budget)
    for i, row in enumerate(values):
        launches: list[Launch] = []
        while stopping.needs_launch(launches, 0.0, budget):
            launches.append(launch(row[len(launches)]))
        result = conclude(launches, budget)
        assert len(launches) == stops.n[i]
        assert (result.verdict == SETTLED) == stops.done[i]
        assert logs(result.images_per_second) == pytest.approx((stops.middle[i], stops.reach[i]))


@pytest.mark.parametrize("name", ["quick", "standard"])
@pytest.mark.parametrize(("sigma", "middle"), [(0.002, 0), (0.01, 0.01), (0.03, 0.05), (0.1, -0.2)])
def test_comparisons_stop_where_the_tool_stops_them_with_its_words(
    name: str, sigma: float, middle: float
) -> None:
    budget = BUDGETS[name]
    values = draws(sigma, middle, budget.blocks[1])
    stops, words = BENCHMARK.decide(values, budget)
    for i, row in enumerate(values):
        found = _compared(row, budget)
        assert found.blocks == stops.n[i]
        assert found.comparisons[0].verdict == BENCHMARK.WORDS[words[i]]
        expected = pytest.approx((stops.middle[i], stops.reach[i]), abs=1e-9)
        assert logs(found.comparisons[0].ratio) == expected


def _compared(row: NDArray[np.float64], budget: Budget) -> comparison.Outcome:
    launches: list[Launch] = []
    found = comparison.outcome(launches, ARMS, budget)
    while comparison.wants_block(launches, found, 0.0, budget):
        block = found.blocks + 1
        launches.append(launch(6, arm="a", block=block))
        launches.append(launch(6 + row[block - 1], arm="b", block=block))
        found = comparison.outcome(launches, ARMS, budget)
    return found


def test_words_are_those_of_the_tool() -> None:
    rng = np.random.default_rng(2)
    middle, reach = rng.normal(0, 0.03, 500), rng.exponential(0.02, 500)
    words = [BENCHMARK.WORDS[i] for i in BENCHMARK.verdicts(middle, reach, 0.02)]
    low, high = np.exp(middle - reach), np.exp(middle + reach)
    assert words == [
        comparison.verdict(a, b, 0.02) for a, b in zip(low.tolist(), high.tolist(), strict=True)
    ]
    assert set(words) == set(BENCHMARK.WORDS)


def test_the_tests_that_others_would_make_are_as_scipy_makes_them() -> None:
    rng = np.random.default_rng(3)
    windows = rng.lognormal(0, 0.1, (2, 200, 8, 10))
    n = rng.integers(4, 9, 200)
    arms = [
        BENCHMARK.Processes(-np.log(arm.mean(2)), arm.mean(2), (arm**2).mean(2)) for arm in windows
    ]
    pooled = BENCHMARK._pooled_test(*arms, n, 10)
    apart = BENCHMARK._apart_test(arms[0].logs, arms[1].logs, n)
    for i, k in enumerate(n):
        one, other = (windows[arm, i, :k].ravel() for arm in (0, 1))
        assert pooled[i] == (stats.ttest_ind(one, other).pvalue < 0.05)
        rows = [arm.logs[i, :k] for arm in arms]
        assert apart[i] == (stats.ttest_ind(*rows, equal_var=False).pvalue < 0.05)


@pytest.mark.parametrize("name", MACHINES)
def test_the_true_speed_is_that_of_very_long_launches(name: str) -> None:
    machine = MACHINES[name]
    made = BENCHMARK.processes(machine, np.random.default_rng(4), (200, 10), 600)
    error = 5 * made.logs.std() / math.sqrt(made.logs.size)
    assert made.logs.mean() == pytest.approx(BENCHMARK.long_run(machine), abs=error + 1e-4)


def test_neighbours_are_as_alike_as_a_machine_says() -> None:
    machine = BENCHMARK.Machine(name="", within=0.02, correlation=0.6)
    found = BENCHMARK.residuals(machine, np.random.default_rng(4), 4000, 10)
    assert found.std() == pytest.approx(0.02, rel=0.05)
    pairs = np.corrcoef(found[:, :-1].ravel(), found[:, 1:].ravel())
    assert pairs[0, 1] == pytest.approx(0.6, abs=0.05)


def test_recorded_noise_is_around_nothing_and_is_of_recorded_windows_in_runs() -> None:
    machine = MACHINES["as keras3-tensorflow was"]
    noise = BENCHMARK.recorded(machine.stack)
    assert noise.deviations.mean() == pytest.approx(0, abs=1e-12)
    rows = [row[:n] for row, n in zip(noise.residuals, noise.lengths, strict=True)]
    assert all(row.mean() == pytest.approx(0, abs=1e-12) for row in rows)
    runs = {
        tuple(np.take(row, range(i, i + BENCHMARK.RUN), mode="wrap"))
        for row in rows
        for i in range(len(row))
    }
    drawn = BENCHMARK.residuals(machine, np.random.default_rng(5), 50, 9)
    assert {tuple(run) for run in drawn.reshape(-1, BENCHMARK.RUN)} <= runs


@pytest.mark.parametrize("name", ["quiet", "usual", "processes differ", "slow states"])
@pytest.mark.parametrize("budget", ["quick", "standard"])
def test_intervals_of_cases_hold_the_true_speed(name: str, budget: str) -> None:
    _, held = BENCHMARK.runs(MACHINES[name], BUDGETS[budget], SIMULATIONS, 1)
    assert held.mean() >= 0.945 - ALLOWED


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("budget", ["quick", "standard"])
def test_intervals_of_ratios_hold_and_equal_arms_seldom_differ(name: str, budget: str) -> None:
    found = BENCHMARK.comparisons(MACHINES[name], BUDGETS[budget], 1.0, SIMULATIONS, 1)
    held = np.abs(found.stops.middle) <= found.stops.reach
    wrong = [
        BENCHMARK.WORDS[word] in (comparison.FASTER, comparison.SLOWER, comparison.DIFFERENT)
        for word in found.words
    ]
    assert held.mean() >= 0.945 - ALLOWED
    assert np.mean(wrong) <= 0.05 + ALLOWED


@pytest.mark.parametrize("ratio", [0.95, 0.9])
def test_arms_that_are_slower_by_more_than_the_margin_are_called_so(ratio: float) -> None:
    found = BENCHMARK.comparisons(MACHINES["usual"], BUDGETS["standard"], ratio, SIMULATIONS, 1)
    slower = [BENCHMARK.WORDS[word] == comparison.SLOWER for word in found.words]
    assert np.mean(slower) > 0.99


def test_pooled_windows_and_arms_one_after_the_other_call_equal_arms_different() -> None:
    usual, drifting = (
        BENCHMARK.comparisons(MACHINES[name], BUDGETS["standard"], 1.0, SIMULATIONS, 1)
        for name in ("usual", "drifts by 5 %")
    )
    assert usual.pooled.mean() > 0.2
    assert usual.apart.mean() <= 0.05 + ALLOWED
    assert drifting.apart.mean() > 0.5


@pytest.mark.parametrize("budget", ["quick", "standard"])
def test_a_steady_state_is_found_where_there_is_one_and_refused_where_there_is_none(
    budget: str,
) -> None:
    def unsteady(name: str) -> float:
        cases = BENCHMARK.judged_cases(STEADY_OR_NOT[name], BUDGETS[budget], 30, 1)
        return float(np.mean([stopping.is_unsteady(case) for case in cases]))

    assert unsteady("flat, neighbours correlate by 0.3") == 0
    assert unsteady("2 % faster every window, without end") == 1


def test_what_falls_short_of_its_promise_is_told() -> None:
    (*_, last) = BENCHMARK._shortfalls({"one, quick": 93.21, "two, quick": 95.0})
    assert last == "Fewer than 94.5 were held by: one, quick (93.2)."
    (*_, last) = BENCHMARK._shortfalls({"two, quick": 94.5})
    assert last == "No row held fewer than 94.5."


def test_the_same_seed_gives_the_same_page_and_another_does_not() -> None:
    def tables(seed: int) -> list[str]:
        return list(BENCHMARK._runs(200, seed))

    assert tables(1) == tables(1)
    assert tables(1) != tables(2)


def test_more_simulations_begin_with_those_of_fewer() -> None:
    machine, budget = MACHINES["usual"], BUDGETS["quick"]
    few, _ = BENCHMARK.runs(machine, budget, BENCHMARK.CHUNK, 1)
    more, _ = BENCHMARK.runs(machine, budget, BENCHMARK.CHUNK + 10, 1)
    assert np.array_equal(few.middle, more.middle[: BENCHMARK.CHUNK])
