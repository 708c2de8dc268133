"""What sections are made of: paragraphs, tables, plots and texts that unfold. Values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table of texts.

    Attributes:
        caption: What it is of.
        rows: Each with the first one's columns.
        results: The place of each row's result among the page's, by which rows are filtered and
            unfold into their launches; empty where rows are of none.
    """

    caption: str
    rows: Sequence[Row]
    results: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot, which always has a table that tells the same.

    Attributes:
        caption: What it is of.
        about: What can be seen in it, for those who cannot.
        spec: Of Vega-Lite; it names its data.
        data: By name. Rows that have a `result` are filtered by it.
    """

    caption: str
    about: str
    spec: Mapping[str, Any]
    data: Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Unfolding:
    """A long text behind a line.

    Attributes:
        line: That is seen.
        text: As it is, line by line.
    """

    line: str
    text: str


Part = Text | Table | Plot | Unfolding
