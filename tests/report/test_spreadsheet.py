"""Comma-separated values: what goes in comes out, and nothing is computed on the way."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench.report import flat, spreadsheet
from tests.report.test_page import result


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("sign", spreadsheet.FORMULAS)
def test_no_cell_begins_as_a_formula(sign: str) -> None:
    (row,) = read(spreadsheet.text([result(model=f"{sign}HYPERLINK()")]))
    assert row["model"].startswith("'")
    assert row["model"].endswith("HYPERLINK()")


@given(reason=st.text(st.characters(exclude_categories=["C"])))
def test_a_text_comes_back_but_that_a_formula_is_quoted(reason: str) -> None:
    (row,) = read(spreadsheet.text([replace(result(), reason=reason)]))
    quoted = "'" if reason.startswith(spreadsheet.FORMULAS) else ""
    assert row["reason"] == quoted + reason


def test_every_row_has_every_column() -> None:
    rows = flat.rows([result(), result(until=0.5, recipes=("jit",))])
    assert rows[0].keys() == rows[1].keys()
    assert rows[1]["recipes"] == "jit"
    assert rows[0]["images_per_second"] is None
    assert {f"{name}_low" for name in flat.metrics()} <= rows[0].keys()


def test_nothing_is_an_empty_file() -> None:
    assert spreadsheet.text([]) == ""
