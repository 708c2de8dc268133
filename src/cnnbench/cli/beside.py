"""What was measured beside what was published: Markdown, or on a terminal a block for each row."""

from __future__ import annotations

import sys
from itertools import groupby
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cnnbench import published
from cnnbench.report import published as report
from cnnbench.report.reference import own_flags
from cnnbench.report.table import INTERVAL, instance, interval, notes, number, reasons

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from cnnbench.published import Row
    from cnnbench.report.published import Pair
    from cnnbench.result import Result


def print_beside(
    results: Sequence[Result],
    rows: Sequence[Row] | None = None,
    stacks: Collection[str] = (),
) -> None:
    """Print the published rows and what was measured of each; arguments as `side_by_side` has."""
    if not sys.stdout.isatty():
        typer.echo(report.markdown(results, rows, stacks))
        return
    console = Console(highlight=False)
    pairs = report.side_by_side(results, rows, stacks)
    for section in published.sections():
        if own := [pair for pair in pairs if pair.row.section == section.name]:
            console.print(f"{section.title}\n", style="bold")
            console.print(_table(own))
            console.print()
    if said := reasons(report.measured(pairs)).strip():
        typer.echo(f"{said}\n")
    if lines := report.not_published(results):
        console.print("Not published\n", style="bold")
        typer.echo("".join(f"- {line}\n" for line in lines))
    typer.echo("What the flags mean: cnnbench reference")


def _table(pairs: Sequence[Pair]) -> Table:
    machines = {instance(pair.result.machine) for pair in pairs if pair.result}
    flags = own_flags(list(dict.fromkeys(pair.row for pair in pairs)))
    table = Table(box=None, pad_edge=False, show_edge=False)
    for heading in ("", "images/s", INTERVAL, "Ratio"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=bool(heading))
    for row, group in groupby(pairs, key=lambda pair: pair.row):
        table.add_row(_published(row, flags[row.id]), str(row.images_per_second), "published", "")
        for pair in (pair for pair in group if pair.is_telling):
            table.add_row(*_cells(pair, several=len(machines) > 1))
        table.add_row()
    table.caption = f"Here: {machines.pop()}" if len(machines) == 1 else None
    table.caption_justify = "left"
    return table


def _published(row: Row, flags: str) -> Text:
    gpus = f"{row.gpus} GPU{'s' * (row.gpus != 1)}"
    said = (
        f"{row.id}: {row.instance_type}, {gpus}, {row.model}, {row.method}, {row.backend} "
        f"({row.package}), batch {row.batch_size}, {row.data_format}"
    )
    return Text.assemble(said, (f"\n{flags}" if flags else "", "dim"))


def _cells(pair: Pair, *, several: bool) -> tuple[str | Text, ...]:
    if pair.result is None:
        return Text(f"  {pair.stack}"), pair.speed, "", ""
    said = [instance(pair.result.machine)] if several else []
    said += [notes(pair.result)] if notes(pair.result) else []
    ratio = "" if pair.ratio is None else number(pair.ratio)
    where = Text("\n    ".join([f"  {pair.stack}", *said]))
    return where, pair.speed, interval(pair.result.images_per_second), ratio
