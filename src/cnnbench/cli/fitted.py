"""A wide table on a terminal: what is equal in many rows is said once, above them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console

    Texts = Mapping[str, str]

PROSE = 16  # columns of a terminal that sentences need to be read
FEW = 2  # rows that are worth a heading of their own


def print_fitted(
    rows: Sequence[Texts],
    console: Console,
    *,
    right: Sequence[str] = (),
    kept: Sequence[str] = (),
    words: str | None = None,
    spare: Sequence[str] = (),
    prose: str | None = None,
) -> None:
    """Print rows with equal columns; if they are too wide, in stretches with less to say.

    Args:
        rows: One or more.
        console: A terminal, as wide as it is.
        right: The columns of numbers.
        kept: The columns that stay in the table whatever they hold.
        words: A column of words, any of which may be said above.
        spare: The columns that tell nothing that others don't, and go first.
        prose: A column of sentences, which stands last and folds.
    """
    columns = list(rows[0])
    if sum(_widths(rows, columns)) > console.width:
        columns = [column for column in columns if column not in spare]
    if prose in columns:
        columns = [*(column for column in columns if column != prose), prose]
    for said, some in _stretches(rows, columns, console.width, kept):
        stretch = list(some)
        if said:
            above, stretch = _lifted(stretch, said, words)
            console.print(f"{above}\n", markup=False, style="italic")
        if left := [column for column in columns if column not in said]:
            console.print(_table(stretch, left, right, console.width))
            console.print()


def _stretches(
    rows: Sequence[Texts], columns: Sequence[str], room: int, kept: Sequence[str]
) -> Iterator[tuple[list[str], Sequence[Texts]]]:
    """The columns to say above, and rows in which they are equal, until these fit or are few."""
    if _fits(rows, columns, room):
        yield [], rows
        return
    runs = {column: _runs(rows, column) for column in columns if column not in kept}
    said = [column for column, count in runs.items() if count == 1]
    left = [column for column in columns if column not in said]
    seldom = min((c for c in runs if c in left), key=runs.__getitem__, default=None)
    if seldom is None or _fits(rows, left, room) or runs[seldom] * FEW > len(rows):
        yield said, rows
        return
    for _, group in groupby(rows, key=lambda row: row[seldom]):
        for more, some in _stretches(list(group), left, room, kept):
            yield [column for column in columns if column in (*said, *more)], some


def _fits(rows: Sequence[Texts], columns: Sequence[str], room: int) -> bool:
    """Whether every cell has its line, but those of the last column, which may fold."""
    *widths, last = _widths(rows, columns)
    return sum(widths) + min(last, PROSE) <= room


def _runs(rows: Sequence[Texts], column: str) -> int:
    return sum(1 for _ in groupby(rows, key=lambda row: row[column]))


def _widths(rows: Sequence[Texts], columns: Sequence[str]) -> list[int]:
    """What each column needs with the space after it; headings break between words."""
    return [
        max(*(len(word) for word in column.split()), *(len(row[column]) for row in rows)) + 1
        for column in columns
    ]


def _lifted(
    rows: Sequence[Texts], said: Sequence[str], words: str | None
) -> tuple[str, list[Texts]]:
    """What stands above rows, and the rows without the words that all of them have."""
    above = {column: rows[0][column] for column in said}
    left = list(rows)
    if words is not None and len(rows) > 1:
        own = [row[words].split() for row in rows]
        above[words] = " ".join(word for word in own[0] if all(word in each for each in own))
        shared = above[words].split()
        rest = [" ".join(word for word in each if word not in shared) for each in own]
        left = [{**row, words: value} for row, value in zip(rows, rest, strict=True)]
    text = ", ".join(f"{column}: {value}" for column, value in above.items() if value)
    return text, left


def _table(rows: Sequence[Texts], columns: Sequence[str], right: Sequence[str], room: int) -> Table:
    """The table; where it is too wide the last column folds, and if that is not enough all do."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 0))
    widths = _widths(rows, columns)
    fits = _fits(rows, columns, room)
    for column, width in zip(columns, widths, strict=True):
        side: Any = "right" if column in right else "left"
        fixed = width - 1 if fits and column != columns[-1] else None
        table.add_column(column, overflow="fold", justify=side, width=fixed)
    for row in rows:
        table.add_row(*(row[column] for column in columns))
    return table
