"""`cnnbench history`: what is shown of a store, and of files of launches."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cnnbench.case import Arm, Case
from cnnbench.machine.facts import facts
from cnnbench.plan import BUDGETS
from cnnbench.record import STEADY, Launch, Window
from cnnbench.report.sparkline import ASCII, BLOCKS
from cnnbench.store import exchange
from cnnbench.store.exchange import Origin, Recorded

if TYPE_CHECKING:
    from pathlib import Path

    from cnnbench.record import Facts
    from tests.cli.conftest import Command

CASE = Case(stack="null", model="simple_cnn", dataset="synthetic-32", method="fit")
HERE: Facts = {"machine_id": facts()["machine_id"]}
SPEEDS = [1000] * 6 + [800] * 4


def launch(campaign: str, at: int, number: int, speed: float, machine: Facts) -> Launch:
    return Launch(
        id=f"{campaign}-{number}",
        campaign=campaign,
        case=CASE,
        number=number,
        seed=1,
        stack_fingerprint="old" if speed > 900 else "new",
        probe_digest="guest",
        started_at=f"2026-02-{at + 1:02}T00:00:00+00:00",
        machine=machine,
        windows=tuple(
            Window(index=i, role=STEADY, steps=9, images=round(speed), seconds=1.0, started=0.0)
            for i in range(10)
        ),
    )


def recorded(name: str, machine: Facts, arms: tuple[Arm, ...] = ()) -> Recorded:
    """A campaign a day, slower by a fifth from the seventh on."""
    origin = Origin(suite="s", budget=BUDGETS["quick"], machine=machine, arms=arms)
    launches = [
        launch(f"{name}{at}", at, number, speed + number, machine)
        for at, speed in enumerate(SPEEDS)
        for number in (1, 2, 3)
    ]
    if arms:
        launches = [replace(one, arm="a", block=1) for one in launches]
    origins = dict.fromkeys((one.campaign for one in launches), origin)
    return Recorded(campaigns=origins, launches=tuple(launches))


@pytest.fixture
def results(folder: Path) -> Path:
    """A folder of files: of this machine, of another, and of a comparison on this one."""
    target = folder / "results"
    exchange.write(target / "here.jsonl", recorded("h", HERE))
    exchange.write(target / "there.jsonl", recorded("t", {"machine_id": "another"}))
    arms = (Arm(name="a", case=CASE), Arm(name="b", case=CASE))
    exchange.write(target / "compared.jsonl", recorded("c", HERE, arms))
    return target


def test_a_change_is_told_with_what_explains_it(results: Path, cnnbench: Command) -> None:
    done = cnnbench("history", "--from", results)
    assert done.status == 0
    assert done.out.startswith(CASE.title)
    assert done.out.splitlines()[1] == BLOCKS[-1] * 6 + BLOCKS[0] * 4
    assert done.out.count("| 2026-02-") == len(SPEEDS)
    (told,) = [line for line in done.out.splitlines() if line.startswith("- ")]
    assert told.startswith("- 2026-02-07 00:00: 20.0% slower")
    assert "what differs: the stack's definition or lock (old -> new)" in told


def test_other_machines_are_shown_when_asked_for_each_by_itself(
    results: Path, cnnbench: Command
) -> None:
    told = json.loads(cnnbench("history", "--from", results, "--json").out)
    assert [len(one["points"]) for one in told["series"]] == [len(SPEEDS)]
    told = json.loads(cnnbench("history", "--from", results, "--all-machines", "--json").out)
    assert len(told["series"]) == 2
    (change,) = told["series"][0]["changes"]
    assert change["differs"] == {"stack_fingerprint": ["old", "new"]}
    assert (change["campaigns_after"], change["too_new"]) == (4, False)


def test_the_smallest_change_to_tell_may_be_said(results: Path, cnnbench: Command) -> None:
    done = cnnbench("history", "--from", results, "--least", "0.3")
    assert "- no change is proven" in done.out


def test_a_stream_without_blocks_gets_ascii(
    results: Path, cnnbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnnbench.report.sparkline._knows", lambda *_: False)
    line = cnnbench("history", "--from", results).out.splitlines()[1]
    assert line == ASCII[-1] * 6 + ASCII[0] * 4


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--stack", "another"], "nothing like that was measured on this machine"),
        (["--stack", "another", "--all-machines"], "see what was: cnnbench show --all"),
        (["--json", "absent/x"], "cannot write absent/x"),
        (["--least", "2"], "'--least'"),
    ],
)
def test_a_wrong_question_is_told_in_one_line(
    results: Path, cnnbench: Command, flags: list[str], told: str
) -> None:
    done = cnnbench("history", "--from", results, *flags)
    assert (done.status, told in done.line, done.out) == (2, True, "")


def test_a_folder_without_launches_is_told(folder: Path, cnnbench: Command) -> None:
    (folder / "empty").mkdir()
    done = cnnbench("history", "--from", folder / "empty")
    assert (done.status, "no file of launches (*.jsonl) is in" in done.line) == (2, True)


def test_a_store_is_only_read_and_each_run_is_a_campaign(cnnbench: Command, folder: Path) -> None:
    none = cnnbench("history")
    assert (none.status, "there is no store at" in none.line) == (2, True)
    for _ in range(2):
        assert cnnbench("run", "mine.toml").status == 0
    assert cnnbench("compare", "--stack", "null", "--arm", "model=simple_cnn").status == 2
    told = json.loads(cnnbench("history", "--json", "-").out)
    (one,) = told["series"]
    assert [point["images_per_second"]["n"] for point in one["points"]] == [1, 1]
    assert not one["changes"]
    assert "| none (1 launch) " in cnnbench("history").out
    assert (folder / "runs.sqlite").exists()
