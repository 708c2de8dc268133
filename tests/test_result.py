"""What is concluded of launches, and how programs read it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench.case import Case
from cnnbench.plan import BUDGETS
from cnnbench.record import STEADY, WARM_UP, Failure, Launch, Window
from cnnbench.report.document import document
from cnnbench.result import Result, conclude

BUDGET = replace(BUDGETS["quick"], launches=(3, 5))
CASE = Case(stack="null", model="simple_cnn", dataset="synthetic-32", method="fit")
WIDE = Failure(stage="import", kind="unsupported", message="no such precision here")
BROKEN = Failure(stage="build", kind="error", message="ValueError: no")


def window(images: int, seconds: float, *, role: str = STEADY, steps: int = 10) -> Window:
    return Window(index=0, role=role, steps=steps, images=images, seconds=seconds, started=0.0)


def launch(*windows: Window, number: int = 1, failure: Failure | None = None) -> Launch:
    return Launch(
        id=f"launch-{number}",
        campaign="c",
        case=CASE,
        number=number,
        seed=number,
        stack_fingerprint="f",
        probe_digest="p",
        started_at="2026-01-01T00:00:00+00:00",
        machine={"cpu": "x"},
        stages={"import": 2.0, "build": 1.0},
        facts={"backend": "null", "peak_memory_bytes": 1 << 30},
        windows=windows,
        failure=failure,
    )


def launches(*speeds: float) -> list[Launch]:
    return [launch(window(round(s), 1.0), number=i) for i, s in enumerate(speeds, start=1)]


def verdict(*speeds: float) -> tuple[str, str]:
    result = conclude(launches(*speeds), BUDGET)
    return result.verdict, result.reason


def test_a_narrow_interval_is_settled_and_needs_no_reason() -> None:
    assert verdict(1000, 1010, 990) == ("settled", "")


def test_a_wide_interval_is_noisy_and_says_how_wide_it_may_be() -> None:
    assert verdict(1000, 1500, 700) == ("noisy", "wider than ±10% after 3 launches")


def test_one_launch_is_noisy_for_it_has_no_interval() -> None:
    assert verdict(1000) == ("noisy", "1 launch gives no interval")


def test_fewer_launches_than_asked_are_noisy_however_equal() -> None:
    assert verdict(1000, 1000) == ("noisy", "2 of 3 launches")


def test_a_failure_is_told_with_its_stage_and_leaves_no_number() -> None:
    result = conclude([*launches(1000), launch(number=2, failure=BROKEN)], BUDGET)
    assert (result.verdict, result.reason) == ("failed", "build: ValueError: no")
    assert result.images_per_second is None
    assert not result.metrics


def test_what_cannot_run_as_asked_is_unsupported_and_says_why() -> None:
    result = conclude([launch(failure=WIDE)], BUDGET)
    assert (result.verdict, result.reason) == ("unsupported", "no such precision here")


def test_a_launch_without_a_number_gives_none() -> None:
    result = conclude([launch()], BUDGET)
    assert result.verdict == "noisy"
    assert result.images_per_second is None


def test_speed_is_images_of_all_windows_over_seconds_of_all_windows() -> None:
    result = conclude([launch(window(100, 1.0), window(100, 3.0))], BUDGET)
    assert result.images_per_second is not None
    assert result.images_per_second.point == pytest.approx(50)


def test_warm_up_does_not_count() -> None:
    result = conclude([launch(window(1, 100.0, role=WARM_UP), window(100, 1.0))], BUDGET)
    assert result.images_per_second is not None
    assert result.images_per_second.point == pytest.approx(100)


def test_steps_of_more_than_five_seconds_are_labelled() -> None:
    assert conclude([launch(window(32, 6.0, steps=1))], BUDGET).labels == ("short",)
    assert conclude([launch(window(32, 6.0, steps=2))], BUDGET).labels == ()


@pytest.mark.parametrize(
    ("found", "labels"),
    [
        ("channels_first", ("layout emulated",)),
        ("both", ("layout emulated",)),
        ("channels_last", ()),
        ("none", ()),
    ],
)
def test_a_layout_that_was_not_run_is_labelled(found: str, labels: tuple[str, ...]) -> None:
    seen = replace(launch(window(32, 1.0)), facts={"convolutions_in": found})
    assert conclude([seen], BUDGET).labels == labels


def test_a_metric_of_zero_is_left_out() -> None:
    seen = replace(launch(window(100, 1.0)), stages={"import": 0.0, "build": 1.0})
    metrics = conclude([seen], BUDGET).metrics
    assert "import_seconds" not in metrics
    assert metrics["build_seconds"].point == 1.0


def test_every_launch_is_named_in_order() -> None:
    found = conclude(launches(1000, 1010, 990), BUDGET)
    assert found.launches == ("launch-1", "launch-2", "launch-3")
    assert found.images_per_second is not None
    assert found.images_per_second.n == 3


def written(*results: Result, machine: dict[str, float] | None = None) -> dict[str, Any]:
    text = json.dumps(document(results, machine or {}), allow_nan=False)
    read: dict[str, Any] = json.loads(text)
    return read


def test_the_document_has_the_keys_that_programs_rely_on() -> None:
    told = document([conclude(launches(1000, 1010, 990), BUDGET)], {"cpu": "x"})
    assert told["schema"] == 1
    assert told["machine"] == {"cpu": "x"}
    (result,) = told["results"]
    promised = {"case", "verdict", "reason", "images_per_second", "metrics", "proof", "launches"}
    assert promised <= result.keys()
    assert result["case"]["stack"] == "null"
    assert result["proof"] is None
    assert result["launches"] == ["launch-1", "launch-2", "launch-3"]
    estimate = {"point", "low", "high", "confidence", "n"}
    assert result["images_per_second"].keys() == estimate
    assert result["metrics"]["peak_memory"].keys() == estimate


def test_the_document_has_null_where_there_is_no_number() -> None:
    (result,) = document([conclude([launch(failure=BROKEN)], BUDGET)], {})["results"]
    assert result["images_per_second"] is None
    assert result["metrics"] == {}
    (single,) = document([conclude(launches(1000), BUDGET)], {})["results"]
    assert single["images_per_second"]["low"] is None


@given(value=st.sampled_from([float("nan"), float("inf"), float("-inf")]))
def test_the_document_is_strict_json_whatever_was_seen(value: float) -> None:
    wild = replace(window(100, 1.0), loss=value)
    seen = replace(launch(wild), facts={"loss": value, "backend": "null"})
    told = written(conclude([seen], BUDGET), machine={"load": value})
    assert told["machine"] == {"load": None}


def test_an_interval_without_upper_bound_is_strict_json() -> None:
    budget = replace(BUDGET, confidence=0.9999)
    seen = [replace(one, stages={"build": 10.0 ** (8 * one.number)}) for one in launches(9, 9)]
    (result,) = written(conclude(seen, budget))["results"]
    assert result["metrics"]["build_seconds"]["high"] is None
