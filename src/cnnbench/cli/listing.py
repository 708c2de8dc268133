"""`cnnbench list`: what there is to choose from."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cnnbench import catalog, suite
from cnnbench.cli import output
from cnnbench.cli.stacks import described
from cnnbench.errors import unknown

PLUGINS = ("backends", "models", "datasets", "methods", "loaders", "recipes", "metrics")
KINDS = ("stacks", *PLUGINS, "suites")


def list_names(
    kind: Annotated[str, typer.Argument(metavar="KIND", help=", ".join(KINDS))],
    json: Annotated[bool, typer.Option("--json", help="As an array of objects.")] = False,
) -> None:
    """List stacks, backends, models, datasets, methods, loaders, recipes, suites or metrics."""
    if kind not in KINDS:
        raise unknown("kind", kind, KINDS)
    found = _entries(kind)
    if json:
        output.print_json(found)
        return
    width = max(len(entry["name"]) for entry in found)
    for entry in found:
        missing = f"\n{'':{width}}  not here: {entry['reason']}" if entry.get("reason") else ""
        typer.echo(f"{entry['name']:{width}}  {entry['about']}{missing}")


def _entries(kind: str) -> list[dict[str, Any]]:
    if kind == "stacks":
        return described()
    if kind == "suites":
        return [{"name": name, "about": suite.read(name)[1].about} for name in suite.names()]
    found = [{"name": entry.name, "about": entry.about} for entry in catalog.entries(kind)]
    if kind == "recipes":
        for entry in found:
            recipe = catalog.module(kind, entry["name"])
            entry |= {"changes": recipe.CHANGES, "source": recipe.SOURCE}
    return found
