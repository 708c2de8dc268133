"""The table of results."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

from cnnbench.case import Case
from cnnbench.report.table import markdown, rows
from cnnbench.result import Estimate, Result

GOLDEN = Path(__file__).parent / "golden" / "table.md"
PUBLISHED = [
    *("Instance Type", "GPU used", "Model", "Backend", "Package", "Batch Size", "Data Format"),
]
CASE = Case(stack="keras3-torch", model="simple_cnn", dataset="synthetic-32", method="fit")
SPEED = Estimate(point=309.4, low=301.2, high=317.9, confidence=0.95, n=3)
SETTLED = Result(
    case=CASE,
    verdict="settled",
    reason="",
    images_per_second=SPEED,
    metrics={},
    facts={"backend": "torch", "package": "torch"},
    machine={"instance_type": "C5.xLarge"},
)
SINGLE = replace(
    SETTLED,
    case=replace(CASE, data_format="channels_first", precision="bfloat16", threads=2, augment=True),
    verdict="noisy",
    reason="1 launch gives no interval",
    images_per_second=Estimate(point=4.5678, low=None, high=None, confidence=0.95, n=1),
    labels=("short", "layout emulated"),
)
FAILED = replace(
    SETTLED,
    case=replace(CASE, stack="keras2.1.6-mxnet1.1.0", batch_size=8),
    verdict="failed",
    reason="build: ValueError: no\nsuch | layer",
    images_per_second=None,
    facts={"backend": "mxnet", "package": "mxnet-mkl"},
    machine={"cpu": "AMD EPYC", "cpus_usable": 2, "memory_bytes": 8 << 30},
)
UNSUPPORTED = replace(
    SETTLED,
    case=replace(CASE, device="gpu"),
    verdict="unsupported",
    reason="no GPU; run on a machine with one",
    images_per_second=None,
)


def cells(line: str) -> list[str]:
    """The cells of a line, whose escaped pipes divide nothing."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_the_published_columns_are_there_in_order_with_stack_data_set_and_method() -> None:
    columns = list(rows([SETTLED])[0])
    assert [column for column in columns if column in PUBLISHED] == PUBLISHED
    assert {"Stack", "Data Set", "Method"} <= set(columns)


def test_the_last_two_columns_are_speed_and_interval_whatever_else_there_is() -> None:
    for results in ([SETTLED], [SINGLE], [FAILED], [SETTLED, SINGLE, FAILED, UNSUPPORTED]):
        assert list(rows(results)[0])[-2:] == ["Speed (images/s)", "95 % interval"]


def test_a_column_that_says_nothing_in_any_row_is_left_out() -> None:
    assert "Precision" not in rows([SETTLED])[0]
    assert "Precision" in rows([SETTLED, SINGLE])[0]


def test_one_launch_has_a_speed_and_no_interval() -> None:
    (row,) = rows([SINGLE])
    assert (row["Speed (images/s)"], row["95 % interval"]) == ("4.57", "none (1 launch)")


def test_a_row_without_a_number_says_why_below_the_table() -> None:
    text = markdown([SETTLED, FAILED, UNSUPPORTED])
    reasons = text.partition("\n\n")[2].splitlines()
    assert len(reasons) == 2
    assert "keras2.1.6-mxnet1.1.0" in reasons[0]
    assert "failed: build: ValueError: no such | layer" in reasons[0]
    assert "unsupported: no GPU; run on a machine with one" in reasons[1]


def test_cases_of_one_reason_share_a_line() -> None:
    other = replace(UNSUPPORTED, case=replace(UNSUPPORTED.case, stack="keras3-jax", batch_size=8))
    reasons = markdown([UNSUPPORTED, FAILED, other]).partition("\n\n")[2].splitlines()
    assert len(reasons) == 2
    assert reasons[0].startswith("- 2 cases of keras3-torch, keras3-jax: unsupported: no GPU")


def test_pipes_and_line_breaks_do_not_break_the_table() -> None:
    odd = replace(SETTLED, machine={"instance_type": "a|b\nc\rd\u2028e"})
    lines = markdown([odd]).splitlines()
    assert len(lines) == 3
    assert cells(lines[2])[0] == r"a\|b c d e"
    assert [len(cells(line)) for line in lines] == [len(rows([odd])[0])] * 3


def test_nothing_measured_is_said() -> None:
    assert rows([]) == []
    assert markdown([]) == "Nothing was measured yet."


def test_the_table_is_as_it_was_written_down() -> None:
    """Set CNNBENCH_WRITE_GOLDEN to write the file anew, and look at the difference."""
    text = markdown([SETTLED, SINGLE, FAILED, UNSUPPORTED]) + "\n"
    if os.environ.get("CNNBENCH_WRITE_GOLDEN"):
        GOLDEN.write_text(text, "utf-8")
    assert text == GOLDEN.read_text("utf-8")
