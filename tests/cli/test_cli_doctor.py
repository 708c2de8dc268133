"""`cnnbench doctor --canary`: noise, and what precision it allows; never beside a measurement."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from cnnbench.cli import doctor
from cnnbench.fitness import Reading
from cnnbench.machine import canary, lock
from cnnbench.plan import BUDGETS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Command


def sing(seconds: float) -> Iterator[Reading]:
    """A canary without processes."""
    assert seconds == 3
    for i in range(12):
        yield Reading(i // 4, i / 4, 1.0 + 0.01 * (i % 3), 0.25)


def test_a_canary_of_three_seconds_is_an_object_for_programs(cnnbench: Command) -> None:
    done = cnnbench("doctor", "--canary", "3", "--json")
    assert (done.status, done.err) == (0, "")
    told = json.loads(done.out)
    found = told["canary"]
    assert found["processes"] >= 3
    assert found["window_seconds"] >= 0.25
    assert min(found["within"], found["between"], found["paired"], found["range"]) >= 0
    assert found["drift"]["low"] <= found["drift"]["per_minute"] <= found["drift"]["high"]
    assert 0 <= found["foreign_share"] <= 1
    assert set(found["reach"]) == set(BUDGETS)
    words = [finding["what"] for finding in told["findings"]]
    for budget in BUDGETS:
        assert any(text.startswith(f"run --budget {budget}: ") for text in words)
        assert any(text.startswith(f"compare --budget {budget}: ") for text in words)


def test_a_canary_adds_its_lines_for_people(
    cnnbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary, "sing", sing)
    done = cnnbench("doctor", "--canary", "3")
    assert (done.status, done.err) == (0, "")
    assert "3 processes in 0.0 min: windows of 0.25 s vary by" in done.out
    assert "compare --budget strict: a difference of 1 % takes at least" in done.out
    assert doctor.HINT not in done.out


def test_without_a_canary_there_is_a_hint_for_people_and_no_object_for_programs(
    cnnbench: Command,
) -> None:
    assert cnnbench("doctor").out.splitlines()[-1] == doctor.HINT
    assert "canary" not in json.loads(cnnbench("doctor", "--json").out)


def test_no_canary_is_run_while_somebody_measures(
    cnnbench: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary, "sing", lambda _: pytest.fail("it ran"))
    with lock.exclusive(folder / "cache" / "measuring.lock"):
        done = cnnbench("doctor", "--canary", "3")
    assert (done.status, done.out) == (1, "")
    assert done.line == (
        f"no canary beside process {os.getpid()} that is measuring; ask again when it is done"
    )


def test_the_machine_is_given_back_after_a_canary(
    cnnbench: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary, "sing", sing)
    cnnbench("doctor", "--canary", "3")
    with lock.exclusive(folder / "cache" / "measuring.lock", wait=False):
        pass


@pytest.mark.parametrize("seconds", ["0", "2", "-5", "3601", "long"])
def test_a_canary_that_tells_nothing_is_refused(cnnbench: Command, seconds: str) -> None:
    done = cnnbench("doctor", "--canary", seconds)
    assert done.status == 2
    assert "--canary" in done.line
