"""The commands that look, and what `run` prints and writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cnnbench import __version__
from cnnbench.cli.listing import KINDS
from cnnbench.envs import interpreters
from cnnbench.machine import instance

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Command

COMMANDS = [
    *([], ["run"], ["show"], ["reference"], ["list"], ["doctor"]),
    *(
        ["stacks"],
        ["stacks", "list"],
        ["stacks", "build"],
        ["stacks", "lock"],
        ["stacks", "remove"],
    ),
    *(["data"], ["data", "list"], ["data", "get"]),
]


def test_the_version_is_said(cnnbench: Command) -> None:
    done = cnnbench("--version")
    assert (done.status, done.out, done.err) == (0, f"cnnbench {__version__}\n", "")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(cnnbench: Command, command: list[str]) -> None:
    done = cnnbench(*command, "--help")
    assert done.status == 0
    assert "Usage: cnnbench" in done.out


@pytest.mark.parametrize("command", [[], ["stacks"], ["data"]], ids=str)
def test_a_command_without_arguments_shows_its_help(cnnbench: Command, command: list[str]) -> None:
    done = cnnbench(*command)
    assert done.status == 2
    assert "Usage: cnnbench" in done.out
    assert not done.err


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_listed_with_name_and_about(cnnbench: Command, kind: str) -> None:
    done = cnnbench("list", kind, "--json")
    found = json.loads(done.out)
    assert found
    assert all(entry["name"] and entry["about"] for entry in found)
    text = cnnbench("list", kind).out
    assert all(entry["name"] in text and entry["about"] in text for entry in found)


def test_stacks_say_whether_they_can_run_here_and_by_which_python(
    cnnbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreters, "find", lambda _: None)
    found = {entry["name"]: entry for entry in json.loads(cnnbench("list", "stacks", "--json").out)}
    assert found["null"]["available"] is True
    assert found["null"]["reason"] is None
    assert found["null"]["python"]
    old = found["keras2.1.5-tensorflow1.7.0"]
    assert old["available"] is False
    assert "pyenv install" in old["reason"]
    assert old["python"] is None


def test_doctor_answers_people_and_programs(cnnbench: Command) -> None:
    told = json.loads(cnnbench("doctor", "--json").out)
    assert {"facts", "conditions", "findings"} <= told.keys()
    done = cnnbench("doctor")
    assert done.status == 0
    assert str(told["facts"]["cpu"]) in done.out


def test_a_run_prints_its_table_and_writes_its_document(cnnbench: Command, folder: Path) -> None:
    done = cnnbench("run", "mine.toml", "--json", "out.json", "--instance-type", "my box")
    assert done.status == 0
    head, _, row = done.out.splitlines()
    assert head.endswith("| Speed (images/s) | 95 % interval   |")
    assert row.startswith("| my box ")
    told = json.loads((folder / "out.json").read_text())
    assert told["machine"]["instance_type"] == "my box"
    assert told["machine"]["instance_type_source"] == "given"
    (result,) = told["results"]
    assert 500 < result["images_per_second"]["point"] < 2000  # what the null stack makes up

    shown = cnnbench("show", "--json", "-")
    assert json.loads(shown.out)["results"] == told["results"]
    assert row in cnnbench("show").out
    none = cnnbench("show", "--stack", "another")
    assert (none.status, "cnnbench show --all" in none.line) == (2, True)


@pytest.mark.parametrize("name", ["a|b", "a\nb", "", "x" * 65])
def test_a_name_that_would_break_the_table_is_refused_before_measuring(
    cnnbench: Command, folder: Path, name: str
) -> None:
    done = cnnbench("run", "mine.toml", "--instance-type", name)
    assert (done.status, "--instance-type must be" in done.line) == (2, True)
    assert not (folder / "runs.sqlite").exists()


def test_the_instance_type_that_was_found_is_the_first_column(
    cnnbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instance, "instance_type", lambda _: ("c5.18xlarge", "dmi"))
    assert cnnbench("run", "mine.toml").out.splitlines()[-1].startswith("| c5.18xlarge ")
    facts = json.loads(cnnbench("doctor", "--json").out)["facts"]
    assert (facts["instance_type"], facts["instance_type_source"]) == ("c5.18xlarge", "dmi")


def test_json_on_standard_output_is_all_that_is_there(cnnbench: Command) -> None:
    done = cnnbench("run", "mine.toml", "--json", "-")
    assert json.loads(done.out)["schema"] == 1


def test_flags_that_are_repeated_make_a_product_without_twins(cnnbench: Command) -> None:
    twice = ["--data-format", "channels_last", "--data-format", "channels_first"] * 2
    done = cnnbench("run", "mine.toml", *twice, "--device", "gpu", "--json", "-")
    found = [result["case"]["data_format"] for result in json.loads(done.out)["results"]]
    assert found == ["channels_last", "channels_first"]


def test_a_run_whose_cases_are_all_failed_or_unsupported_exits_with_1(
    cnnbench: Command, folder: Path
) -> None:
    (folder / "broken.py").write_text("def build(keras, shape, classes): raise ValueError('no')")
    flags = ["--model", "broken.py", "--device", "cpu", "--device", "gpu"]
    done = cnnbench("run", "mine.toml", *flags)
    assert done.status == 1
    assert "failed: build: ValueError: no" in done.out
    assert "unsupported: stack null computes on cpu, not gpu" in done.out


def test_data_that_is_absent_is_a_row_that_names_both_remedies(
    cnnbench: Command, folder: Path
) -> None:
    (folder / "empty").mkdir()
    done = cnnbench("run", "mine.toml", "--dataset", "cifar10", "--data-dir", "empty")
    assert done.status == 1
    assert "--data-dir DIR" in done.out
    assert "cnnbench data get cifar10" in done.out


def test_a_store_that_is_only_read_is_never_made(cnnbench: Command, folder: Path) -> None:
    cnnbench("show")
    assert not (folder / "runs.sqlite").exists()


def test_until_measures_the_time_to_an_accuracy_and_tells_it(
    cnnbench: Command, folder: Path
) -> None:
    flags = ("--launches", "3", "--until", "accuracy=0.5", "--no-verify")
    done = cnnbench("run", "mine.toml", *flags, "--json", folder / "out.json")
    assert done.status == 0
    assert "Time (s)" in done.out
    assert "50 %" in done.out
    (result,) = json.loads((folder / "out.json").read_text())["results"]
    took = result["metrics"]["time_to_accuracy"]
    assert took["n"] == 3
    assert took["low"] < took["point"] < took["high"]
    assert result["case"]["until"] == 0.5
    again = cnnbench("show", "--all")
    assert "Time (s)" in again.out


def test_a_goal_that_is_out_of_reach_is_told_with_the_best(cnnbench: Command) -> None:
    done = cnnbench("run", "mine.toml", "--until", "accuracy=0.99", "--no-verify")
    assert "not reached" in done.out
    assert "the best accuracy was" in done.out


@pytest.mark.parametrize("until", ["0.6", "accuracy=60", "accuracy=", "loss=0.1", "accuracy=nan"])
def test_a_goal_that_is_none_is_one_line(cnnbench: Command, until: str) -> None:
    done = cnnbench("run", "mine.toml", "--until", until)
    assert done.status == 2
    assert "accuracy=0.6" in done.line


def test_a_data_set_without_held_out_images_has_no_accuracy(cnnbench: Command) -> None:
    done = cnnbench(
        *("run", "mine.toml", "--model", "resnet50", "--dataset", "synthetic-256"),
        *("--until", "accuracy=0.5"),
    )
    assert done.status == 1
    assert "has no images that are held out" in done.out
