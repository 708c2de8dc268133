"""`cnnbench data`: where data sets stand, and how to get one."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cnnbench import data
from cnnbench.cli import flags, output

app = typer.Typer(no_args_is_help=True, help="Find and download data sets.")


@app.command("list")
def list_data(
    data_dir: flags.DataDir = None,
    json: Annotated[bool, typer.Option("--json", help="As an array of objects.")] = False,
) -> None:
    """Say which data sets are here, and where the others belong."""
    found = data.status(data_dir)
    if json:
        output.print_json(
            [
                {
                    "name": one.name,
                    "path": str(one.path) if one.path else None,
                    "reason": one.reason,
                }
                for one in found
            ]
        )
        return
    width = max(len(one.name) for one in found)
    for one in found:
        typer.echo(f"{one.name:{width}}  {one.reason or one.path or 'made by cnnbench'}")


@app.command()
def get(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="cifar10")],
    data_dir: flags.DataDir = None,
) -> None:
    """Download a data set and check it."""
    for name in names:
        path = data.get(name, data_dir, progress=sys.stderr.isatty())
        typer.echo(f"{name}: {path}")
