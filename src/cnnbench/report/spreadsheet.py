"""Results as comma-separated values (RFC 4180), which no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from cnnbench.report import flat
from cnnbench.report.inert import calm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnbench.report.flat import Cell
    from cnnbench.result import Result

# How a cell begins that a spreadsheet would compute (OWASP, "CSV Injection").
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\N{FULLWIDTH EQUALS SIGN}")


def text(results: Sequence[Result]) -> str:
    """A line of headings and one for each result; numbers in full, nothing where there is none."""
    found = flat.rows(results)
    if not found:
        return ""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(found[0])
    writer.writerows([_cell(value) for value in row.values()] for row in found)
    return stream.getvalue()


def _cell(value: Cell) -> Cell:
    if not isinstance(value, str):
        return value
    return f"'{calm(value)}" if value.startswith(FORMULAS) else calm(value)
