"""What the pages of the documentation hold: commands, and indented blocks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def _commands(page: Path) -> Iterator[str]:
    """The commands of a page: those of its code, and those within its sentences."""
    text = re.sub(r" \\\n\s*", " ", page.read_text("utf-8"))
    for line in re.findall(r"^ +(cnnbench .*)$", text, re.MULTILINE):
        yield from _alternatives(re.split(r"\s{2,}| \|\| ", line)[0])
    for line in re.findall(r"`(cnnbench [a-z][^`]*)`", " ".join(text.split())):
        yield from _alternatives(line.partition(" ... ")[0])


def _alternatives(line: str) -> Iterator[str]:
    """A command for each of `a|b|c`."""
    found = re.search(r"\S+\|\S+", line)
    if found is None:
        yield line
        return
    for one in found[0].split("|"):
        yield line.replace(found[0], one)


COMMANDS = sorted({command for page in PAGES for command in _commands(page)})


def block(page: str, begins: str) -> str:
    """The indented block of a page of docs/ that begins so, without its indentation."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    ((indent, found),) = re.findall(
        rf"^( {{4,}})({re.escape(begins)}.*\n(?:(?:\1.*)?\n)*)", text, re.MULTILINE
    )
    return re.sub(f"^{indent}", "", found, flags=re.MULTILINE)
