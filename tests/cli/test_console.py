"""Progress: what a campaign's events are told as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench import events
from cnnbench.cli.console import Display
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
