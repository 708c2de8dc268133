"""What of the documentation is made from the code: the reference of commands, names and JSON."""

from __future__ import annotations

import json
from typing import Any

from typer.main import get_command

from cnnbench import catalog
from cnnbench.cli import app
from cnnbench.report.schema import DOCUMENTS, schema

KINDS = ("backends", "models", "datasets", "methods", "loaders", "recipes", "metrics")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The page, with what is made in the places that it marks."""
    for mark, make in MADE.items():
        if (place := f"<!-- {mark} -->") in markdown:
            markdown = markdown.replace(place, make())
    return markdown


def commands() -> str:
    """Every command with its options, as its own help has them."""
    return "\n\n".join(_command(name, one) for name, one in sorted(_commands(get_command(app))))


def names() -> str:
    """Every name that flags take, with its line."""
    parts = []
    for kind in KINDS:
        rows = [f"| `{one.name}` | {_cell(one.about)} |" for one in catalog.entries(kind)]
        parts.append("\n".join([f"### {kind}", "", "| name | what it is |", "|---|---|", *rows]))
    return "\n\n".join(parts)


def documents() -> str:
    """The JSON Schema of every document."""
    return "\n\n".join(
        f"### {name}\n\n```json\n{json.dumps(schema(name), indent=2)}\n```" for name in DOCUMENTS
    )


MADE = {"commands": commands, "names": names, "documents": documents}


def _commands(group: Any, before: str = "cnnbench") -> list[tuple[str, Any]]:
    """The commands of a group, those of its groups among them."""
    found = []
    for name, one in group.commands.items():
        path = f"{before} {name}"
        found += _commands(one, path) if hasattr(one, "commands") else [(path, one)]
    return found


def _command(name: str, command: Any) -> str:
    rows = [
        f"| {_spelled(one)} | {_cell(getattr(one, 'help', '') or '')} | {_default(one)} |"
        for one in command.params
        if not getattr(one, "hidden", False) and one.name != "help"
    ]
    table = ["| option | what it does | without it |", "|---|---|---|", *rows] if rows else []
    about = "\n".join(line.strip() for line in (command.help or "").splitlines())
    return "\n".join([f"### {name}", "", about, "", *table])


def _spelled(option: Any) -> str:
    names = [*option.opts, *option.secondary_opts]
    if not names[0].startswith("-"):
        return f"`{option.metavar or option.name.upper()}`"
    return ", ".join(f"`{name}`" for name in names)


def _default(option: Any) -> str:
    value = option.default
    if value is None or callable(value) or value in ("", (), []) or value is False:
        return ""
    return f"`{value}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
