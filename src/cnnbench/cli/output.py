"""Results on standard output: Markdown where a program or file reads, fitted to a terminal."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from cnnbench.cli.fitted import print_fitted
from cnnbench.errors import UsageError
from cnnbench.report import comparisons, costs, diagnoses, goals, proofs, scaling, tuned
from cnnbench.report.table import INTERVAL, SPEED, markdown, rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cnnbench.comparison import Outcome
    from cnnbench.diagnosis import Diagnosis
    from cnnbench.job import Bill
    from cnnbench.proof import Proof
    from cnnbench.result import Result
    from cnnbench.tuned import Answer

# How the headings of columns of numbers begin.
NUMBERS = (
    "All",
    "Batch",
    "Blocks",
    "Ceiling",
    "Cost",
    "Efficiency",
    "Energy",
    "Excess",
    "GPU",
    "Images",
    "Launches",
    "Memory",
    "Ratio",
    "Share",
    "Speed",
    "Time",
    "1 device",
    "(",
    " (",
)
SPARE = ("Backend", "Package")  # the name of a stack of ours has both


def print_table(results: Sequence[Result]) -> None:
    """Print the tables of speeds and of goals; fitted where a terminal is too narrow for them."""
    if to_goals := goals.rows(results):
        _print(to_goals, goals.markdown(results), kept=(goals.TIME, goals.RANGE, goals.RATIO))
    if speeds := rows(results):
        _print(speeds, markdown(results), kept=(SPEED, INTERVAL))
    elif not to_goals:
        typer.echo(markdown(results))


def print_scaling(results: Sequence[Result]) -> None:
    """Print how well several devices scale, if any of these results tells it."""
    if text := scaling.markdown(results):
        typer.echo()
        _print(scaling.rows(results), text, kept=(scaling.EFFICIENCY, scaling.RANGE))


def print_comparison(found: Outcome) -> None:
    """Print what was compared, with its verdicts."""
    kept = (comparisons.RATIO, comparisons.RANGE, comparisons.VERDICT)
    _print(comparisons.rows(found), comparisons.markdown(found), kept=kept)


def print_proofs(found: Sequence[Proof]) -> None:
    """Print what was proven."""
    _print(proofs.rows(found), proofs.markdown(found), kept=("Stack", proofs.OUTCOME))


def print_tuned(found: Answer) -> None:
    """Print what tuning found."""
    _print(tuned.rows(found), tuned.markdown(found), kept=("Recipes", tuned.RATIO, tuned.RANGE))


def print_diagnosis(found: Diagnosis) -> None:
    """Print where a step's time goes."""
    kept = (diagnoses.PART, diagnoses.SHARE, diagnoses.CEILING)
    _print(diagnoses.rows(found), diagnoses.markdown(found), kept=kept)


def print_costs(found: Sequence[Bill], currency: str) -> None:
    """Print what a job takes."""
    kept = (costs.TIMES, costs.BEST)
    _print(costs.rows(found, currency), costs.markdown(found, currency), kept=kept)


def print_json(value: Any) -> None:
    """Print JSON."""
    typer.echo(as_text(value), nl=False)


def as_text(value: Any) -> str:
    """JSON as it is printed and written: a file of lines."""
    return json.dumps(value, indent=2, allow_nan=False) + "\n"


def check_target(target: str, option: str = "--json") -> None:
    """Raise UsageError if a file could not be written: known before anything is measured.

    Args:
        target: Its path; `-` for standard output.
        option: That named it.
    """
    path = Path(target)
    if target == "-":
        return
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(f"cannot write {target}: give {option} a file in a folder that exists")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"cannot write {target}: no permission; give {option} another file")


def write_json(value: Any, target: str) -> None:
    """Write JSON to a file, or to standard output for `-`.

    Raises:
        UsageError: The file cannot be written.
    """
    if target == "-":
        print_json(value)
        return
    write_text(target, as_text(value))


def write_text(target: str, text: str, *, append: bool = False) -> None:
    """Write a text to a file, or append it.

    Raises:
        UsageError: The file cannot be written.
    """
    try:
        with Path(target).open("a" if append else "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}") from None


def _print(found: Sequence[Mapping[str, str]], text: str, kept: Sequence[str]) -> None:
    """Print a table and what is below it: as Markdown unless a terminal is too narrow for that."""
    console = Console(highlight=False)
    table, _, below = text.partition("\n\n")
    if not found or not sys.stdout.isatty() or console.width >= max(map(len, table.splitlines())):
        typer.echo(text)
        return
    is_ours = all("@" not in row.get("Stack", "@") for row in found)
    print_fitted(
        found,
        console,
        right=[column for column in found[0] if column.startswith(NUMBERS)],
        kept=kept,
        spare=SPARE if is_ours else (),
        prose="Notes",
    )
    if below:
        typer.echo(below)
