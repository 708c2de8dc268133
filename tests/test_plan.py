"""The rules of how long to measure."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from cnnbench.plan import BUDGETS, LONG_STEP_WINDOWS, is_short, judged, next_window, role
from cnnbench.record import FIRST_STEP, PILOT, STEADY, WARM_UP, Window
from cnnbench.stats.steady import NO_STEADY_STATE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cnnbench.case import Budget

BATCH = 32
ENDLESS = 150  # windows: more than any budget can need


budgets = st.sampled_from(list(BUDGETS.values()))
short_steps = st.floats(min_value=1e-5, max_value=4.9)
fences = st.floats(min_value=0, max_value=0.02)


def live(
    budget: Budget,
    step_seconds: Iterable[float],
    fence: float = 1e-4,
    wanted: int | None = None,
) -> list[Window]:
    """The windows of a launch whose n-th window has steps of the n-th duration."""
    windows: list[Window] = []
    for seconds in step_seconds:
        request = next_window(windows, budget, wanted)
        if request is None:
            return windows
        assert len(windows) < ENDLESS, "the plan never has enough"
        windows.append(
            Window(
                index=len(windows),
                role=request.role,
                steps=request.steps,
                images=BATCH * request.steps,
                seconds=seconds * request.steps,
                started=0.0,
                fence=fence,
            )
        )
    raise AssertionError("the plan asked for more windows than were given")


def of(windows: list[Window], role: str) -> list[Window]:
    return [window for window in windows if window.role == role]


@given(budget=budgets, seconds=st.floats(min_value=1e-5, max_value=60), fence=fences)
def test_the_first_step_comes_first_alone_and_once(
    budget: Budget, seconds: float, fence: float
) -> None:
    windows = live(budget, itertools.repeat(seconds), fence)
    assert windows[0].role == FIRST_STEP
    assert windows[0].steps == 1
    assert len(of(windows, FIRST_STEP)) == 1
    roles = [role for role, _ in itertools.groupby(window.role for window in windows)]
    assert roles in ([FIRST_STEP, PILOT, WARM_UP, STEADY], [FIRST_STEP, PILOT, STEADY])


@given(budget=budgets, seconds=short_steps, fence=fences)
def test_a_window_is_as_long_as_the_budget_says_and_200_fences(
    budget: Budget, seconds: float, fence: float
) -> None:
    for window in of(live(budget, itertools.repeat(seconds), fence), STEADY):
        assert window.seconds >= budget.window_seconds
        assert window.seconds >= 200 * fence


@given(budget=budgets, seconds=short_steps, faster=st.floats(min_value=0.92, max_value=1.0))
def test_steps_a_little_faster_than_the_pilot_s_still_fill_a_window(
    budget: Budget, seconds: float, faster: float
) -> None:
    pilots = len(of(live(budget, itertools.repeat(seconds)), PILOT))
    steps = itertools.chain([seconds] * (1 + pilots), itertools.repeat(faster * seconds))
    assert all(w.seconds >= budget.window_seconds for w in of(live(budget, steps), STEADY))


@given(budget=budgets, seconds=short_steps, fence=fences)
def test_a_launch_is_warm_by_seconds_and_by_windows(
    budget: Budget, seconds: float, fence: float
) -> None:
    warm = of(live(budget, itertools.repeat(seconds), fence), WARM_UP)
    assert len(warm) >= budget.warmup_windows
    assert sum(window.seconds for window in warm) >= budget.warmup_seconds


@given(budget=budgets, seconds=st.floats(min_value=5.01, max_value=600))
def test_of_steps_over_five_seconds_three_windows_of_one_step_do_and_are_called_short(
    budget: Budget, seconds: float
) -> None:
    windows = live(budget, itertools.repeat(seconds))
    assert [window.steps for window in windows] == [1] * len(windows)
    assert len(of(windows, STEADY)) == LONG_STEP_WINDOWS
    assert is_short(windows)


@given(budget=budgets, seconds=short_steps)
def test_other_launches_are_not_called_short(budget: Budget, seconds: float) -> None:
    assert not is_short(live(budget, itertools.repeat(seconds)))


@given(budget=budgets, seconds=st.floats(min_value=1e-3, max_value=0.5))
def test_a_quiet_launch_stops_at_the_fewest_windows(budget: Budget, seconds: float) -> None:
    assert len(of(live(budget, itertools.repeat(seconds)), STEADY)) == budget.windows[0]


@given(budget=budgets, seconds=st.floats(min_value=1e-3, max_value=0.5), data=st.data())
def test_a_quiet_launch_stops_at_the_windows_that_are_wanted(
    budget: Budget, seconds: float, data: st.DataObject
) -> None:
    wanted = data.draw(st.integers(*budget.windows))
    windows = live(budget, itertools.repeat(seconds), wanted=wanted)
    assert len(of(windows, STEADY)) == wanted


@given(budget=budgets, seconds=st.floats(min_value=1e-3, max_value=0.4))
def test_a_launch_that_is_noisy_but_stays_the_same_gets_no_more_windows(
    budget: Budget, seconds: float
) -> None:
    first = len(live(budget, itertools.repeat(seconds))) - budget.windows[0]
    noise = itertools.cycle([seconds, 1.2 * seconds])
    windows = live(budget, itertools.chain([seconds] * first, noise))
    assert len(of(windows, STEADY)) == budget.windows[0]


@settings(max_examples=15)
@given(budget=budgets, seconds=st.floats(min_value=1e-3, max_value=0.4), data=st.data())
def test_a_launch_that_still_changes_its_speed_stops_at_twice_the_windows(
    budget: Budget, seconds: float, data: st.DataObject
) -> None:
    wanted = data.draw(st.integers(*budget.windows))
    first = len(live(budget, itertools.repeat(seconds))) - budget.windows[0]
    slower = (seconds * 1.02**i for i in itertools.count())
    windows = live(budget, itertools.chain([seconds] * first, slower), wanted=wanted)
    found = of(windows, STEADY)
    assert judged(found[:wanted], budget, fewest=budget.windows[0]).kind == NO_STEADY_STATE
    assert len(found) == 2 * wanted


@settings(max_examples=15)
@given(
    budget=budgets,
    seconds=st.floats(min_value=1e-3, max_value=0.4),
    factors=st.lists(st.floats(min_value=0.5, max_value=2), min_size=40, max_size=40),
)
def test_a_launch_has_the_wanted_windows_or_twice_as_many_whatever_they_take(
    budget: Budget, seconds: float, factors: list[float]
) -> None:
    first = len(live(budget, itertools.repeat(seconds))) - budget.windows[0]
    counted = [factor * seconds for factor in factors]
    found = of(live(budget, [*[seconds] * first, *counted, seconds]), STEADY)
    wanted = budget.windows[0]
    steady = judged(found[:wanted], budget, fewest=wanted).kind != NO_STEADY_STATE
    assert len(found) == (wanted if steady else 2 * wanted)


@given(
    budget=budgets,
    steps=st.lists(st.floats(min_value=1e-6, max_value=30), min_size=ENDLESS, max_size=ENDLESS),
    fence=fences,
)
def test_the_plan_has_enough_whatever_the_steps_take(
    budget: Budget, steps: list[float], fence: float
) -> None:
    windows = live(budget, steps, fence)
    assert of(windows, STEADY)


def window(images: int, as_what: str = STEADY) -> Window:
    """Ten steps, of batches of 32 where there are 320 images."""
    return Window(index=0, role=as_what, steps=10, images=images, seconds=0.5, started=0.0)


@given(before=st.lists(st.sampled_from([STEADY, WARM_UP]), max_size=4))
def test_the_first_window_with_a_smaller_batch_is_warm_up_wherever_it_comes(
    before: list[str],
) -> None:
    whole = [window(320, as_what) for as_what in before]

    assert role(STEADY, window(320), whole, BATCH) == STEADY
    assert role(STEADY, window(296), whole, BATCH) == WARM_UP
    assert role(PILOT, window(296), whole, BATCH) == PILOT


@given(seen_as=st.sampled_from([FIRST_STEP, PILOT, WARM_UP, STEADY]))
def test_a_smaller_batch_that_was_seen_before_is_as_steady_as_any(seen_as: str) -> None:
    assert role(STEADY, window(296), [window(296, seen_as), window(320)], BATCH) == STEADY


def test_a_launch_has_all_windows_that_are_wanted_though_one_turned_out_to_be_warm_up() -> None:
    budget = BUDGETS["quick"]
    windows = live(budget, itertools.repeat(0.01))
    last = replace(windows[-1], role=WARM_UP)

    assert next_window([*windows[:-1], last], budget) == (STEADY, last.steps)


def test_a_budget_of_one_window_asks_for_one() -> None:
    budget = replace(BUDGETS["quick"], windows=(1, 1))
    assert len(of(live(budget, itertools.repeat(0.01)), STEADY)) == 1
