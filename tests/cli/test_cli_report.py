"""`cnnbench report` and `serve`: a page of what was measured."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.report.test_page import payload

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Command, Start


@pytest.fixture
def measured(folder: Path, cnnbench: Command) -> Path:
    """A folder whose store has a launch."""
    assert cnnbench("run", "mine.toml").status == 0
    return folder


def test_a_report_is_one_page_that_has_what_show_has(measured: Path, cnnbench: Command) -> None:
    done = cnnbench("report", "--output", measured / "page")
    assert done.out.strip() == str(measured / "page" / "index.html")
    assert [path.name for path in (measured / "page").iterdir()] == ["index.html"]
    told = payload((measured / "page" / "index.html").read_text())
    (shown,) = json.loads(cnnbench("show", "--json", "-").out)["results"]
    assert told["launches"]["columns"]["id"] == shown["launches"]


def test_a_report_is_made_anew_but_a_page_of_the_users_is_not_written_over(
    measured: Path, cnnbench: Command
) -> None:
    assert cnnbench("report", "--output", measured / "page").status == 0
    assert cnnbench("report", "--output", measured / "page").status == 0
    (measured / "page" / "index.html").write_text("<h1>mine</h1>")
    done = cnnbench("report", "--output", measured / "page")
    assert done.status == 2
    assert "is not of cnnbench's making" in done.line
    assert (measured / "page" / "index.html").read_text() == "<h1>mine</h1>"


def test_a_folder_that_cannot_be_is_one_line(measured: Path, cnnbench: Command) -> None:
    (measured / "file").write_text("")
    assert "is a file" in cnnbench("report", "--output", measured / "file").line
    assert "cannot make" in cnnbench("report", "--output", measured / "no" / "such").line


def test_a_store_without_launches_is_one_line(folder: Path, cnnbench: Command) -> None:
    done = cnnbench("report", "--output", folder / "page")
    assert done.status == 2
    assert "cnnbench run" in done.line


def asked(address: str, host: str | None = None) -> str:
    headers = {"Host": host} if host else {}
    request = urllib.request.Request(address, headers=headers)  # noqa: S310  ours
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return str(answer.read().decode())


def test_a_served_page_grows_with_its_store_and_answers_this_machine_alone(
    measured: Path, cnnbench: Command, start: Start
) -> None:
    serving = start("serve", "--port", "0")
    assert serving.stdout is not None
    found = re.search(r"http://127\.0\.0\.1:\d+/", serving.stdout.readline())
    assert found is not None
    address = found[0]
    first, stamp = asked(address), asked(f"{address}stamp")
    assert f'data-live="{stamp}"' in first
    assert cnnbench("run", "mine.toml").status == 0
    assert asked(f"{address}stamp") != stamp
    assert "2 launches" in asked(address)
    assert "2 launches" not in first
    with pytest.raises(urllib.error.HTTPError, match="403"):
        asked(address, host="evil.example:80")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        asked(f"{address}nothing")
    assert measured.exists()
