"""A table of texts as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench.report.inert import calm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def markdown(rows: Sequence[Mapping[str, str]]) -> str:
    """The table of one or more rows, each with the first one's columns in its order.

    Cells are padded, so that it can be read as it is; line breaks and pipes divide nothing.
    """
    columns = list(rows[0])
    widths = {c: max(len(c), *(len(_escaped(row[c])) for row in rows)) for c in columns}
    rule = _line(dict.fromkeys(columns, "-"), widths, "-")
    head = _line({c: c for c in columns}, widths)
    return "\n".join([head, rule, *(_line(row, widths) for row in rows)])


def _line(row: Mapping[str, str], widths: Mapping[str, int], fill: str = " ") -> str:
    cells = [_escaped(row[column]).ljust(width, fill) for column, width in widths.items()]
    return "| " + " | ".join(cells) + " |"


def _escaped(text: str) -> str:
    return calm(" ".join(text.split())).replace("|", "\\|")
