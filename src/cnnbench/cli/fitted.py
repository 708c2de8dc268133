"""A wide table on a terminal: what is equal in many rows is said once, above them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    Texts = Mapping[str, str]


def print_fitted(rows: Sequence[Texts], console: Console, right: Sequence[str] = ()) -> None:
    """Print rows with equal columns; if they are too wide, in stretches with less to say.

    Args:
        rows: One or more; the last column holds words, any of which may be said above.
        console: A terminal, as wide as it is.
        right: The columns of numbers.
    """
    said = _said(rows, console.width)
    if len(rows) == 1 and sum(_widths(rows, [*rows[0]])) > console.width:
        said = list(rows[0])
    for _, group in groupby(rows, key=lambda row: [row[column] for column in said]):
        stretch = list(group)
        if said:
            above, stretch = _lifted(stretch, said)
            console.print(f"{above}\n", markup=False, style="italic")
        if left := [column for column in rows[0] if column not in said]:
            console.print(_table(stretch, left, right, console.width))
            console.print()


def _said(rows: Sequence[Texts], room: int) -> list[str]:
    """The columns to say above: none, those equal in all rows, or one that changes seldom too."""
    columns = list(rows[0])
    if len(rows) == 1 or sum(_widths(rows, columns)) <= room:
        return []
    equal = [column for column in columns if _runs(rows, column) == 1]
    left = [column for column in columns if column not in equal]
    if sum(_widths(rows, left)) <= room:
        return equal
    return [*equal, min(left, key=lambda column: _runs(rows, column))]


def _runs(rows: Sequence[Texts], column: str) -> int:
    return sum(1 for _ in groupby(rows, key=lambda row: row[column]))


def _widths(rows: Sequence[Texts], columns: Sequence[str]) -> list[int]:
    """What each column needs with the space after it; headings break between words."""
    return [
        max(*(len(word) for word in column.split()), *(len(row[column]) for row in rows)) + 1
        for column in columns
    ]


def _lifted(rows: Sequence[Texts], said: Sequence[str]) -> tuple[str, list[Texts]]:
    """What stands above rows, and the rows without the words of the last column that all have."""
    above = {column: rows[0][column] for column in said}
    last = list(rows[0])[-1]
    words = [row[last].split() for row in rows]
    shared = [word for word in words[0] if len(rows) > 1 and all(word in own for own in words)]
    if shared:
        above[last] = " ".join(shared)
    rest = [" ".join(word for word in own if word not in shared) for own in words]
    text = ", ".join(f"{column}: {value}" for column, value in above.items() if value)
    return text, [{**row, last: value} for row, value in zip(rows, rest, strict=True)]


def _table(rows: Sequence[Texts], columns: Sequence[str], right: Sequence[str], room: int) -> Table:
    """The table; where it is too wide the last column folds, and if that is not enough all do."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 0))
    widths = _widths(rows, columns)
    fits = sum(widths[:-1]) + len(columns[-1]) <= room
    for column, width in zip(columns, widths, strict=True):
        side: Any = "right" if column in right else "left"
        fixed = width - 1 if fits and column != columns[-1] else None
        table.add_column(column, overflow="fold", justify=side, width=fixed)
    for row in rows:
        table.add_row(*(row[column] for column in columns))
    return table
