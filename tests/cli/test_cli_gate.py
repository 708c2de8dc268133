"""`cnnbench gate`, from two git revisions to its exit status and files."""

from __future__ import annotations

import os
import subprocess
from itertools import islice
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from cnnbench.cli import gate
from cnnbench.cli.measuring import followed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cnnbench.events import Event
    from tests.cli.conftest import Command

NET = """
def build(keras, shape, classes):
    image = keras.layers.Input(shape=shape)
    x = keras.layers.Conv2D(4, (3, 3))(image)
    x = keras.layers.Flatten()(x)
    model = keras.models.Model(image, keras.layers.Dense(classes)(x))
    step = model._step
    model._step = lambda images: step(images * {cost})
    return model
"""
COMMON = ("gate", "--stack", "null", "--dataset", "synthetic-32", "--budget", "quick")
OURS = (*COMMON, "--model", "net.py")


@pytest.fixture(autouse=True)
def _no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


def git(folder: Path, *arguments: str) -> None:
    named = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    who = ["-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(
        ["git", "-C", folder, *who, *arguments],
        check=True,
        capture_output=True,
        env=os.environ | named,
    )


@pytest.fixture
def repository(folder: Path) -> Path:
    """The working folder, where the last commit makes `net.py` slower by 30 %."""
    git(folder, "init")
    for cost in (1.0, 1.3):
        (folder / "net.py").write_text(NET.format(cost=cost))
        git(folder, "add", "net.py")
        git(folder, "commit", "-m", str(cost))
    return folder


def interrupted(second: Callable[..., Any]) -> Callable[..., Any]:
    """Follows the first pass to its end, and is interrupted early in the second."""
    calls: list[str] = []

    def follow(happening: Iterator[Event]) -> Any:
        calls.append("pass")
        if len(calls) == 1:
            return second(happening)
        list(islice(happening, 4))
        return KeyboardInterrupt()

    return follow


def test_a_planted_slowdown_fails_and_an_interrupted_gate_goes_on_to_it(
    repository: Path, cnnbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = (*OURS, "--base", "rev=HEAD~1", "--head", "rev=HEAD", "--blocks", "4")
    files = ("--junit", "junit.xml", "--summary", "summary.md")
    with monkeypatch.context() as patched:
        patched.setattr(gate, "followed", interrupted(followed))
        broken_off = cnnbench(*command, *files)
    assert broken_off.status == 130
    assert "interrupted; the same command goes on from here" in broken_off.err
    assert not (repository / "junit.xml").exists()

    (repository / "summary.md").write_text("before\n")
    done = cnnbench(*command, *files)
    assert done.status == 1
    assert "going on after a first pass that was slower" in done.err
    assert done.out.splitlines()[-1].startswith("regression: slower in two passes: 0.7")
    root = ET.parse(repository / "junit.xml").getroot()  # noqa: S314  our own file
    assert [one.get("type") for one in root.iter("failure")] == ["regression"]
    summary = (repository / "summary.md").read_text()
    assert summary.startswith("before\n### ❌ cnnbench gate: regression")
    assert "--base rev=" in summary
    assert "HEAD~1 " not in summary.split("```sh")[1]  # by its commit


def test_a_against_a_is_no_regression(
    repository: Path, cnnbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(repository / "step.md"))
    arms = ("--base", "rev=HEAD", "--head", "rev=HEAD")
    done = cnnbench(*OURS, *arms, "--json", "out.json", "--margin", "0.1")
    assert done.status in (0, 3)
    assert done.out.splitlines()[-1].startswith(("passed: ", "undecided: "))
    assert (repository / "out.json").exists()
    assert "cnnbench gate: " in (repository / "step.md").read_text()


def test_an_arm_that_cannot_run_fails_with_its_reason(folder: Path, cnnbench: Command) -> None:
    (folder / "net.py").write_text(NET.format(cost=1.0))
    (folder / "broken.py").write_text("def build(keras, shape, classes): raise ValueError('no')")
    arms = ("--base", "model=net.py", "--head", "model=broken.py")
    done = cnnbench(*COMMON, *arms, "--junit", "junit.xml")
    assert done.status == 1
    assert done.out.splitlines()[-1] == "cannot run: head broken.py: build: ValueError: no"
    root = ET.parse(folder / "junit.xml").getroot()  # noqa: S314
    assert [one.get("type") for one in root.iter("failure")] == ["cannot run"]


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--base", "rev=nosuch", "--head", "rev=HEAD"], "there is no revision nosuch for net.py"),
        (["--base", "revv=HEAD", "--head", "rev=HEAD"], "unknown axis in arm 'revv=HEAD' 'revv'"),
        (["--base", "rev", "--head", "rev=HEAD"], "arm 'rev': 'rev' is not AXIS=VALUE"),
        (["--base", "stack=nul", "--head", "rev=HEAD"], "unknown stack 'nul'; did you mean null?"),
        (["--base", "rev=HEAD"], "Missing option '--head'"),
        (["--head", "rev=HEAD"], "Missing option '--base'"),
        (["--base", "rev=HEAD", "--head", "rev=HEAD", "--model", "a.py"], "in --base and --head"),
        (["--base", "rev=HEAD", "--head", "rev=HEAD", "--margin", "0"], "'--margin'"),
    ],
)
@pytest.mark.usefixtures("repository")
def test_a_wrong_gate_is_told_in_one_line(
    cnnbench: Command, folder: Path, flags: list[str], told: str
) -> None:
    done = cnnbench(*OURS, *flags)
    assert done.status == 2
    assert told in done.line
    assert not done.out
    assert not (folder / "runs.sqlite").exists()


@pytest.mark.parametrize("option", ["--junit", "--summary", "--json"])
@pytest.mark.parametrize(
    ("target", "told"), [("absent/x", "a file in a folder that exists"), (".", "a file in a")]
)
def test_a_file_that_cannot_be_written_is_told_before_measuring(
    cnnbench: Command, folder: Path, option: str, target: str, told: str
) -> None:
    done = cnnbench(*COMMON, "--base", "threads=1", "--head", "threads=2", option, target)
    assert done.status == 2
    assert f"cannot write {target}: give {option} {told}" in done.line
    assert not (folder / "runs.sqlite").exists()
