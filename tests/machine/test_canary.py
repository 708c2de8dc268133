"""The canary: real processes, and what is said of what they tell."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil
import pytest

from cnnbench.errors import CnnbenchError
from cnnbench.fitness import Drift, Fitness, Reach
from cnnbench.machine import canary, canary_load, noise

if TYPE_CHECKING:
    from pathlib import Path

REACH = Reach(
    precision=0.03,
    half_width=0.012,
    launches=5,
    most_launches=20,
    run_minutes=1.4,
    margin=0.02,
    blocks=5,
    most_blocks=20,
    compare_minutes=3.0,
)
QUIET = Fitness(
    processes=20,
    minutes=1.5,
    window_seconds=0.25,
    within=0.01,
    between=0.002,
    paired=0.012,
    range=0.01,
    drift=Drift(0.0, -0.01, 0.01),
    reach={"standard": REACH},
)


def levels(found: Fitness, foreign: float | None = 0.0, steal: float | None = 0.0) -> list[str]:
    return [finding.level for finding in noise.findings(found, foreign, steal)]


def test_a_short_canary_has_three_processes_of_four_windows() -> None:
    readings = list(canary.sing(1))
    assert [reading.process for reading in readings] == [0] * 4 + [1] * 4 + [2] * 4
    for before, after in itertools.pairwise(readings):
        assert before.at < after.at
    for reading in readings:
        assert reading.rate > 0
        assert reading.seconds >= canary_load.WINDOW_SECONDS


def test_a_canary_that_nobody_listens_to_any_more_ends_its_process() -> None:
    others = set(psutil.Process().children())
    song = canary.sing(60)
    next(song)
    (child,) = set(psutil.Process().children()) - others
    song.close()
    assert not child.is_running()


def test_longer_canaries_have_longer_processes_up_to_a_limit() -> None:
    assert [canary.windows_of(seconds) for seconds in (1, 20, 90, 3600)] == [4, 8, 16, 16]


def test_a_program_that_fails_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise ImportError('no numpy here')")
    monkeypatch.setattr(canary, "PROGRAM", broken)
    with pytest.raises(CnnbenchError, match="ImportError: no numpy here") as caught:
        list(canary.sing(1))
    assert "\n" not in str(caught.value)


def test_the_program_needs_nothing_of_cnnbench() -> None:
    assert "cnnbench" not in canary.PROGRAM.read_text().partition("from __future__")[2]


def test_a_quiet_machine_is_ok_in_everything() -> None:
    assert levels(QUIET) == ["ok"] * 5


@pytest.mark.parametrize(
    ("changes", "at", "words"),
    [
        ({"between": 0.02}, 1, "processes by 2.00 % beyond that"),
        ({"within": 0.1}, 1, "vary by 10.00 % in a process"),
        ({"drift": Drift(0.02, 0.015, 0.025)}, 2, "drift +2.00 % a minute (+1.50 % to +2.50 %)"),
        ({"processes": 3}, 1, "3 processes in 1.5 min"),
        ({"minutes": 0.3}, 2, "1.0 % faster than the slowest; drift takes minutes to be seen"),
        ({"range": 0.2}, 2, "20.0 % faster than the slowest"),
    ],
)
def test_noise_is_a_note_with_its_numbers(changes: dict[str, object], at: int, words: str) -> None:
    found = list(noise.findings(replace(QUIET, **changes), 0.0, 0.0))  # type: ignore[arg-type]
    assert [finding.level == "note" for finding in found] == [i == at for i in range(5)]
    assert words in found[at].what
    assert found[at].advice


@pytest.mark.parametrize(("foreign", "steal"), [(0.3, 0.0), (0.0, 0.3), (0.3, None)])
def test_a_canary_that_was_disturbed_is_a_warning(foreign: float, steal: float | None) -> None:
    assert levels(QUIET, foreign, steal) == ["warning", "ok", "ok", "ok", "ok"]


def test_shares_that_cannot_be_read_are_not_told() -> None:
    assert levels(QUIET, None, None) == ["ok"] * 4


def test_a_budget_says_what_it_reaches_and_what_it_takes() -> None:
    *_, run, compare = noise.findings(QUIET, 0.0, 0.0)
    assert "run --budget standard: fewest launches give ±1.2 %" in run.what
    assert "±3 % takes 5 launches, 1.4 min a case (a launch taken to start in 10 s)" in run.what
    assert "a difference of 2 % takes at least 5 blocks of two arms, 3.0 min" in compare.what


def test_a_budget_that_does_not_suffice_is_a_note_that_says_where_it_stops() -> None:
    far = replace(REACH, launches=10_000, blocks=60, compare_minutes=120.0)
    *_, run, compare = noise.findings(replace(QUIET, reach={"standard": far}), 0.0, 0.0)
    assert (run.level, compare.level) == ("note", "note")
    assert "takes thousands of launches, days a case" in run.what
    assert "it stops at 20" in run.advice
    assert "60 blocks of two arms, 2.0 h" in compare.what
    assert "--margin" in compare.advice
