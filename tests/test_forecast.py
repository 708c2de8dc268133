"""How long a campaign will take, said before it begins."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench import forecast, plan
from cnnbench.case import Case
from cnnbench.plan import BUDGETS
from cnnbench.record import STEADY, Launch, Window
from tests.blank import LAUNCH

QUICK = BUDGETS["quick"]
MACHINE = {"cpus_usable": 2}
CASE = Case(stack="keras3-jax", model="simple_cnn", dataset="synthetic-32", method="fit")
LONG = replace(CASE, model="resnet50", dataset="synthetic-256")

steps = st.floats(min_value=1e-4, max_value=100)


def launch(step_seconds: float, begin: float) -> Launch:
    window = Window(
        index=0, role=STEADY, steps=10, images=320, seconds=10 * step_seconds, started=0.0
    )
    return replace(
        LAUNCH,
        case=CASE,
        machine=MACHINE,
        stages={"import": begin},
        windows=(window,),
    )


def foreseen(case: Case, *earlier: Launch) -> float:
    seconds = forecast.launch_seconds(case, QUICK, earlier, MACHINE)
    assert seconds is not None
    return seconds


@given(seconds=steps)
def test_a_launch_is_foreseen_with_every_window_that_the_plan_would_ask_for(seconds: float) -> None:
    trained = plan.launch_seconds(seconds, QUICK)
    fewest = 3 if seconds > plan.LONG_STEP_SECONDS else QUICK.windows[0]
    assert trained >= (2 + fewest) * seconds


def test_a_step_of_a_minute_is_asked_for_five_times() -> None:
    assert plan.launch_seconds(60.0, QUICK) == 5 * 60.0


def test_what_was_measured_before_decides_over_arithmetic() -> None:
    slow, fast = foreseen(CASE, launch(3.0, 20.0)), foreseen(CASE, launch(0.01, 20.0))
    assert slow > fast > 20.0
    assert slow == 20.0 + plan.launch_seconds(3.0, QUICK)


def test_more_work_a_step_takes_longer() -> None:
    assert foreseen(LONG) > foreseen(replace(LONG, batch_size=8)) > foreseen(CASE)
    assert foreseen(replace(LONG, devices=2)) > foreseen(LONG)
    assert foreseen(replace(LONG, threads=1)) > foreseen(LONG)


@pytest.mark.parametrize(
    "case",
    [
        replace(CASE, model="mine.py@12345678"),
        replace(CASE, dataset="photographs@12345678"),
        replace(CASE, device="gpu"),
    ],
)
def test_what_nothing_is_known_of_is_not_guessed(case: Case) -> None:
    assert forecast.launch_seconds(case, QUICK, [], MACHINE) is None


def test_multiply_accumulates_are_those_of_the_literature() -> None:
    assert forecast.macs(CASE) == 20_741_120
    assert forecast.macs(replace(CASE, model="resnet56_cifar")) == 125_747_840
    bottlenecks = forecast.macs(LONG)
    assert bottlenecks is not None
    assert 4.9e9 < bottlenecks < 5.1e9


def test_launches_that_are_done_are_not_foreseen_again_but_one_is_always_left() -> None:
    known = {CASE: 10.0, LONG: None}
    fewest = QUICK.launches[0]
    assert forecast.left(known, {}, QUICK) == 10.0 * fewest
    assert forecast.left(known, {CASE: fewest - 1}, QUICK) == 10.0
    assert forecast.left(known, {CASE: fewest + 1}, QUICK) == 10.0


def test_a_case_that_eats_its_budget_at_once_is_foreseen_once() -> None:
    assert plan.launches_foreseen(QUICK.case_seconds + 1, QUICK) == 1
    assert plan.launches_foreseen(0.0, QUICK) == QUICK.launches[0]
