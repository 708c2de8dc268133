"""`cnnbench show --from`: results without a store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cnnbench.store import exchange
from cnnbench.store.database import Store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Command


@pytest.fixture
def results(folder: Path, cnnbench: Command) -> Path:
    """A folder with a file of the launch that a store has too."""
    assert cnnbench("run", "mine.toml").status == 0
    with Store.open(folder / "runs.sqlite", read_only=True) as store:
        known = exchange.everything(store)
    exchange.write(folder / "results" / "mine.jsonl", known)
    return folder / "results"


@pytest.mark.parametrize("name", [".", "mine.jsonl"])
def test_a_file_or_a_folder_of_launches_shows_what_the_store_shows(
    results: Path, cnnbench: Command, name: str
) -> None:
    from_file = json.loads(cnnbench("show", "--from", results / name, "--json", "-").out)
    assert from_file == json.loads(cnnbench("show", "--json", "-").out)
    assert from_file["results"][0]["images_per_second"]["n"] == 1


def test_a_file_of_another_schema_is_told_in_one_line(folder: Path, cnnbench: Command) -> None:
    (folder / "other.jsonl").write_text('{"cnnbench": "launches", "schema": 99}\n')
    done = cnnbench("show", "--from", folder / "other.jsonl")
    assert done.status == 2
    assert "has schema 99, this cnnbench reads 1" in done.line


def test_a_folder_without_launches_is_told(folder: Path, cnnbench: Command) -> None:
    (folder / "empty").mkdir()
    done = cnnbench("show", "--from", folder / "empty")
    assert done.status == 2
    assert "no file of launches (*.jsonl) is in" in done.line
