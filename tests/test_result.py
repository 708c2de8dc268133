"""What is concluded of launches, and how programs read it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench.case import Case
from cnnbench.plan import BUDGETS
from cnnbench.record import STEADY, WARM_UP, Failure, Launch, Window
from cnnbench.report.document import document
from cnnbench.result import Result, conclude
from tests.blank import LAUNCH

if TYPE_CHECKING:
    from cnnbench.record import Facts

PROVEN: Facts = {"proof": "p", "proof_outcome": "same", "proof_reason": ""}
BUDGET = replace(BUDGETS["quick"], launches=(3, 5))
CASE = Case(stack="null", model="simple_cnn", dataset="synthetic-32", method="fit")
WIDE = Failure(stage="import", kind="unsupported", message="no such precision here")
BROKEN = Failure(stage="build", kind="error", message="ValueError: no")


def window(images: int, seconds: float, *, role: str = STEADY, steps: int = 10) -> Window:
    return Window(index=0, role=role, steps=steps, images=images, seconds=seconds, started=0.0)


def launch(*windows: Window, number: int = 1, failure: Failure | None = None) -> Launch:
    return replace(
        LAUNCH,
        id=f"launch-{number}",
        case=CASE,
        number=number,
        seed=number,
        machine={"cpu": "x"},
        stages={"import": 2.0, "build": 1.0},
        facts={"backend": "null", "peak_memory_bytes": 1 << 30, **PROVEN},
        windows=tuple(replace(one, index=i) for i, one in enumerate(windows)),
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
    assert conclude([launch(*[window(32, 6.0, steps=2)] * 10)], BUDGET).labels == ()


def test_nine_windows_prove_no_steadiness_and_ten_do() -> None:
    assert conclude([launch(*[window(32, 1.0)] * 9)], BUDGET).labels == ("steadiness unproven",)
    assert conclude([launch(*[window(32, 1.0)] * 10)], BUDGET).labels == ()


def series(*speeds: float, number: int = 1, facts: Facts | None = None) -> Launch:
    """A launch whose windows have these speeds."""
    one = launch(*(window(round(1000 * speed), 1.0) for speed in speeds), number=number)
    return replace(one, facts={**PROVEN, **(facts if facts is not None else {"backend": "jax"})})


FLAT_SPEEDS = [100.0] * 20
RISING = [100 * 1.1**i for i in range(20)]
STOLEN: Facts = {
    "cpu_seconds before": 0.0,
    "cpu_seconds after": 100.0,
    "steal_seconds before": 0.0,
    "steal_seconds after": 20.0,
}


def test_a_case_that_never_becomes_steady_has_a_verdict_of_its_own_and_no_number() -> None:
    result = conclude([series(*RISING), series(*FLAT_SPEEDS, number=2)], BUDGET)
    assert result.verdict == "no steady state"
    assert result.reason == (
        "still changing speed in 1 of 2 launches, windows from 1e+05 to 6.12e+05 images/s"
    )
    assert result.images_per_second is None
    assert not result.metrics
    assert result.labels == ()


def test_one_launch_without_a_steady_state_of_three_is_left_out_and_told() -> None:
    flat = [series(*FLAT_SPEEDS, number=i) for i in (1, 2)]
    result = conclude([*flat, series(*RISING, number=3)], BUDGET)
    assert (result.verdict, result.reason) == ("noisy", "2 of 3 launches")
    assert result.labels == ("no steady state in 1 of 3 launches",)
    assert result.images_per_second is not None
    assert result.images_per_second.n == 2
    assert result.images_per_second.point == pytest.approx(100_000)


def test_windows_before_a_launch_is_warm_do_not_count_though_they_were_measured() -> None:
    result = conclude([series(*[50.0] * 6, *[100.0] * 14)], BUDGET)
    assert result.images_per_second is not None
    assert result.images_per_second.point == pytest.approx(100_000)
    assert result.labels == ()


def test_a_slowdown_is_told_and_what_came_before_it_does_not_count() -> None:
    result = conclude([series(*[100.0] * 6, *[50.0] * 14)], BUDGET)
    assert result.images_per_second is not None
    assert result.images_per_second.point == pytest.approx(50_000)
    assert result.labels == ("slowdown in 1 of 1 launches",)


def test_a_disturbed_launch_does_not_count_and_is_told_with_its_cause() -> None:
    calm = [series(*[100.0] * 10, number=i) for i in (1, 2, 3)]
    result = conclude([*calm, series(*[50.0] * 10, number=4, facts=STOLEN)], BUDGET)
    assert result.verdict == "settled"
    assert result.labels == ("1 of 4 launches disturbed: the hypervisor took 20% of the CPUs",)
    assert result.images_per_second is not None
    assert result.images_per_second.n == 3
    assert len(result.launches) == 4


def test_a_case_whose_launches_were_all_disturbed_is_noisy_however_equal_and_says_why() -> None:
    disturbed = [series(*[100.0] * 10, number=i, facts=STOLEN) for i in (1, 2, 3)]
    result = conclude(disturbed, BUDGET)
    assert result.verdict == "noisy"
    assert result.reason.startswith(
        "3 of 3 launches disturbed: the hypervisor took 20% of the CPUs; stop "
    )


def test_an_interval_between_two_looks_is_as_wide_as_the_next_look_demands() -> None:
    budget = replace(BUDGET, launches=(2, 8))
    found = conclude(launches(1000, 1010, 990), budget).images_per_second
    alone = conclude(launches(1000, 1010, 990), BUDGET).images_per_second
    assert found is not None
    assert alone is not None
    assert found.low is not None
    assert alone.low is not None
    assert found.low < alone.low
    assert found.confidence == alone.confidence == 0.95


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
    seen = replace(launch(*[window(32, 1.0)] * 10), facts={**PROVEN, "convolutions_in": found})
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
    assert result["proof"] == "p"
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


def test_a_launch_that_nothing_was_proven_of_is_unverified() -> None:
    unproven = replace(launch(window(1000, 1.0)), facts={"proof_outcome": "unverified"})
    found = conclude([*launches(1000, 1010), unproven], BUDGET)
    assert "unverified" in found.labels
    assert conclude(launches(1000, 1010, 990), BUDGET).labels == ("steadiness unproven",)


def test_a_known_difference_stands_beside_the_speed() -> None:
    facts = {"proof": "q", "proof_differences": "fixed gamma, symmetric padding"}
    found = conclude([replace(launch(window(1000, 1.0)), facts=facts)], BUDGET)
    assert "differs: fixed gamma, symmetric padding" in found.labels
    assert found.proof == "q"


def test_training_that_is_wrong_is_refused_and_has_no_number() -> None:
    failure = Failure(stage="proof", kind="refused", message="loss in step 1 is off by 1")
    found = conclude([launch(failure=failure)], BUDGET)
    assert (found.verdict, found.reason) == ("refused", "loss in step 1 is off by 1")
    assert found.images_per_second is None
    assert found.proof == "p"
