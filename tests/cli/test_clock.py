"""How much of a campaign is done, and how much is left."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cnnbench import events
from cnnbench.cli.clock import BlockClock, Clock
from cnnbench.comparison import Outcome
from cnnbench.plan import BUDGETS
from cnnbench.racing import Standing
from cnnbench.record import STEADY, Window
from cnnbench.result import Result
from cnnbench.stopping import Outlook
from tests.blank import LAUNCH

if TYPE_CHECKING:
    from cnnbench.case import Case
    from cnnbench.record import Launch

QUICK = replace(BUDGETS["quick"], launches=(3, 3), case_seconds=1000.0)
CASE = LAUNCH.case
OTHER = replace(CASE, batch_size=8)
STARTED = events.CampaignStarted("c", (CASE, OTHER), QUICK)
BLOCKS = replace(STARTED, in_blocks=True)


class FakeTime:
    """Seconds that pass when a test says so."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        patch.setattr("cnnbench.cli.clock.time.monotonic", lambda: self.now)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    return FakeTime(monkeypatch)


def noted(started: events.CampaignStarted, *happened: events.Event) -> Clock:
    clock = Clock(started)
    for event in happened:
        clock.note(event)
    return clock


def lived(
    clock: Clock, time: FakeTime, seconds: float, case: Case = CASE, launch: Launch = LAUNCH
) -> None:
    """A launch of a case passes."""
    clock.note(events.LaunchStarted(case, "l", 1))
    time.now += seconds
    clock.note(events.LaunchEnded(case, replace(launch, case=case)))


def steady(speed: float, case: Case = CASE) -> Launch:
    """A launch of ten windows of a speed, in a second each."""
    windows = tuple(
        Window(index=i, role=STEADY, steps=10, images=round(1000 * speed), seconds=1.0, started=0.0)
        for i in range(10)
    )
    return replace(LAUNCH, case=case, windows=windows)


def refused(case: Case, reason: str) -> events.CaseDone:
    return events.CaseDone(
        Result(
            case=case,
            verdict="unsupported",
            reason=reason,
            images_per_second=None,
            metrics={},
        )
    )


def test_nothing_is_left_to_say_before_anything_is_foreseen() -> None:
    assert noted(STARTED).left() == ""
    assert noted(STARTED, events.Forecast({CASE: None, OTHER: None}, 0.0)).left() == ""


def test_what_is_foreseen_is_left_before_the_first_launch() -> None:
    clock = noted(STARTED, events.Forecast({CASE: 20.0, OTHER: 10.0}, 90.0))
    assert clock.left() == "about 2 min left"
    assert clock.done() == (0, 6)


def test_a_case_of_unknown_length_is_taken_for_a_typical_one() -> None:
    clock = noted(STARTED, events.Forecast({CASE: 10.0, OTHER: None}, 30.0))
    assert clock.left() == "about 60 s left"


def test_launches_that_are_slower_than_foreseen_make_all_others_slower(time: FakeTime) -> None:
    clock = noted(STARTED, events.Forecast({CASE: 10.0, OTHER: 100.0}, 330.0))
    lived(clock, time, seconds=20.0, launch=steady(100))
    assert clock.left() == "about 11 min left"  # 2 x 20 + 3 x 200 seconds
    assert clock.done() == (1, 6)


def test_a_case_that_eats_its_budget_in_one_launch_is_not_waited_for_thrice() -> None:
    budget = replace(QUICK, case_seconds=50.0)
    started = events.CampaignStarted("c", (CASE,), budget)
    assert noted(started, events.Forecast({CASE: 60.0}, 60.0)).left() == "about 60 s left"


def test_a_case_has_the_launches_left_that_an_earlier_campaign_tells_of(time: FakeTime) -> None:
    budget = replace(QUICK, launches=(3, 8))
    outlook = events.CasePlanned(CASE, 0.02, Outlook(launches=6, windows=10, seconds=60.0))
    clock = noted(events.CampaignStarted("c", (CASE,), budget))
    lived(clock, time, seconds=10.0, launch=steady(100))
    assert clock.done() == (1, 3)
    clock.note(outlook)
    assert clock.done() == (1, 6)
    assert clock.left() == "about 50 s left"


def test_a_noisy_case_has_more_launches_left_than_a_quiet_one(time: FakeTime) -> None:
    budget = replace(QUICK, launches=(5, 20), precision=0.03)
    noisy, quiet = (noted(events.CampaignStarted("c", (CASE,), budget)) for _ in range(2))
    for speed in (1.0, 1.2, 0.9):
        lived(noisy, time, seconds=10.0, launch=steady(100 * speed))
        lived(quiet, time, seconds=10.0, launch=steady(100 + speed / 10))
    assert quiet.done() == (3, 5)
    assert noisy.done()[1] > 15


def test_cases_that_were_not_launched_yet_are_taken_to_be_as_noisy_as_the_others(
    time: FakeTime,
) -> None:
    budget = replace(QUICK, launches=(5, 20), precision=0.03)
    clock = noted(events.CampaignStarted("c", (CASE, OTHER), budget))
    before = clock.done()[1]
    for speed in (1.0, 1.2, 0.9):
        lived(clock, time, seconds=10.0, launch=steady(100 * speed))
    assert before == 10
    assert clock.done()[1] > 25


def test_launches_that_did_not_count_are_made_again(time: FakeTime) -> None:
    budget = replace(QUICK, launches=(6, 6))
    clock = noted(events.CampaignStarted("c", (CASE,), budget))
    for launch in (steady(100), LAUNCH, steady(100), LAUNCH):
        lived(clock, time, seconds=10.0, launch=launch)
    assert clock.done()[1] > 9


def test_a_campaign_that_is_gone_on_with_leaves_what_is_missing(time: FakeTime) -> None:
    kept = [steady(100), steady(100), steady(100, OTHER)]
    clock = noted(replace(STARTED, kept=kept))
    assert clock.done() == (0, 3)
    assert clock.left() == "about 30 s left"
    lived(clock, time, seconds=10.0, launch=steady(100))
    assert clock.done() == (1, 4)


def test_a_goal_is_trained_to_by_as_many_seeds_as_were_asked_for(time: FakeTime) -> None:
    goal = replace(CASE, until=0.7)
    clock = noted(events.CampaignStarted("c", (goal,), QUICK))
    lived(clock, time, 10.0, goal, steady(100))
    assert clock.done() == (1, 3)


def test_launches_that_had_as_many_windows_as_the_rest_will_have_say_how_long_they_take(
    time: FakeTime,
) -> None:
    budget = replace(QUICK, launches=(5, 5))
    clock = noted(events.CampaignStarted("c", (CASE,), budget))
    for seconds in (10.0, 10.0, 20.0):
        lived(clock, time, seconds, launch=steady(100))
    assert clock.seconds_left() == 40.0


def test_what_is_gone_of_a_launch_is_not_left_and_one_that_is_late_may_end_at_once(
    time: FakeTime,
) -> None:
    clock = noted(STARTED, events.Forecast({CASE: 20.0, OTHER: 10.0}, 90.0))
    clock.note(events.LaunchStarted(CASE, "l", 1))
    time.now += 15.0
    assert clock.seconds_left() == 75.0
    time.now += 15.0
    assert clock.seconds_left() == 70.0


def test_a_case_that_is_done_leaves_nothing(time: FakeTime) -> None:
    clock = noted(STARTED, events.Forecast({CASE: 10.0, OTHER: 10.0}, 60.0), refused(OTHER, "no"))
    lived(clock, time, seconds=10.0, launch=steady(100))
    clock.note(refused(CASE, "no"))
    assert clock.left() == ""
    assert clock.done() == (1, 1)


def block(clock: BlockClock, time: FakeTime, seconds: float, ended: events.Event) -> None:
    """A block of two arms passes that take turns."""
    clock.note(events.LaunchStarted(CASE, "l", 1))
    clock.note(events.LaunchStarted(OTHER, "m", 1))
    time.now += seconds
    clock.note(ended)


def test_a_comparison_is_as_long_as_the_blocks_that_it_is_expected_to_take(time: FakeTime) -> None:
    clock = BlockClock(BLOCKS)
    assert clock.done() == (0, None)
    none = Outcome(arms=(), blocks=0, margin=0.05, comparisons=())
    block(clock, time, 100.0, events.BlockEnded(0, interleaved=False, outcome=none, expected=4))
    assert clock.left() == ""
    one = replace(none, blocks=1)
    block(clock, time, 20.0, events.BlockEnded(1, interleaved=True, outcome=one, expected=4))
    assert clock.done() == (1, 4)
    assert clock.seconds_left() == 60.0
    clock.note(events.LaunchStarted(CASE, "l", 1))
    time.now += 5.0
    assert clock.seconds_left() == 55.0


def test_a_diagnosis_replaces_blocks_that_do_not_count(time: FakeTime) -> None:
    clock = BlockClock(BLOCKS)
    block(clock, time, 5.0, events.BlockMeasured(0, 0, 3))
    block(clock, time, 20.0, events.BlockMeasured(1, 1, 3))
    assert clock.seconds_left() == 40.0
    block(clock, time, 20.0, events.BlockMeasured(2, 1, 3))
    assert clock.seconds_left() == 60.0


def test_nobody_foresees_how_long_a_race_lasts(time: FakeTime) -> None:
    clock = BlockClock(BLOCKS)
    standing = Standing(leader="a", inside=("a",), behind={"a": 1.0}, is_over=False)
    block(clock, time, 20.0, events.LapEnded(1, standing))
    assert clock.left() == ""
    assert clock.done() == (0, None)


def test_a_race_lasts_no_longer_than_it_may(time: FakeTime) -> None:
    clock = BlockClock(BLOCKS)
    clock.note(events.RaceStarted("bases", 80.0))
    assert clock.left() == "at most 80 s left"
    time.now += 90.0
    assert clock.left() == "time is up after this"


def test_blocks_end_when_their_time_is_spent(time: FakeTime) -> None:
    clock = BlockClock(replace(BLOCKS, budget=replace(QUICK, case_seconds=25.0)))
    block(clock, time, 20.0, events.BlockMeasured(1, 1, 30))
    assert clock.seconds_left() == 30.0
