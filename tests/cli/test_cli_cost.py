"""`cnnbench cost`: what a job takes, by what was measured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.schemas import check

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Command


@pytest.fixture
def measured(folder: Path, cnnbench: Command) -> Path:
    """A folder whose store has a launch on a machine with a name."""
    assert cnnbench("run", "mine.toml", "--instance-type", "big.one").status == 0
    (folder / "prices.toml").write_text('currency = "EUR"\n[per_hour]\n"big.one" = 3600\n')
    return folder


def test_a_job_has_its_time_and_its_price(measured: Path, cnnbench: Command) -> None:
    command = ("cost", "--images", "1000000", "--epochs", "3", "--prices", measured / "prices.toml")
    told = json.loads(cnnbench(*command, "--json", "-").out)
    check("cost", told)
    (bill,) = told["bills"]
    assert told["job"] == {"images": 1000000, "epochs": 3.0, "validation": 0}
    assert bill["instance"] == "big.one"
    assert bill["money"]["point"] == pytest.approx(bill["seconds"]["point"])
    assert bill["may_be_best"]
    out = cnnbench(*command).out
    assert "Cost (EUR)" in out
    assert "big.one" in out


def test_without_prices_there_is_the_time_alone(measured: Path, cnnbench: Command) -> None:
    out = cnnbench("cost", "--images", "1000").out
    assert "Time (" in out
    assert "Cost" not in out
    assert measured.exists()


def test_a_machine_that_has_no_price_is_named(measured: Path, cnnbench: Command) -> None:
    (measured / "prices.toml").write_text('currency = "EUR"\n[per_hour]\nother = 1\n')
    done = cnnbench("cost", "--images", "1000", "--prices", measured / "prices.toml")
    assert done.status == 2
    assert "has no price for any machine here; they are: big.one" in done.line


def test_a_job_is_of_one_model(measured: Path, cnnbench: Command) -> None:
    cnnbench("run", "mine.toml", "--model", "resnet20_cifar")
    done = cnnbench("cost", "--images", "1000")
    assert done.status == 2
    assert "a job is of one model: give --model, one of" in done.line
    assert measured.exists()


def test_what_has_no_speed_is_told(measured: Path, cnnbench: Command) -> None:
    done = cnnbench("cost", "--images", "1000", "--stack", "keras3-jax")
    assert done.status == 2
    assert "nothing like that has a speed" in done.line
    assert measured.exists()
