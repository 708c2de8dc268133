"""What was measured beside what was published."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from cnnbench import published
from cnnbench.report import grid
from cnnbench.report import published as report
from cnnbench.result import Estimate, Result

ROWS = published.rows()
FIRST = published.case(ROWS[0])
OWN = Result(
    case=FIRST,
    verdict="settled",
    reason="",
    images_per_second=Estimate(point=506.0, low=500.0, high=512.0, confidence=0.95, n=3),
    metrics={},
    labels=("layout emulated",),
    facts={"backend": "mxnet"},
    machine={"instance_type": "here"},
)
OTHER = replace(OWN, case=replace(FIRST, stack="keras3-jax"), facts={"backend": "jax"}, labels=())
UNSUPPORTED = replace(
    OWN,
    case=published.case(ROWS[10]),
    verdict="unsupported",
    reason="no GPU; run on a machine with one",
    images_per_second=None,
    labels=(),
    facts={},
)
ELSE = replace(OTHER, case=replace(OTHER.case, batch_size=8))
UNKNOWN = replace(OTHER, case=replace(OTHER.case, dataset="synthetic-32"))
COLUMNS = [
    *("Instance Type", "GPU used", "Model", "Method", "Backend", "Package", "Batch Size"),
    *("Data Format", "Published (images/s)", "Stack here", "Instance here", "Here (images/s)"),
    *("95 % interval", "Ratio (here / published)", "Notes", "Flags"),
]


def table(text: str) -> list[dict[str, str]]:
    """The rows of all tables of results."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines]
    return [dict(zip(COLUMNS, line, strict=True)) for line in cells if line[0][0] in "CP"]


def test_every_published_row_stands_whether_measured_or_not() -> None:
    pairs = report.side_by_side([])
    assert [pair.row for pair in pairs] == list(ROWS)
    assert {pair.speed for pair in pairs} == {"not measured"}
    assert all(pair.stack == pair.row.stack for pair in pairs)


def test_a_result_stands_beside_each_row_that_is_its_case() -> None:
    beside = [pair.row.id for pair in report.side_by_side([OWN]) if pair.result]
    assert beside == ["cifar10-01", "cifar10-03", "cifar10-05"]


def test_the_own_stack_stands_first_and_others_below_it() -> None:
    for results in ([OWN, OTHER], [OTHER, OWN]):
        first = [pair for pair in report.side_by_side(results) if pair.row == ROWS[0]]
        assert [pair.result for pair in first] == [OWN, OTHER]
    alone = [pair.speed for pair in report.side_by_side([OTHER]) if pair.row == ROWS[0]]
    assert alone == ["not measured", "506"]


def test_the_ratio_is_here_by_published() -> None:
    (first, *_) = report.side_by_side([OWN])
    assert first.ratio == pytest.approx(506 / 253)


def test_a_row_that_was_not_measured_has_no_ratio() -> None:
    assert {pair.ratio for pair in report.side_by_side([UNSUPPORTED])} == {None}


def test_stacks_that_were_asked_for_are_missed_and_the_own_one_is_not() -> None:
    (pair,) = report.side_by_side([], ROWS[:1], ["keras3-torch"])
    assert (pair.stack, pair.speed) == ("keras3-torch", "not measured")


def test_the_table_has_the_published_columns_then_what_was_measured() -> None:
    text = report.markdown([OWN, UNSUPPORTED])
    head = next(line for line in text.splitlines() if line.startswith("| Instance Type"))
    assert [cell.strip() for cell in head.strip("|").split(" | ")] == COLUMNS
    first = table(text)[0]
    assert first["Published (images/s)"] == "253"
    assert first["Instance here"] == "here"
    assert first["Here (images/s)"] == "506"
    assert first["95 % interval"] == "500 - 512"
    assert first["Ratio (here / published)"] == "2.00"
    assert first["Notes"] == "layout emulated"
    assert "mkl-against-stock" in first["Flags"]
    assert len(table(text)) == len(report.side_by_side([OWN, UNSUPPORTED]))


def test_a_row_that_is_unsupported_says_why_below_its_table() -> None:
    text = report.markdown([UNSUPPORTED])
    (found,) = [line for line in table(text) if line["Here (images/s)"] == "unsupported"]
    assert found["Package"] == "tensorflow-gpu"
    assert text.count("unsupported: no GPU; run on a machine with one") == 1


def test_another_stack_that_cannot_run_a_row_has_its_reason_and_no_line() -> None:
    other = replace(UNSUPPORTED, case=replace(UNSUPPORTED.case, stack="keras3-torch-gpu"))
    text = report.markdown([UNSUPPORTED, other])
    assert "keras3-torch-gpu" not in {line["Stack here"] for line in table(text)}
    assert "2 cases of keras2.1.5-tensorflow-gpu1.7.0, keras3-torch-gpu: unsupported" in text


def test_a_result_that_was_not_published_has_the_nearest_row_and_the_differences() -> None:
    (line,) = report.not_published([OWN, OTHER, ELSE])
    assert ELSE.case.title in line
    assert line.endswith("nearest is cifar10-01 (253 images/s): jax, not mxnet; batch 8, not 32")
    text = report.markdown([ELSE]).partition("## Not published")[2].partition("## Flags")[0]
    (row,) = [found for found in text.splitlines() if "cifar10-01 (253)" in found]
    assert "jax, not mxnet; batch 8, not 32" in row
    assert " 506 " in row


def test_a_result_of_what_was_never_published_says_so() -> None:
    (line,) = report.not_published([UNKNOWN])
    assert line.endswith("no row of simple_cnn on synthetic-32 was published")


def test_the_legend_explains_the_flags_of_the_rows_each_once() -> None:
    legend = report.markdown([OWN]).partition("## Flags\n\n")[2].splitlines()
    assert legend == [f"- `{flag.id}`: {flag.about}" for flag in published.flags()]


def test_no_row_has_no_legend() -> None:
    assert "Flags" not in report.markdown([UNKNOWN], [])


def test_programs_get_every_row_and_the_others() -> None:
    told = json.loads(json.dumps(report.as_json([OWN, OTHER, ELSE, UNKNOWN]), allow_nan=False))
    first, second = told["rows"][:2]
    assert (first["id"], first["case"], first["ratio"]) == ("cifar10-01", OWN.case.id, 2.0)
    assert (second["stack"], second["published"]) == ("keras3-jax", 253)
    unmeasured = [row for row in told["rows"] if row["case"] is None]
    assert {row["verdict"] for row in unmeasured} == {"not measured"}
    measured = [row["id"] for row in told["rows"] if row["case"] == OTHER.case.id]
    assert measured == ["cifar10-01", "cifar10-03", "cifar10-05"]
    assert told["others"] == [
        {
            "case": ELSE.case.id,
            "nearest": "cifar10-01",
            "differences": ["jax, not mxnet", "batch 8, not 32"],
        },
        {"case": UNKNOWN.case.id, "nearest": None, "differences": []},
    ]


def test_the_cells_of_a_table_are_padded_and_escaped() -> None:
    text = grid.markdown([{"a": "x|y\nz", "bb": "1"}, {"a": "", "bb": "22"}])
    assert text.splitlines() == [
        r"| a      | bb |",
        r"| ------ | -- |",
        r"| x\|y z | 1  |",
        r"|        | 22 |",
    ]
