"""`cnnbench show --from`: results without a store."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.text import Text

from cnnbench.store import exchange
from cnnbench.store.database import Store

if TYPE_CHECKING:
    from tests.cli.conftest import Command

ROOT = Path(__file__).parents[2]


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


def test_a_terminal_of_80_columns_shows_each_result_with_stack_and_speed_in_one_line(
    cnnbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = cnnbench("show", "--from", ROOT / "results", "--stack", "keras2.1.5-tensorflow1.7.0")
    wanted = [line.split("|") for line in table.out.splitlines() if "| keras2.1.5" in line]
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda _: True)
    text = Text.from_ansi(cnnbench("show", "--from", ROOT / "results").out).plain
    shown = [line.split() for line in text.splitlines() if "keras2.1.5-tensorflow1.7.0 " in line]
    assert {row[-3].strip() for row in wanted} <= {word for line in shown for word in line}
    tables = [line for line in text.splitlines() if not line.startswith("- ")]
    assert max(map(len, tables)) <= 80
