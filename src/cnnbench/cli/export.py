"""`cnnbench export`: results in the formats of other tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cnnbench.cli import flags, output
from cnnbench.cli.gathered import gathered
from cnnbench.errors import UsageError, unknown
from cnnbench.report import frames, mllog, spreadsheet, table
from cnnbench.report.conclusions import conclusions
from cnnbench.report.document import document
from cnnbench.store import exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cnnbench.store.exchange import Recorded

STDOUT = "-"

Format = Annotated[
    str,
    typer.Option(
        "--format",
        help="csv, json, markdown or parquet of results; launches or mllog of raw launches.",
    ),
]
Target = Annotated[str, typer.Option("--output", help="File to write; '-' for standard output.")]


def export(  # noqa: PLR0917  one parameter a flag
    form: Format,
    target: Target = STDOUT,
    stack: flags.Stacks = None,
    model: flags.Models = None,
    dataset: flags.Datasets = None,
    method: flags.Methods = None,
    data_format: flags.Formats = None,
    store: flags.StoreUrl = None,
    source: flags.Source = None,
) -> None:
    """Write what was measured in the format of another tool.

    csv, json, markdown and parquet have a row for each result: one case on one machine, by its last
    run. launches has every raw launch with all windows, and proofs: cnnbench import reads it
    elsewhere. mllog has the launches as log lines in the format of MLPerf.

    cnnbench export --format csv --output results.csv

    cnnbench export --format launches --output mine.jsonl
    """
    if form not in (*TEXTS, PARQUET):
        raise unknown("format", form, [*TEXTS, PARQUET])
    if target != STDOUT:
        output.check_target(target, "--output")
    elif form == PARQUET:
        raise UsageError("parquet is not text; give --output a file")
    wanted = {
        "stack": stack,
        "model": model,
        "dataset": dataset,
        "method": method,
        "data_format": data_format,
    }
    recorded = exchange.chosen(gathered(store, source), wanted)
    if not recorded.launches:
        raise UsageError("nothing like that was measured; see what was: cnnbench show --all")
    if form == PARQUET:
        _write_parquet(recorded, Path(target))
        return
    text = TEXTS[form](recorded)
    if target == STDOUT:
        typer.echo(text, nl=False)
    else:
        output.write_text(target, text)


def _json(recorded: Recorded) -> str:
    told = document(conclusions(exchange.newest(recorded)), {})
    return json.dumps(told, indent=2, allow_nan=False) + "\n"


def _csv(recorded: Recorded) -> str:
    return spreadsheet.text(conclusions(exchange.newest(recorded)))


def _markdown(recorded: Recorded) -> str:
    return table.markdown(conclusions(exchange.newest(recorded))) + "\n"


def _mllog(recorded: Recorded) -> str:
    return mllog.text(recorded.launches)


PARQUET = "parquet"
TEXTS: Mapping[str, Callable[[Recorded], str]] = {
    "csv": _csv,
    "json": _json,
    "markdown": _markdown,
    "launches": exchange.as_text,
    "mllog": _mllog,
}


def _write_parquet(recorded: Recorded, target: Path) -> None:
    frame = frames.results(conclusions(exchange.newest(recorded)))
    try:
        frame.write_parquet(target)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror or error}") from None
