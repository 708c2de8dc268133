"""`cnnbench compare`, and `show` of what was compared."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.report.test_page import sections
from tests.schemas import check

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Command

AA = ("compare", "--stack", "null", "--arm", "name=a", "--arm", "name=b")
QUICK = ("--blocks", "3", "--margin", "0.9", "--budget", "quick")  # beyond all noise of null


def test_an_arm_against_itself_ends_with_its_verdict_and_status_0(cnnbench: Command) -> None:
    done = cnnbench(*AA, *QUICK)
    assert done.status == 0
    assert "equivalent" in done.out
    assert "pilot: every arm runs" in done.err


def test_json_has_ratios_verdicts_and_arms(cnnbench: Command, folder: Path) -> None:
    cnnbench(*AA, *QUICK, "--json", folder / "found.json")
    found = json.loads((folder / "found.json").read_text())
    check("compare", found)
    assert found["schema"] == 1
    (one,) = found["comparisons"]
    assert (one["baseline"], one["candidate"], one["verdict"]) == ("a", "b", "equivalent")
    assert set(one["ratio"]) == {"point", "low", "high", "confidence", "n"}
    assert one["ratio"]["n"] == found["blocks"] == 3
    assert [arm["name"] for arm in found["arms"]] == ["a", "b"]
    assert found["arms"][0]["images_per_second"]["point"] > 0
    cnnbench("report", "--output", folder / "page")
    assert "comparisons" in sections((folder / "page" / "index.html").read_text())


def test_json_alone_is_standard_output(cnnbench: Command) -> None:
    done = cnnbench(*AA, *QUICK, "--json")
    assert json.loads(done.out)["blocks"] == 3


def test_what_stays_undecided_ends_with_status_3_and_says_what_it_would_take(
    cnnbench: Command,
) -> None:
    done = cnnbench(*AA, "--blocks", "2", "--margin", "0.0001", "--budget", "quick")
    assert done.status == 3
    assert "inconclusive" in done.out
    assert "more blocks would decide" in done.out


def test_an_arm_that_cannot_run_ends_with_status_1_and_its_reason(cnnbench: Command) -> None:
    done = cnnbench(*AA[:3], "--arm", "name=a", "--arm", "device=gpu", *QUICK)
    assert done.status == 1
    assert "computes on cpu, not gpu" in done.out


def test_several_arms_are_compared_with_the_first_and_the_best_are_named(
    cnnbench: Command,
) -> None:
    done = cnnbench(*AA, "--arm", "name=c", *QUICK)
    assert done.out.count("equivalent") == 2
    assert "may be the fastest: a, b, c" in done.out


def test_show_prints_the_last_comparison_and_comparisons_all_of_them(cnnbench: Command) -> None:
    cnnbench(*AA, *QUICK)
    first = cnnbench("show").out
    assert "| a " in first
    cnnbench("compare", "--stack", "null", "--arm", "name=x", "--arm", "name=y", *QUICK)
    assert "| x " in cnnbench("show").out
    both = cnnbench("show", "--comparisons")
    assert "| a " in both.out
    assert "| x " in both.out
    listed = json.loads(cnnbench("show", "--comparisons", "--json").out)
    assert [found["comparisons"][0]["candidate"] for found in listed] == ["b", "y"]


def test_show_without_a_comparison_says_how_to_make_one(cnnbench: Command) -> None:
    cnnbench("run", "mine.toml")
    done = cnnbench("show", "--comparisons")
    assert done.status == 2
    assert "cnnbench compare" in done.line


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--arm", "stack=null"), "two arms"),
        ((*AA[1:], "--batch-size", "8", "--batch-size", "16"), "say them in --arm"),
        ((*AA[1:], "--budget", "fast"), "unknown budget"),
        ((*AA[1:], "--margin", "0"), "--margin"),
        ((*AA[1:], "--blocks", "1"), "--blocks"),
        ((*AA[1:], "--json", "nowhere/x.json"), "folder that exists"),
    ],
)
def test_a_wrong_command_is_told_in_one_line_before_anything_runs(
    cnnbench: Command, arguments: tuple[str, ...], says: str
) -> None:
    done = cnnbench("compare", *arguments)
    assert done.status == 2
    assert says in done.line
