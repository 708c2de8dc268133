"""Writing what was measured into pages: between two markers, everything else left as it is."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README, PROTOCOL = ROOT / "README.md", ROOT / "docs" / "protocol.md"


def heading(command: str, title: str) -> list[str]:
    """The lines that a page begins with which a benchmark makes whole."""
    made = f"<!-- Made by `python benchmarks/{command} --write`; do not edit. -->"
    return [made, "", f"# {title}", ""]


def between(name: str, made: str, text: str) -> str:
    """The text with what stands between `<!-- name -->` and `<!-- /name -->` replaced."""
    marked = re.compile(f"(<!-- {name} -->\n).*(<!-- /{name} -->)", re.DOTALL)
    return marked.sub(lambda match: f"{match[1]}\n{made}\n\n{match[2]}", text)


def write(page: Path, name: str, made: str) -> None:
    """Put a part into a page."""
    page.write_text(between(name, made.strip(), page.read_text("utf-8")), "utf-8")
