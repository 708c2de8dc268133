"""`cnnbench export`: results in the formats of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cnnbench.cli import flags, output
from cnnbench.cli.gathered import gathered
from cnnbench.errors import UsageError, unknown
from cnnbench.report import frames, mllog, spreadsheet, table, tracking
from cnnbench.report.conclusions import conclusions
from cnnbench.report.document import document
from cnnbench.store import exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cnnbench.result import Result
    from cnnbench.store.exchange import Recorded

STDOUT = "-"

Format = Annotated[
    str,
    typer.Option(
        "--format",
        help="csv, json, markdown, parquet or mlflow of results; launches or mllog of raw ones.",
    ),
]
Target = Annotated[
    str,
    typer.Option("--output", help="File to write, '-' for standard output; of mlflow, its URI."),
]


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
    elsewhere. mllog has the launches as log lines in the format of MLPerf. mlflow makes a run of
    each result that the server named by --output does not have yet.

    cnnbench export --format csv --output results.csv

    cnnbench export --format launches --output mine.jsonl

    cnnbench export --format mlflow --output http://localhost:5000
    """
    _check(form, target)
    wanted = flags.axes(stack, model, dataset, method, data_format)
    recorded = exchange.chosen(gathered(store, source), wanted)
    if not recorded.launches:
        raise UsageError("nothing like that was measured; see what was: cnnbench show --all")
    if form in OF_LAUNCHES:
        _write(OF_LAUNCHES[form](recorded), target)
        return
    results = conclusions(exchange.newest(recorded))
    if form == PARQUET:
        _write_parquet(results, Path(target))
    elif form == MLFLOW:
        _push(results, recorded, target)
    else:
        _write(OF_RESULTS[form](results), target)


def _check(form: str, target: str) -> None:
    """See that the format exists, and that its target can be written."""
    if form not in FORMATS:
        raise unknown("format", form, FORMATS)
    if form == MLFLOW and target == STDOUT:
        raise UsageError("give --output the URI of an MLflow server, like http://localhost:5000")
    if form == PARQUET and target == STDOUT:
        raise UsageError("parquet is not text; give --output a file")
    if form != MLFLOW and target != STDOUT:
        output.check_target(target, "--output")


def _json(results: Sequence[Result]) -> str:
    return output.as_text(document(results, {}))


def _markdown(results: Sequence[Result]) -> str:
    return table.markdown(results) + "\n"


def _mllog(recorded: Recorded) -> str:
    return mllog.text(recorded.launches)


PARQUET, MLFLOW = "parquet", "mlflow"
OF_RESULTS: Mapping[str, Callable[[Sequence[Result]], str]] = {
    "csv": spreadsheet.text,
    "json": _json,
    "markdown": _markdown,
}
OF_LAUNCHES: Mapping[str, Callable[[Recorded], str]] = {
    "launches": exchange.as_text,
    "mllog": _mllog,
}
FORMATS = (*OF_RESULTS, *OF_LAUNCHES, PARQUET, MLFLOW)


def _write(text: str, target: str) -> None:
    if target == STDOUT:
        typer.echo(text, nl=False)
    else:
        output.write_text(target, text)


def _write_parquet(results: Sequence[Result], target: Path) -> None:
    frame = frames.results(results)
    try:
        frame.write_parquet(target)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror or error}") from None


def _push(results: Sequence[Result], recorded: Recorded, uri: str) -> None:
    launches = {launch.id: launch for launch in recorded.launches}
    pushed = tracking.push(results, launches, uri)
    typer.echo(f"{pushed.new} runs are new in MLflow at {uri}; {pushed.known} were there")
