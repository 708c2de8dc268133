"""`cnnbench diagnose`, as far as it goes without a framework."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cnnbench.forecast import macs
from tests.blank import LAUNCH
from tests.report.test_page import sections
from tests.schemas import check

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Command

DIAGNOSE = ("diagnose", "--stack", "null", "--blocks", "2")


def test_the_parts_of_a_step_are_the_whole_of_it(cnnbench: Command, folder: Path) -> None:
    done = cnnbench(*DIAGNOSE, "--json", folder / "out.json")
    assert done.status == 0
    told = json.loads((folder / "out.json").read_text())
    check("diagnose", told)
    assert told["schema"] == 1
    assert told["blocks"] == 2
    names = [part["name"] for part in told["parts"]]
    assert names == ["input", "loop", "waiting", "transfer", "each step", "compute"]
    assert sum(part["share"]["point"] for part in told["parts"]) == pytest.approx(1.0)
    assert told["flop_per_image"] == 6 * (macs(LAUNCH.case) or 0)
    assert {one["name"] for one in told["effects"]} >= {"half the CPUs"}
    assert "| Part of a step " in done.out
    assert "the parts are 100.0% of the step" in done.out
    cnnbench("report", "--output", folder / "page")
    assert "diagnoses" in sections((folder / "page" / "index.html").read_text())


def test_an_experiment_is_no_result_of_a_case(cnnbench: Command) -> None:
    cnnbench(*DIAGNOSE)
    assert "Nothing was measured yet" in cnnbench("show").out


def test_one_case_is_taken_apart_at_a_time(cnnbench: Command) -> None:
    done = cnnbench(*DIAGNOSE, "--model", "simple_cnn", "--model", "resnet20_cifar")
    assert done.status == 2
    assert "one case at a time" in done.line


def test_a_case_that_cannot_run_is_told_and_ends_with_1(cnnbench: Command) -> None:
    done = cnnbench(*DIAGNOSE, "--device", "gpu")
    assert done.status == 1
    assert "stack null computes on cpu, not gpu" in done.out


def test_loaders_are_of_methods_that_read(cnnbench: Command) -> None:
    done = cnnbench(*DIAGNOSE, "--method", "fit", "--loader", "threads")
    assert done.status == 1
    assert "fit has its images in memory" in done.out


def test_the_loaders_are_listed(cnnbench: Command) -> None:
    found = {one["name"] for one in json.loads(cnnbench("list", "loaders", "--json").out)}
    assert found == {"keras", "threads", "turbo", "torch_dataloader", "tf_data"}


def test_a_loader_that_does_not_exist_is_one_line(cnnbench: Command) -> None:
    done = cnnbench(*DIAGNOSE, "--method", "fit_generator", "--loader", "turbot")
    assert done.status == 2
    assert "unknown loader 'turbot'; did you mean turbo" in done.line
