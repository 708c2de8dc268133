"""Results on standard output: Markdown where a program or file reads, fitted to a terminal."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table

from cnnbench.errors import UsageError
from cnnbench.report import scaling
from cnnbench.report.table import markdown, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnbench.result import Result


def print_table(results: Sequence[Result]) -> None:
    """Print the table; a terminal too narrow for it gets what is equal in all rows as a caption."""
    text = markdown(results)
    console = Console()
    width = max(len(line) for line in text.splitlines()[:2])
    if not sys.stdout.isatty() or width <= console.width:
        typer.echo(text)
        return
    _print_fitted(results, console)
    typer.echo("".join(text.partition("\n\n")[1:]).strip("\n"))


def print_scaling(results: Sequence[Result]) -> None:
    """Print how well several devices scale, if any of these results tells it."""
    if text := scaling.markdown(results):
        typer.echo(f"\n{text}")


def print_json(value: Any) -> None:
    """Print JSON."""
    typer.echo(json.dumps(value, indent=2, allow_nan=False))


def check_target(target: str) -> None:
    """Raise UsageError if `write_json` could not write there: known before anything is measured."""
    path = Path(target)
    if target == "-":
        return
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(f"cannot write {target}: give --json a file in a folder that exists")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"cannot write {target}: no permission; give --json another file")


def write_json(value: Any, target: str) -> None:
    """Write JSON to a file, or to standard output for `-`.

    Raises:
        UsageError: The file cannot be written.
    """
    if target == "-":
        print_json(value)
        return
    try:
        Path(target).write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", "utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}") from None


def _print_fitted(results: Sequence[Result], console: Console) -> None:
    found = rows(results)
    columns = list(found[0])
    common = [c for c in columns[:-2] if len(found) > 1 and len({row[c] for row in found}) == 1]
    table = Table(caption_justify="left", pad_edge=False)
    for column in columns:
        if column not in common:
            table.add_column(column, overflow="fold", justify=_side(column))
    for row in found:
        table.add_row(*(row[column] for column in columns if column not in common))
    console.print(table, markup=False)
    if common:
        console.print("All rows: " + ", ".join(f"{c} {found[0][c]}" for c in common), markup=False)


def _side(column: str) -> Any:
    return "right" if column.startswith(("Speed", "Batch", "GPU")) else "left"
