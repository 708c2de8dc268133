"""`cnnbench tune` and `exec`, as far as they go without a framework."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.report.test_page import sections
from tests.schemas import check

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Command

TUNE = ("tune", "--stack", "null", "--minutes", "5")


def test_an_answer_has_its_races_and_what_may_be_the_best(cnnbench: Command, folder: Path) -> None:
    done = cnnbench(*TUNE, "--recipe", "keep_memory", "--json", folder / "out.json")
    assert done.status in (0, 3)
    told = json.loads((folder / "out.json").read_text())
    check("tune", told)
    assert told["schema"] == 1
    assert told["objective"] == "throughput"
    assert told["present"]["name"] == "null channels_last float32 batch 32 none"
    assert [race["name"] for race in told["races"]][:3] == ["bases", "recipes", "together"]
    bases, singly, *_ = told["races"]
    assert len(bases["configurations"]) == 2
    names = {one["name"] for one in singly["configurations"]}
    assert "null channels_last float32 batch 32 keep_memory" in names or len(bases["stayed"]) == 1
    assert set(told["maybe_best"]) <= {
        one["name"] for race in told["races"] for one in race["configurations"]
    }
    cnnbench("report", "--output", folder / "page")
    assert "tuned" in sections((folder / "page" / "index.html").read_text())


def test_what_there_is_may_have_recipes(cnnbench: Command, folder: Path) -> None:
    cnnbench(*TUNE, "--recipe", "spin", "--present", "keep_memory", "--json", folder / "out.json")
    told = json.loads((folder / "out.json").read_text())
    assert told["present"]["recipes"] == ["keep_memory"]
    together = told["races"][2]["configurations"]
    assert told["present"] in together


def test_only_one_training_is_tuned_at_a_time(cnnbench: Command) -> None:
    done = cnnbench(*TUNE, "--model", "simple_cnn", "--model", "resnet20_cifar")
    assert done.status == 2
    assert "--model has several values" in done.line


def test_an_objective_that_does_not_exist_is_one_line(cnnbench: Command) -> None:
    done = cnnbench(*TUNE, "--objective", "beauty")
    assert done.status == 2
    assert "known: images-per-joule, memory, throughput, time-to-accuracy" in done.line


def test_a_list_of_recipes_says_what_each_may_change(cnnbench: Command) -> None:
    found = {one["name"]: one for one in json.loads(cnnbench("list", "recipes", "--json").out)}
    assert found["keep_memory"]["changes"] == "exact"
    assert found["fused_batch_norm"]["changes"] == "rounding"
    assert found["bfloat16_math"]["changes"] == "training"
    assert all(one["source"] for one in found.values())


def test_a_recipe_that_does_not_exist_is_one_line(cnnbench: Command) -> None:
    done = cnnbench(*TUNE, "--recipe", "jitt")
    assert done.status == 2
    assert "did you mean jit" in done.line


def test_a_file_of_the_users_is_not_written_over(cnnbench: Command, folder: Path) -> None:
    (folder / "train.py").write_text("print('mine')\n")
    done = cnnbench(*TUNE, "--output", folder / "train.py")
    assert done.status == 2
    assert "train.py is not of cnnbench's making" in done.line
    assert (folder / "train.py").read_text() == "print('mine')\n"


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "No such file"), ("print()\n", "was not made by cnnbench tune")],
)
def test_exec_wants_a_file_that_tune_made(
    cnnbench: Command, folder: Path, content: str | None, told: str
) -> None:
    if content is not None:
        (folder / "cnnbench_tuned.py").write_text(content)
    done = cnnbench("exec", "--tuned", folder / "cnnbench_tuned.py", "--", sys.executable, "-V")
    assert done.status == 2
    assert told in done.line
