"""Progress: what a campaign's events are told as."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from cnnbench import events
from cnnbench.cli.console import Display
from cnnbench.comparison import Outcome
from tests.cli.test_clock import CASE, OTHER, STARTED, refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest


def told(happened: Iterable[events.Event], capsys: pytest.CaptureFixture[str]) -> str:
    """What stands on standard error."""
    with Display() as display:
        display.follow(happened)
    return capsys.readouterr().err


def test_a_reason_that_many_cases_share_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(
        [STARTED, refused(CASE, "no GPU here"), refused(OTHER, "no GPU here")],
        capsys,
    )
    assert text.count("no GPU here") == 1
    assert told([STARTED, refused(CASE, "one"), refused(OTHER, "two")], capsys).count(": ") == 4


def test_the_forecast_says_how_many_can_run_and_how_long_it_takes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = told([STARTED, events.Forecast({CASE: 1200.0}, 3600.0)], capsys)
    assert "1 of 2 cases can run here: about 60 min at least" in text
    text = told([STARTED, events.Forecast({CASE: 10.0, OTHER: None}, 30.0)], capsys)
    assert "2 cases can run here: about 30 s at least, and 1 case of unknown length" in text
    text = told([STARTED, events.Forecast({CASE: None, OTHER: None}, 0.0)], capsys)
    assert "how long is not known before the first launch" in text


def test_a_proof_says_which_recipes_it_is_of(capsys: pytest.CaptureFixture[str]) -> None:
    case = replace(CASE, precision="bfloat16", recipes=("huge_pages",))
    text = told([STARTED, events.ProofStarted(case)], capsys)
    assert "proof: null · simple_cnn · fit · channels_last · bfloat16 · huge_pages" in text


def test_a_race_says_which_it_is_and_how_long_it_may_last(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "bases: 9 min at most" in told([STARTED, events.RaceStarted("bases", 540.0)], capsys)
    assert "lapped\n" in told([STARTED, events.RaceStarted("lapped", math.inf)], capsys)


def test_what_is_left_of_a_comparison_is_shown_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    ended = Outcome(arms=(), blocks=1, margin=0.05, comparisons=())
    happened: list[events.Event] = [
        replace(STARTED, in_blocks=True),
        events.LaunchStarted(CASE, "l", 2),
        events.BlockEnded(1, interleaved=True, outcome=ended, expected=4),
        events.LaunchStarted(CASE, "m", 3),
    ]
    assert " left" in told(happened, capsys)
