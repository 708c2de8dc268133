"""How much of a campaign is done, and how much is left."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cnnbench import events
from cnnbench.cli.clock import Clock
from cnnbench.plan import BUDGETS
from cnnbench.result import Result
from cnnbench.stopping import Outlook
from tests.blank import LAUNCH

if TYPE_CHECKING:
    from cnnbench.case import Case

QUICK = replace(BUDGETS["quick"], launches=(3, 3), case_seconds=1000.0)
CASE = LAUNCH.case
OTHER = replace(CASE, batch_size=8)
STARTED = events.CampaignStarted("c", (CASE, OTHER), QUICK, 0)


class FakeTime:
    """Seconds that pass when a test says so."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        patch.setattr("cnnbench.cli.clock.time.monotonic", lambda: self.now)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    return FakeTime(monkeypatch)


def noted(*happened: events.Event) -> Clock:
    clock = Clock()
    for event in happened:
        clock.note(event)
    return clock


def lived(clock: Clock, time: FakeTime, seconds: float, case: Case = CASE) -> None:
    """A launch of a case passes."""
    clock.note(events.LaunchStarted(case, "l", 1))
    time.now += seconds
    clock.note(events.LaunchEnded(case, LAUNCH))


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
    assert clock.launches() == (0, 6)


def test_a_case_of_unknown_length_is_taken_for_a_typical_one() -> None:
    clock = noted(STARTED, events.Forecast({CASE: 10.0, OTHER: None}, 30.0))
    assert clock.left() == "about 60 s left"


def test_launches_that_are_slower_than_foreseen_make_all_others_slower(time: FakeTime) -> None:
    clock = noted(STARTED, events.Forecast({CASE: 10.0, OTHER: 100.0}, 330.0))
    lived(clock, time, seconds=20.0)
    assert clock.left() == "about 11 min left"  # 2 x 20 + 3 x 200 seconds
    assert clock.launches() == (1, 6)


def test_a_case_that_eats_its_budget_in_one_launch_is_not_waited_for_thrice() -> None:
    budget = replace(QUICK, case_seconds=50.0)
    started = events.CampaignStarted("c", (CASE,), budget, 0)
    assert noted(started, events.Forecast({CASE: 60.0}, 60.0)).left() == "about 60 s left"


def test_a_case_whose_noise_is_known_has_the_launches_left_that_it_asks_for(time: FakeTime) -> None:
    budget = replace(QUICK, launches=(3, 8))
    outlook = events.CasePlanned(CASE, 0.02, Outlook(launches=6, windows=10, seconds=60.0))
    clock = noted(events.CampaignStarted("c", (CASE,), budget, 0))
    lived(clock, time, seconds=10.0)
    assert clock.launches() == (1, 3)
    clock.note(outlook)
    assert clock.launches() == (1, 6)
    assert clock.left() == "about 50 s left"
    clock.note(replace(outlook, outlook=outlook.outlook._replace(launches=1000)))
    assert clock.launches() == (1, 8)


def test_launches_that_had_as_many_windows_as_the_rest_will_have_say_how_long_they_take(
    time: FakeTime,
) -> None:
    budget = replace(QUICK, launches=(5, 5))
    clock = noted(events.CampaignStarted("c", (CASE,), budget, 0))
    for seconds in (10.0, 10.0, 20.0):
        lived(clock, time, seconds)
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
    lived(clock, time, seconds=10.0)
    clock.note(refused(CASE, "no"))
    assert clock.left() == ""
    assert clock.launches() == (1, 1)
