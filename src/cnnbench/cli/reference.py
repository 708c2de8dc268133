"""`cnnbench reference`: the published rows, with what is known to be wrong."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cnnbench import published
from cnnbench.cli import flags, output
from cnnbench.cli.fitted import print_fitted
from cnnbench.errors import UsageError, unknown
from cnnbench.report import reference as report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cnnbench.published import Flag, Row, Section

NUMBERS = ("GPU used", "Batch Size", "Speed (images/s)")
KEPT = ("Instance Type", "Instance", "Package", "Speed (images/s)")  # what a row is found by


def reference(  # noqa: PLR0917  one parameter a flag
    section: Annotated[
        list[str] | None, typer.Option("--section", help=", ".join(published.SECTIONS) + ".")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", help="As published, or as cnnbench calls it.")
    ] = None,
    backend: Annotated[
        list[str] | None, typer.Option("--backend", help="TensorFlow or MXNet.")
    ] = None,
    data_format: flags.Formats = None,
    method: flags.Methods = None,
    gpus: Annotated[list[int] | None, typer.Option("--gpus", help="GPUs used; 0: a CPU.")] = None,
    flag: Annotated[
        list[str] | None, typer.Option("--flag", help="Id of a flag, as the legend has it.")
    ] = None,
    json: flags.Json = None,
) -> None:
    """Print the published tables that cnnbench repeats, row by row, with what is wrong in them.

    They are the 40 rows of "Detailed CNN Benchmark Results" (2018).

    A flag that is repeated widens the choice, different ones narrow it.
    """
    chosen = {
        "section": section,
        "model": model,
        "backend": backend,
        "data format": data_format,
        "method": method,
        "number of GPUs": gpus,
        "flag": flag,
    }
    rows = _chosen({kind: values for kind, values in chosen.items() if values})
    if json:
        output.write_json([report.as_json(row) for row in rows], json)
    if json == "-":
        return
    if sys.stdout.isatty():
        _print(rows, Console(highlight=False))
    else:
        typer.echo(report.markdown(rows))


def _chosen(wanted: Mapping[str, Sequence[str | int]]) -> list[Row]:
    """The rows that have one of the wanted names of each kind."""
    found = list(published.rows())
    for kind, values in wanted.items():
        known = {name.lower(): name for row in published.rows() for name in _names(row)[kind]}
        for value in values:
            if str(value).lower() not in known:
                raise unknown(kind, str(value), known.values())
        lower = {str(value).lower() for value in values}
        found = [row for row in found if lower & {name.lower() for name in _names(row)[kind]}]
    if not found:
        raise UsageError("no published row is all of that; see them all: cnnbench reference")
    return found


def _names(row: Row) -> dict[str, set[str]]:
    """What the row may be called by in each filter: the published name, and cnnbench's."""
    own = published.case(row)
    return {
        "section": {row.section},
        "model": {row.model, own.model},
        "backend": {row.backend},
        "data format": {row.data_format, own.data_format},
        "method": {row.method},
        "number of GPUs": {str(row.gpus)},
        "flag": {flag.id for flag in row.flags},
    }


def _print(rows: Sequence[Row], console: Console) -> None:
    """The tables on a terminal: flags are numbers there, which the legend explains."""
    numbers = {flag: str(n) for n, flag in enumerate(report.flags(rows), 1)}
    console.print(f"{published.TITLE}\n", style="bold")
    for section in published.sections():
        if own := [row for row in rows if row.section == section.name]:
            _print_section(section, own, numbers, console)
    console.print("Flags", style="bold")
    legend = Table.grid(padding=(0, 1))
    legend.add_column(justify="right")
    for flag, number in numbers.items():
        legend.add_row(number, Text.assemble((flag.id, "bold"), f": {flag.about}"))
    console.print(legend)


def _print_section(
    section: Section, rows: Sequence[Row], numbers: Mapping[Flag, str], console: Console
) -> None:
    console.print(f"{section.title}\n", style="bold")
    for name, values in report.configuration(section):
        console.print(f"{name:18}  {', '.join(value.text for value in values)}".replace("`", ""))
        for value in values:
            if value.link:
                console.print(f"  {value.link}", style="dim", soft_wrap=True)
    shared = report.common(rows)
    if shared:
        console.print(f"Flags of all rows   {' '.join(numbers[flag] for flag in shared)}")
    console.print()
    texts = report.texts(rows)
    for text, row in zip(texts, rows, strict=True):
        text["Flags"] = " ".join(numbers[flag] for flag in row.flags if flag not in shared)
    print_fitted(texts, console, right=NUMBERS, kept=KEPT, words="Flags")
