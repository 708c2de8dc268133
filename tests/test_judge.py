"""What a launch is good for."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench import plan
from cnnbench.case import Case
from cnnbench.judge import PROVABLE, UNPROVEN, counting, judge
from cnnbench.plan import BUDGETS
from cnnbench.record import FIRST_STEP, PILOT, STEADY, WARM_UP, Launch, Window
from cnnbench.stats.steady import FLAT, NO_STEADY_STATE, SLOWDOWN
from cnnbench.stats.steady import WARM_UP as BECAME_FASTER
from tests.blank import LAUNCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnbench.record import Facts


STANDARD = BUDGETS["standard"]
CASE = Case(stack="keras3-jax", model="simple_cnn", dataset="synthetic-32", method="fit")
STOLEN: Facts = {
    "cpu_seconds before": 0.0,
    "cpu_seconds after": 100.0,
    "steal_seconds before": 0.0,
    "steal_seconds after": 20.0,
}
EARLY = (FIRST_STEP, PILOT, WARM_UP)


def launch(speeds: Sequence[float], facts: Facts | None = None) -> Launch:
    """A launch that began as all do, and then had windows of these speeds, in images/s."""
    roles = [*EARLY, *(STEADY for _ in speeds)]
    windows = (
        Window(
            index=i,
            role=role,
            steps=10,
            images=1_000_000,
            seconds=1_000_000 / speed,
            started=0.0,
        )
        for i, (role, speed) in enumerate(zip(roles, [1e6, 1e6, 1e6, *speeds], strict=True))
    )
    return replace(
        LAUNCH,
        case=CASE,
        facts=facts or {},
        windows=tuple(windows),
    )


def rising(count: int = 20) -> list[float]:
    return [1e6 * 1.05**i for i in range(count)]


@given(speed=st.floats(1e6, 1e9), count=st.integers(PROVABLE, 40))
def test_a_launch_that_stays_the_same_is_flat_and_left_as_it_is(speed: float, count: int) -> None:
    one = launch([speed] * count)
    assert judge(one, STANDARD) == (one, FLAT, 0, ())


@given(count=st.integers(0, PROVABLE - 1))
def test_of_few_windows_nothing_is_proven_and_all_count(count: int) -> None:
    one = launch([1e6 * (1 + i % 2 / 1000) for i in range(count)])
    found = judge(one, STANDARD)
    assert (found.kind, found.launch) == (UNPROVEN, one)
    assert found.counts


def test_few_windows_that_change_without_end_count_neither() -> None:
    found = judge(launch(rising(8)), STANDARD)
    assert found.kind == NO_STEADY_STATE
    assert not found.counts


@given(before=st.integers(4, 8), factor=st.floats(1.2, 3))
def test_windows_before_a_launch_is_warm_are_called_warm_up(before: int, factor: float) -> None:
    one = launch([1e6] * before + [1e6 * factor] * 12)
    found = judge(one, STANDARD)
    assert (found.kind, found.counts) == (BECAME_FASTER, True)
    roles = [window.role for window in found.launch.windows]
    assert roles == [*EARLY, *[WARM_UP] * before, *[STEADY] * 12]
    assert plan.speed(found.launch) == pytest.approx(1e6 * factor)


@given(before=st.integers(4, 8), factor=st.floats(1.2, 3))
def test_windows_before_a_slowdown_do_not_count(before: int, factor: float) -> None:
    found = judge(launch([1e6 * factor] * before + [1e6] * 12), STANDARD)
    assert (found.kind, found.counts) == (SLOWDOWN, True)
    assert plan.speed(found.launch) == pytest.approx(1e6)


def test_a_launch_without_a_steady_state_keeps_its_windows_and_does_not_count() -> None:
    one = launch(rising())
    found = judge(one, STANDARD)
    assert (found.kind, found.counts) == (NO_STEADY_STATE, False)
    assert found.launch == one


def test_what_matters_is_what_the_budget_says() -> None:
    one = launch([1e6] * 6 + [1.05e6] * 14)
    assert judge(one, BUDGETS["standard"]).kind == BECAME_FASTER
    assert judge(one, BUDGETS["quick"]).kind == FLAT


def test_an_outlier_is_told_and_counts() -> None:
    one = launch([1e6] * 8 + [0.5e6] + [1e6] * 8)
    found = judge(one, STANDARD)
    assert (found.kind, found.outliers) == (FLAT, 1)
    assert plan.speed(found.launch) == pytest.approx(17 / (16 / 1e6 + 1 / 0.5e6))


def test_a_disturbed_launch_does_not_count_however_steady_it_was() -> None:
    found = judge(launch([1e6] * 20, STOLEN), STANDARD)
    assert found.kind == FLAT
    assert found.disturbances == ("the hypervisor took 20% of the CPUs",)
    assert not found.counts


def test_only_launches_that_count_are_used_and_in_their_order() -> None:
    good, better = launch([1e6] * 12), launch([2e6] * 12)
    bad = [launch(rising()), launch([1e6] * 12, STOLEN)]
    judged = [judge(one, STANDARD) for one in (good, *bad, better)]
    assert counting(judged) == [good, better]


@given(speeds=st.lists(st.floats(1e6, 2e6), max_size=25), factor=st.sampled_from([2, 4, 0.5]))
def test_a_launch_that_is_k_times_as_fast_is_judged_alike(
    speeds: list[float], factor: float
) -> None:
    found = judge(launch(speeds), STANDARD)
    scaled = judge(launch([factor * speed for speed in speeds]), STANDARD)
    assert scaled.kind == found.kind
    assert [w.role for w in scaled.launch.windows] == [w.role for w in found.launch.windows]


@given(speeds=st.lists(st.floats(1e6, 2e6), max_size=25))
def test_judging_changes_nothing_but_roles_and_judging_again_changes_nothing_of_a_flat_launch(
    speeds: list[float],
) -> None:
    one = launch(speeds)
    found = judge(one, STANDARD)
    assert [w.seconds for w in found.launch.windows] == [w.seconds for w in one.windows]
    assert [w.index for w in found.launch.windows] == [w.index for w in one.windows]
    if found.kind == FLAT:
        assert judge(found.launch, STANDARD) == found
        assert math.isclose(plan.speed(found.launch) or 0, plan.speed(one) or 0)
