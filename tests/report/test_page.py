"""The page as a text: what is in it, and that nothing in it can do harm."""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import replace
from typing import Any

import pytest

from cnnbench import catalog
from cnnbench.case import Case
from cnnbench.plan import BUDGETS
from cnnbench.record import STEADY, Failure, Window
from cnnbench.report.inert import inert
from cnnbench.report.page import html
from cnnbench.report.page.html import page
from cnnbench.report.page.labels import labels, subjects
from cnnbench.report.page.material import Material
from cnnbench.result import Result
from cnnbench.store.exchange import Origin, Recorded
from tests.blank import LAUNCH

HOSTILE = "<script>alert(1)</script>\x1b[31m\x07\u202e\"'`=cmd()"


def payload(text: str) -> Any:
    found = re.search(r'id="payload">([^<]*)<', text)
    assert found is not None
    return json.loads(zlib.decompress(base64.b64decode(found[1])))


def sections(text: str) -> list[str]:
    return re.findall(r'<section id="(\w+)"', text)


def hostile() -> Material:
    """Names, reasons and logs of somebody who means harm."""
    case = Case(
        stack=f"local@{HOSTILE}", model=f"{HOSTILE}.py@1", dataset=f"{HOSTILE}@2", method="fit"
    )
    failure = Failure(
        stage="build",
        kind="error",
        message=HOSTILE,
        traceback=HOSTILE,
        log_tail=f"{'x' * 1_000_000}\n{HOSTILE}",
    )
    windows = tuple(
        Window(index=i, role=STEADY, steps=1, images=32, seconds=1.0, started=float(i))
        for i in range(12)
    )
    facts = {"backend": HOSTILE, "package": HOSTILE, "backend_version": HOSTILE}
    machine = {"cpu": HOSTILE, "machine_id": HOSTILE, "os": HOSTILE, "kernel": HOSTILE}
    launches = [
        replace(LAUNCH, id="a", case=case, windows=windows, facts=facts, machine=machine),
        replace(LAUNCH, id="b", case=replace(case, method="train_on_batch"), failure=failure),
    ]
    origin = Origin(suite=HOSTILE, budget=BUDGETS["quick"], machine=machine)
    return Material(recorded=Recorded(campaigns={"c": origin}, launches=tuple(launches)))


def test_every_section_that_has_something_to_tell_is_there_and_no_other(made_up: Any) -> None:
    text = page(made_up.material(24, 3, 15))
    there = sections(text)
    assert there[0] == "speeds"
    assert set(there) >= {"speeds", "effects", "starts", "correctness", "machines"}
    assert not set(there) & {"comparisons", "tuned", "goals", "failures", "diagnoses"}


def test_every_section_has_a_place_of_its_own() -> None:
    modules = [catalog.module("report.sections", name) for name in catalog.names("report.sections")]
    places = [module.PLACE for module in modules]
    assert len(set(places)) == len(places)
    assert all(module.TITLE for module in modules)


def test_every_plot_has_a_table_of_the_same_section(made_up: Any) -> None:
    text = page(made_up.material(24, 3, 15))
    for section in text.split("<section")[1:]:
        assert "<figure>" not in section or "<table" in section


def test_a_number_leads_to_its_launches_and_windows(made_up: Any) -> None:
    told = payload(page(made_up.material(3, 2, 15)))
    assert len(told["results"]) == 3
    assert told["launches"]["counts"] == [2, 2, 2]
    assert sum(count for _, count in told["launches"]["columns"]["roles"][0]) == 15


def test_later_rows_of_a_long_table_are_packed_as_they_would_stand_in_the_page(
    made_up: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = page(made_up.material(24, 2, 5))
    monkeypatch.setattr(html, "ROWS", 4)
    short = page(made_up.material(24, 2, 5))
    packed = "".join(payload(short)["rest"])
    rows = re.compile(r"<tr data-r=.*")
    assert len(rows.findall(short)) < len(rows.findall(whole))
    assert sorted(rows.findall(short) + rows.findall(packed)) == sorted(rows.findall(whole))
    assert "more rows are packed" in short
    assert "more rows are packed" not in whole


def test_names_reasons_and_logs_of_somebody_who_means_harm_are_inert() -> None:
    text = page(hostile())
    assert "<script>alert" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert len(text) < 1_300_000  # a log of a megabyte does not come along


def test_a_page_names_no_other_place_that_a_browser_would_ask(made_up: Any) -> None:
    text = page(made_up.material(3, 2, 15))
    before_library = text[: text.index('<script type="module">')]
    assert not re.search(r"""(?:src|href)=["']?[^"'#]""", before_library)
    assert "default-src 'none'" in before_library


def test_an_empty_store_makes_a_page_that_says_so() -> None:
    assert "Nothing was measured yet." in page(
        Material(recorded=Recorded(campaigns={}, launches=()))
    )


@pytest.mark.parametrize("length", [4000, 4001])
def test_a_text_that_no_reader_bears_is_cut_and_says_how_long_it_was(length: int) -> None:
    found = inert("x" * length)
    assert found == ("x" * 4000 if length == 4000 else f"{'x' * 4000}… (4001 characters)")


def result(**axes: Any) -> Result:
    case = Case(stack="a", model="m", dataset="d", method="fit")
    return Result(
        case=replace(case, **axes),
        verdict="settled",
        reason="",
        images_per_second=None,
        metrics={},
    )


def test_a_label_says_the_stack_and_in_what_results_differ() -> None:
    found = labels([result(), result(stack="b", precision="bfloat16")])
    assert found == ["a · float32", "b · bfloat16"]
    assert labels([result(), result(stack="b")]) == ["a", "b"]


def test_results_of_one_model_and_data_set_are_one_subject() -> None:
    found = subjects([result(), result(model="n"), result(stack="b"), result(device="gpu")])
    assert [(one.title, list(one.places)) for one in found] == [
        ("m on d", [0, 2]),
        ("n on d", [1]),
        ("m on d, on GPUs", [3]),
    ]
