"""Training to a goal: what is asked of a launch, and when the goal was reached."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench import goal
from cnnbench.case import Case
from cnnbench.plan import BUDGETS, Request
from cnnbench.record import FIRST_STEP, STEADY, Launch, Window
from tests.blank import LAUNCH

CASE = Case(
    stack="null", model="simple_cnn", dataset="synthetic-32", method="fit", batch_size=32, until=0.6
)
BUDGET = replace(BUDGETS["quick"], passes=2.0)
FIRST = Window(index=0, role=FIRST_STEP, steps=1, images=32, seconds=3.0, started=0.0)
IMAGES = 10_000


def window(accuracy: float, images: int = 2_016, seconds: float = 1.0) -> Window:
    return Window(
        index=1,
        role=STEADY,
        steps=images // 32,
        images=images,
        seconds=seconds,
        started=0.0,
        accuracy=accuracy,
    )


def launch(*accuracies: float) -> Launch:
    return replace(
        LAUNCH,
        case=CASE,
        windows=(FIRST, *map(window, accuracies)),
    )


def asked(*accuracies: float, whole: bool = False) -> Request | None:
    return goal.next_window(launch(*accuracies).windows, CASE, BUDGET, IMAGES, whole=whole)


def test_the_first_step_is_alone_and_a_fifth_of_a_pass_follows() -> None:
    assert goal.next_window((), CASE, BUDGET, IMAGES, whole=False) == (FIRST_STEP, 1)
    assert asked() == (STEADY, 63)  # of 313 steps


def test_a_method_that_begins_anew_each_time_is_given_whole_passes() -> None:
    assert asked(whole=True) == (STEADY, 313)


def test_a_launch_ends_when_the_goal_is_reached() -> None:
    assert asked(0.2, 0.59) is not None
    assert asked(0.2, 0.60) is None


def test_a_launch_gives_up_after_its_passes() -> None:
    assert asked(*[0.1] * 9) is not None
    assert asked(*[0.1] * 10) is None


def test_time_and_images_end_with_the_window_that_reached_the_goal() -> None:
    from cnnbench.metrics import images_to_accuracy, time_to_accuracy

    done = launch(0.3, 0.61, 0.9)
    assert time_to_accuracy.of(done) == pytest.approx(5.0)
    assert images_to_accuracy.of(done) == 32 + 2 * 2_016
    assert time_to_accuracy.of(launch(0.3)) is None
    assert images_to_accuracy.of(replace(done, case=replace(CASE, until=None))) is None


@given(st.lists(st.floats(0, 1), max_size=20), st.floats(0.01, 0.99))
def test_a_higher_goal_is_never_reached_earlier(accuracies: list[float], until: float) -> None:
    windows = launch(*accuracies).windows
    low = goal.reached(windows, replace(CASE, until=until))
    high = goal.reached(windows, replace(CASE, until=min(0.999, until + 0.1)))
    assert not high or len(low) <= len(high)
    assert not low or windows[len(low) - 1].accuracy is not None


def test_the_best_accuracy_is_told_where_it_was_not_enough() -> None:
    assert goal.best(launch(0.2, 0.5, 0.4)) == 0.5
    assert goal.best(launch()) == 0.0
