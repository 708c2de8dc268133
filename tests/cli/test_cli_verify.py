"""`cnnbench verify`, as far as it goes without a framework."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.schemas import check

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Command

NULL = ("verify", "--stack", "null")


def test_what_cannot_be_compared_is_unverified_with_its_reason_and_status_3(
    cnnbench: Command,
) -> None:
    done = cnnbench(*NULL)
    assert done.status == 3
    assert "unverified" in done.out
    assert "null trains nothing" in done.out


def test_json_has_the_subject_and_the_outcome(cnnbench: Command, folder: Path) -> None:
    cnnbench(*NULL, "--data-format", "channels_first", "--json", folder / "out.json")
    told = json.loads((folder / "out.json").read_text())
    check("verify", told)
    assert told["schema"] == 1
    (proof,) = told["proofs"]
    assert proof["outcome"] == "unverified"
    assert proof["subject"]["data_format"] == "channels_first"
    assert proof["subject"]["stack"] == "null"


def test_cases_of_one_subject_are_proven_once(cnnbench: Command) -> None:
    done = cnnbench(*NULL, "--method", "fit", "--method", "fit_generator", "--json")
    assert len(json.loads(done.out)["proofs"]) == 2


def test_a_stack_that_does_not_exist_is_one_line(cnnbench: Command) -> None:
    done = cnnbench("verify", "--stack", "keras3-tensorflo")
    assert done.status == 2
    assert "did you mean keras3-tensorflow" in done.line


def test_a_suite_of_real_images_needs_none(cnnbench: Command, folder: Path) -> None:
    suite = folder / "mine.toml"
    suite.write_text('about = "x"\n[axes]\nstack = ["null"]\ndataset = ["cifar10"]\n')
    done = cnnbench("verify", suite)
    assert done.status == 3
    assert "null trains nothing" in done.out


def test_a_speed_of_the_null_stack_is_unverified(cnnbench: Command) -> None:
    done = cnnbench("run", "mine.toml", "--json", "-")
    (result,) = json.loads(done.out)["results"]
    assert "unverified" in result["labels"]
    assert result["facts"]["proof_reason"] == "null trains nothing"
