"""`cnnbench bisect` on the null stack: commits of a model, one of which makes it slower."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.schemas import check
from tests.test_revisions import git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Command

MODEL = """
from probe.models import simple_cnn

compile = simple_cnn.compile


def build(keras, shape, classes):
    model = simple_cnn.build(keras, shape, classes)
    step = model._step
    model._step = lambda images: step(images * {times})
    return model
"""
LINE = ("--stack", "null", "--model", "net.py", "--method", "train_on_batch", "--budget", "quick")


@pytest.fixture
def repository(folder: Path) -> Path:
    """Six commits: the third makes steps twice as long, the next lack the model, and break it."""
    git(folder, "init")
    texts = [MODEL.format(times=1), MODEL.format(times=1) + "\n# tidier", MODEL.format(times=2)]
    texts += ["raise ValueError('broken')", MODEL.format(times=2) + "\n# again"]
    for number, text in enumerate(texts):
        (folder / "net.py").write_text(text)
        git(folder, "add", "net.py")
        git(folder, "commit", "-m", f"change {number}")
        if number == 2:
            git(folder, "mv", "net.py", "gone.py")
            git(folder, "commit", "-m", "lost for a moment")
            git(folder, "mv", "gone.py", "net.py")
    git(folder, "tag", "first", "HEAD~5")
    return folder


def test_the_commit_that_made_it_slower_is_named_with_its_subject(
    repository: Path, cnnbench: Command
) -> None:
    done = cnnbench("bisect", *LINE, "--revisions", "first..HEAD", "--json", "found.json")
    assert done.status == 0, done.err
    culprit = git(repository, "rev-parse", "HEAD~3")[:8]
    assert done.out.splitlines()[-1].startswith(f"slower since {culprit} change 2; ")
    told = json.loads((repository / "found.json").read_text())
    check("bisect", told)
    assert told["answer"]["word"] == "found"
    assert told["answer"]["after"] == f"{culprit} change 2"
    assert len(told["candidates"]) == 6


def test_a_search_that_is_given_again_measures_nothing_again(
    repository: Path, cnnbench: Command
) -> None:
    first = cnnbench("bisect", *LINE, "--revisions", "first..HEAD~3")
    again = cnnbench("bisect", *LINE, "--revisions", "first..HEAD~3")
    assert first.out == again.out
    assert "launch" in first.err
    assert "launch" not in again.err
    assert repository


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), "say what to search: --stack keras3-jax@0.8..0.10, or --revisions A..B of --model"),
        (("--stack", "null", "--revisions", "a..b"), "--revisions needs one --stack, and --model"),
        (("--stack", "null@1..2"), "stack null installs nothing: it has no versions"),
        (("--stack", "keras3-jax@0.8..0.8"), "a range is of versions that differ in their last"),
        ((*LINE, "--revisions", "first"), "'first' is no span of revisions; give it as v1.0..main"),
        ((*LINE, "--revisions", "nowhere..HEAD"), "there is no revision nowhere"),
        ((*LINE, "--revisions", "HEAD..HEAD"), "nothing beside net.py changed in HEAD..HEAD"),
    ],
)
def test_what_cannot_be_searched_is_told_in_one_line(
    words: tuple[str, ...], line: str, repository: Path, cnnbench: Command
) -> None:
    done = cnnbench("bisect", *words)
    assert done.status == 2
    assert line in done.err.splitlines()[-1]
    assert repository
