"""When a case has launches enough, and how many more it needs."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench import plan
from cnnbench.case import Case
from cnnbench.judge import judge
from cnnbench.plan import BUDGETS
from cnnbench.record import STEADY, WARM_UP, Launch, Window
from cnnbench.stats import sequential
from cnnbench.stats.foresight import Noise
from cnnbench.stats.interval import relative_half_width
from cnnbench.stats.variance import spread
from cnnbench.stopping import (
    TRIES,
    begin_seconds,
    confidence,
    is_precise,
    is_unsteady,
    launches_expected,
    needs_launch,
    outlook,
    seconds,
    windows_wanted,
)
from tests.blank import LAUNCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnbench.case import Budget
    from cnnbench.record import Facts

QUICK, STANDARD = BUDGETS["quick"], BUDGETS["standard"]
CASE = Case(stack="keras3-jax", model="simple_cnn", dataset="synthetic-32", method="fit")
BUSY: Facts = {
    "cpu_seconds before": 0.0,
    "cpu_seconds after": 100.0,
    "busy_seconds before": 0.0,
    "busy_seconds after": 90.0,
    "own_seconds before": 0.0,
    "own_seconds after": 50.0,
}


budgets = st.sampled_from(list(BUDGETS.values()))
found_speeds = st.lists(st.floats(min_value=10, max_value=1000), max_size=40)


def launch(*speeds: float, begin: float = 0.0, facts: Facts | None = None) -> Launch:
    """A launch whose windows have these speeds, after stages of so many seconds."""
    windows = tuple(
        Window(
            index=i,
            role=STEADY,
            steps=10,
            images=round(1000 * speed),
            seconds=1.0,
            started=0.0,
        )
        for i, speed in enumerate(speeds)
    )
    return replace(
        LAUNCH,
        case=CASE,
        stages={"import": begin},
        facts=facts or {},
        windows=windows,
    )


def launches(speeds: Sequence[float]) -> list[Launch]:
    """Launches of one window each."""
    return [launch(speed) for speed in speeds]


def restless() -> Launch:
    """A launch that becomes faster without end."""
    return launch(*(100 * 1.1**i for i in range(20)))


@given(budget=budgets, speeds=found_speeds)
def test_a_case_gets_its_fewest_launches_and_never_more_than_its_most(
    budget: Budget, speeds: list[float]
) -> None:
    fewest, most = budget.launches
    wanted = needs_launch(launches(speeds), 0.0, budget)
    if len(speeds) < fewest:
        assert wanted
    if len(speeds) >= most:
        assert not wanted


@given(budget=budgets)
def test_a_case_that_is_precise_gets_no_more_launches(budget: Budget) -> None:
    assert not needs_launch(launches([100.0] * budget.launches[0]), 0.0, budget)


def test_a_case_that_is_not_precise_gets_another_launch() -> None:
    assert needs_launch(launches([100.0, 150.0, 80.0, 100.0, 100.0]), 0.0, STANDARD)


@given(
    speeds=st.lists(st.floats(min_value=95, max_value=105), min_size=1, max_size=20),
)
def test_a_case_ends_only_at_a_planned_look_and_only_if_precise_or_at_the_last(
    speeds: list[float],
) -> None:
    looks = sequential.looks(*STANDARD.launches)
    precise = is_precise([round(1000 * s) / 1000 for s in speeds], STANDARD)
    ends = len(speeds) in looks and (precise or len(speeds) == looks[-1])
    assert needs_launch(launches(speeds), 0.0, STANDARD) is not ends


@pytest.mark.parametrize(("speeds", "wanted"), [([], True), ([100.0], False), ([1.0, 9.0], False)])
def test_after_its_time_a_case_gets_no_more_launches_but_always_one(
    speeds: list[float], *, wanted: bool
) -> None:
    assert needs_launch(launches(speeds), QUICK.case_seconds, QUICK) is wanted


def test_time_without_end_is_a_budget_too() -> None:
    budget = replace(QUICK, case_seconds=math.inf)
    assert needs_launch(launches([1.0, 9.0, 1.0]), 1e9, budget)


def test_a_disturbed_launch_is_measured_again() -> None:
    equal = launches([100.0] * QUICK.launches[0])
    assert not needs_launch(equal, 0.0, QUICK)
    assert needs_launch([*equal[:-1], launch(100.0, facts=BUSY)], 0.0, QUICK)
    assert not needs_launch([*equal, launch(100.0, facts=BUSY)], 0.0, QUICK)


def test_a_machine_that_always_disturbs_gets_twice_the_most_launches() -> None:
    disturbed = [launch(100.0, facts=BUSY)] * (TRIES * QUICK.launches[1])
    assert needs_launch(disturbed[:-1], 0.0, QUICK)
    assert not needs_launch(disturbed, 0.0, QUICK)


def test_an_unsteady_launch_among_steady_ones_is_replaced() -> None:
    assert needs_launch([*launches([100.0] * 3), restless()], 0.0, QUICK)


def test_a_case_half_of_whose_launches_never_become_steady_ends_at_the_fewest() -> None:
    fewest = QUICK.launches[0]
    assert needs_launch([restless()] * (fewest - 1), 0.0, QUICK)
    assert not needs_launch([*[restless()] * (fewest - 2), *launches([100.0] * 2)], 0.0, QUICK)


def test_launches_that_were_disturbed_do_not_make_a_case_unsteady() -> None:
    disturbed = replace(restless(), facts=BUSY)
    calm = [judge(launch(*[100.0] * 10), QUICK)]
    assert not is_unsteady([])
    assert not is_unsteady(calm)
    assert not is_unsteady([*calm, judge(disturbed, QUICK), judge(disturbed, QUICK)])
    assert is_unsteady([*calm, judge(restless(), QUICK)])
    assert not is_unsteady([*calm, *calm, judge(restless(), QUICK)])


@given(budget=budgets, n=st.integers(2, 45))
def test_a_case_is_precise_by_the_interval_of_its_look(budget: Budget, n: int) -> None:
    speeds = [100.0 + (i % 3) for i in range(n)]
    width = relative_half_width(speeds, confidence(n, budget))
    assert width is not None
    assert not is_precise(speeds, replace(budget, precision=width * 0.999))
    assert is_precise(speeds, replace(budget, precision=width * 1.001))


def test_one_launch_is_never_precise() -> None:
    assert not is_precise([100.0], QUICK)


def test_one_look_is_as_confident_as_asked_and_the_first_of_several_more() -> None:
    assert confidence(4, replace(QUICK, launches=(4, 4))) == pytest.approx(0.95)
    assert confidence(5, QUICK) > 0.95


def test_a_launch_takes_its_stages_and_its_windows_and_begins_before_those_that_count() -> None:
    warm = Window(index=2, role=WARM_UP, steps=1, images=1, seconds=4.0, started=0.0)
    one = launch(100.0, 100.0, begin=3.0)
    one = replace(
        one,
        stages={"import": 3.0, "first step": 2.0},
        windows=(replace(warm, index=0, role="first step", seconds=2.0), warm, *one.windows),
    )
    assert begin_seconds(one) == pytest.approx(3 + 2 + 4)
    assert seconds(one) == pytest.approx(3 + 2 + 4 + 2)


def noisy(level: float, begin: float) -> Launch:
    """A launch whose windows vary by a tenth."""
    return launch(*(level * factor for factor in [0.9, 1.1] * 10), begin=begin)


def test_two_launches_must_be_known_before_windows_are_planned() -> None:
    assert windows_wanted([], STANDARD) == STANDARD.windows[0]
    assert windows_wanted([noisy(100, 100.0)], STANDARD) == STANDARD.windows[0]
    assert outlook([noisy(100, 100.0)], STANDARD) is None


def test_noisy_windows_in_costly_launches_are_measured_longer() -> None:
    costly = [noisy(level, 500.0) for level in (100.0, 100.5, 101.0)]
    assert spread([plan.log_speeds(one.steady) for one in costly]) is not None
    assert windows_wanted(costly, STANDARD) > STANDARD.windows[0]


def test_quiet_windows_are_not_measured_longer_than_need_be() -> None:
    quiet = [launch(*[level, level * 1.0001] * 10) for level in (100.0, 104.0, 98.0)]
    assert windows_wanted(quiet, STANDARD) == STANDARD.windows[0]


def test_the_outlook_costs_all_its_launches() -> None:
    quiet = [launch(*[level, level * 1.0001] * 5, begin=5.0) for level in (100.0, 101.0, 99.0)]
    found = outlook(quiet, STANDARD)
    assert found is not None
    assert STANDARD.launches[0] <= found.launches <= STANDARD.launches[1]
    assert found.seconds == pytest.approx(found.launches * (5.0 + found.windows * 1.0))


def test_a_case_that_was_not_precise_at_a_look_is_expected_to_need_more_launches() -> None:
    noisy = [launch(*[level] * 10) for level in (100.0, 104.0, 97.0, 103.0, 98.0)]
    assert not is_precise([100.0, 104.0, 97.0, 103.0, 98.0], STANDARD)
    found, before = outlook(noisy, STANDARD), outlook(noisy, STANDARD, earlier=True)
    assert found is not None
    assert before is not None
    assert found.launches >= sequential.looks(*STANDARD.launches)[1]
    assert before.launches <= found.launches


def test_as_many_launches_are_expected_as_campaigns_take_on_average() -> None:
    random = np.random.default_rng(1)
    noise = Noise(0.025, 10_000)
    taken = []
    for _ in range(300):
        speeds: list[float] = []
        while len(speeds) not in sequential.looks(*STANDARD.launches) or (
            len(speeds) < STANDARD.launches[1] and not is_precise(speeds, STANDARD)
        ):
            speeds.append(math.exp(random.normal(5, noise.deviation)))
        taken.append(len(speeds))
    assert launches_expected([], noise, STANDARD) == pytest.approx(np.mean(taken), rel=0.06)
