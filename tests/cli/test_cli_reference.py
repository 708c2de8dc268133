"""`cnnbench reference` and `show --published`."""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from cnnbench import published
from cnnbench.cli import beside, reference
from cnnbench.cli.fitted import print_fitted
from cnnbench.report.published import side_by_side
from cnnbench.report.reference import flags

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Command

KEYS = [
    *("id", "section", "instance_type", "gpus", "model", "backend", "package", "method"),
    *("batch_size", "data_format", "images_per_second", "keras", "backend_version"),
    *("flags", "stack", "case"),
]
MISTAKES = {
    "--section cifar": "unknown section 'cifar'; did you mean cifar10?",
    "--model resnet50v2": "unknown model 'resnet50v2'; did you mean resnet50 or ResNet50V1?",
    "--backend torch": "unknown backend 'torch'; known: MXNet, TensorFlow",
    "--data-format channel_last": "unknown data format 'channel_last'; did you mean channel",
    "--method fitt": "unknown method 'fitt'; did you mean fit?",
    "--gpus 3": "unknown number of GPUs '3'; known: 0, 1, 4, 8",
    "--flag one-rum": "unknown flag 'one-rum'; did you mean one-run",
    "--gpus 1 --section cifar10": "no published row is all of that",
    "--json no/such/folder.json": "cannot write no/such/folder.json",
}


def chosen(cnnbench: Command, *arguments: str) -> list[str]:
    return [row["id"] for row in json.loads(cnnbench("reference", *arguments, "--json", "-").out)]


def test_programs_get_40_objects(cnnbench: Command) -> None:
    found = json.loads(cnnbench("reference", "--json", "-").out)
    assert len(found) == 40
    assert {tuple(row) for row in found} == {tuple(KEYS)}
    first = found[0]
    assert (first["model"], first["images_per_second"]) == ("Simple CNN", 253)
    assert first["case"]["id"] == published.case(published.rows()[0]).id
    assert "one-run" in first["flags"]


def test_json_without_a_file_is_for_standard_output(cnnbench: Command) -> None:
    asked = cnnbench("reference", "--json", "-", "--section", "cifar10").out
    assert cnnbench("reference", "--json", "--section", "cifar10").out == asked
    assert cnnbench("reference", "--section", "cifar10", "--json").out == asked
    assert len(json.loads(asked)) == 14


def test_json_in_a_file_leaves_the_tables_on_standard_output(
    cnnbench: Command, folder: Path
) -> None:
    done = cnnbench("reference", "--json", "rows.json")
    assert len(json.loads((folder / "rows.json").read_text())) == 40
    assert done.out.startswith("# Detailed CNN Benchmark Results\n")


def test_markdown_has_sections_rows_links_and_each_flag_explained_once(cnnbench: Command) -> None:
    text = cnnbench("reference").out
    assert len(re.findall(r"^\| [CP]\d\.", text, re.MULTILINE)) == 40
    for section in published.sections():
        assert f"\n## {section.title}\n" in text
        for link in (section.data_set, *section.methods, *section.scripts):
            assert link.text in text
            assert not link.link or f"]({link.link})" in text
    for flag in published.flags():
        assert text.count(f"- `{flag.id}`: {flag.about}\n") == 1


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        ("--section cifar10", 14),
        ("--section cifar10 --section imagenet", 24),
        ("--model ReNet50V1", 8),
        ("--model resnet56_cifar", 18),
        ("--model simple_cnn", 6),
        ("--backend mxnet --gpus 0", 8),
        ("--data-format channels_last --section synthetic", 8),
        ("--method fit_generator", 4),
        ("--gpus 8", 8),
        ("--flag impossible-gpus --flag repeats-1-gpu", 3),
    ],
)
def test_filters_narrow_and_repeated_ones_widen(
    cnnbench: Command, arguments: str, count: int
) -> None:
    assert len(chosen(cnnbench, *arguments.split())) == count


def test_a_filter_takes_the_published_words_too(cnnbench: Command) -> None:
    published_words = chosen(cnnbench, "--data-format", "channel first")
    assert published_words == chosen(cnnbench, "--data-format", "channels_first")


@pytest.mark.parametrize("arguments", MISTAKES)
def test_a_wrong_filter_is_one_line_with_what_is_nearest(cnnbench: Command, arguments: str) -> None:
    done = cnnbench("reference", *arguments.split())
    assert (done.status, done.out) == (2, "")
    assert MISTAKES[arguments] in done.line


def screen(width: int) -> Console:
    return Console(file=io.StringIO(), width=width, highlight=False, color_system=None)


def shown(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_terminal_of_80_columns_has_every_cell_whole() -> None:
    console = screen(80)
    reference._print(published.rows(), console)
    text = shown(console)
    too_wide = [line for line in text.splitlines() if len(line) > 80 and "https://" not in line]
    assert not too_wide
    for one in published.rows():
        row = rf"^{re.escape(one.instance_type)} .*{one.package} .*\b{one.images_per_second}\b"
        assert re.search(row, text, re.MULTILINE), one.id


def test_a_terminal_has_numbers_for_flags_and_their_legend() -> None:
    console = screen(80)
    rows = published.rows("imagenet")
    reference._print(rows, console)
    text = shown(console)
    for number, flag in enumerate(flags(rows), 1):
        assert re.search(rf"^ *{number} {flag.id}: ", text, re.MULTILINE)


def test_what_is_equal_is_said_above_only_where_it_must() -> None:
    rows = [{"A": "same", "B": "longer than it", "C": "x y"}, {"A": "same", "B": "b", "C": "y"}]
    wide, narrow, least = screen(80), screen(20), screen(9)
    for console in (wide, narrow, least):
        print_fitted(rows, console, words="C")
    assert "A: same" not in shown(wide)
    assert "A: same, C: y\n" in shown(narrow)
    assert "longer than it" in shown(narrow)
    assert max(map(len, shown(least).splitlines())) <= 9


def test_rows_beside_results_fit_a_terminal_of_80_columns() -> None:
    console = screen(80)
    console.print(beside._table(side_by_side([])))
    lines = shown(console).splitlines()
    assert max(map(len, lines)) <= 80
    assert sum("not measured" in line for line in lines) == 40
    for one in published.rows():
        assert any(
            line.startswith(one.id) and f" {one.images_per_second} " in line for line in lines
        )


def test_show_stands_beside_the_published_rows(cnnbench: Command, folder: Path) -> None:
    assert cnnbench("run", "mine.toml").status == 0
    text = cnnbench("show", "--published").out
    assert text.count("| not measured ") == 40
    (other,) = [row for row in text.splitlines() if "| synthetic-32 |" in row]
    assert "| none " in other
    assert cnnbench("show", "--published", "--json", "told.json").status == 0
    told = json.loads((folder / "told.json").read_text())
    assert len(told["published"]["rows"]) == 40
    assert told["published"]["others"][0]["case"] == told["results"][0]["case"]["id"]
    assert "published" not in json.loads(cnnbench("show", "--json", "-").out)


def test_filters_of_show_choose_published_rows_and_stacks_too(cnnbench: Command) -> None:
    assert cnnbench("run", "mine.toml").status == 0
    text = cnnbench("show", "--published", "--model", "simple_cnn", "--stack", "null").out
    rows = [line for line in text.splitlines() if "| Simple CNN |" in line]
    assert len(rows) == 6
    assert all("| null " in row for row in rows)
    assert "ReNet50V1 |" not in text


def test_a_column_that_must_stay_stays_where_it_is_equal_too() -> None:
    rows = [{"A": "same", "B": "longer than it", "C": "12"}] * 2
    console = screen(20)
    print_fitted(rows, console, kept=("C",))
    text = " ".join(shown(console).split())
    assert text.startswith("A: same, B: longer than it ")
    assert text.count("12") == 2


def test_where_one_column_above_is_not_enough_more_go_there_while_they_have_rows_in_common() -> (
    None
):
    rows = [
        {"A": f"model {a}", "B": f"method {b}", "C": f"stack {c}", "N": "a long note" * c}
        for a in (1, 2)
        for b in (1, 2)
        for c in (0, 1, 2)
    ]
    console = screen(30)
    print_fitted(rows, console, kept=("C",), prose="N")
    text = shown(console)
    assert text.count("A: model 1, B: method 2\n") == 1
    assert text.count("stack 2") == 4
    assert max(map(len, text.splitlines())) <= 30


def test_a_column_that_says_nothing_of_its_own_goes_before_any_is_said_above() -> None:
    rows = [{"A": "one", "B": "of one", "C": "1"}, {"A": "two", "B": "of two", "C": "2"}]
    console = screen(9)
    print_fitted(rows, console, spare=("B",))
    assert "one" in shown(console)
    assert "of one" not in shown(console)
    wide = screen(80)
    print_fitted(rows, wide, spare=("B",))
    assert "of one" in shown(wide)


def test_sentences_stand_last_and_fold() -> None:
    rows = [{"A": "one", "N": "said in a few words", "C": "1"}, {"A": "two", "N": "", "C": "2"}]
    console = screen(26)
    print_fitted(rows, console, prose="N")
    assert re.search(r"^one +1 +said in", shown(console), re.MULTILINE)
    assert re.search(r"^two +2 *$", shown(console), re.MULTILINE)


def test_a_single_row_says_above_all_that_may_be_said_there() -> None:
    console = screen(12)
    print_fitted([{"A": "same", "B": "longer than it", "C": "12"}], console, kept=("C",))
    assert "A: same, B: " in shown(console)
    assert re.search(r"^12 *$", shown(console), re.MULTILINE)
