"""Time to accuracy, and whether it was come by honestly."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from cnnbench import convergence
from cnnbench.case import Case
from cnnbench.plan import BUDGETS
from cnnbench.record import FIRST_STEP, STEADY, Failure, Launch, Window
from cnnbench.report import goals
from cnnbench.report.document import document
from cnnbench.report.table import rows
from cnnbench.stats import welch
from tests.blank import LAUNCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnbench.result import Result

CASE = Case(
    stack="keras3-jax",
    model="simple_cnn",
    dataset="cifar10",
    method="fit",
    data_format="channels_first",
    precision="bfloat16",
    until=0.5,
)
REFERENCE = convergence.reference_of(CASE)
BUDGET = replace(BUDGETS["quick"], launches=(5, 5))
USUAL = (5, 6, 5, 7, 6)  # windows to the goal


def launch(windows: int, case: Case = CASE, last: float = 0.55, seconds: float = 2.0) -> Launch:
    """One that ends after so many windows of 10,000 images."""
    first = Window(index=0, role=FIRST_STEP, steps=1, images=32, seconds=4.0, started=0.0)
    later = [
        Window(
            index=at,
            role=STEADY,
            steps=313,
            images=10_000,
            seconds=seconds,
            started=0.0,
            accuracy=last if at == windows else 0.1,
        )
        for at in range(1, windows + 1)
    ]
    return replace(
        LAUNCH,
        id=f"{case.stack}-{windows}",
        case=case,
        machine={"machine_id": "m"},
        facts={"proof": "p", "proof_outcome": "same"},
        windows=(first, *later),
    )


def concluded(ours: Sequence[int], theirs: Sequence[int] = USUAL, **more: float) -> Result:
    assert REFERENCE is not None
    launches = [launch(n, **more) for n in ours]  # type: ignore[arg-type]
    known = {CASE: launches, REFERENCE: [launch(n, REFERENCE) for n in theirs]}
    return convergence.conclude(launches, BUDGET, known)


def test_the_reference_is_plain_pytorch_in_float32_and_has_none_itself() -> None:
    assert REFERENCE is not None
    assert (REFERENCE.stack, REFERENCE.precision) == ("native-torch", "float32")
    assert (REFERENCE.model, REFERENCE.dataset, REFERENCE.until) == ("simple_cnn", "cifar10", 0.5)
    assert convergence.reference_of(REFERENCE) is None
    assert convergence.reference_of(replace(CASE, model="mine.py@abc")) is None
    others = [CASE, replace(CASE, stack="keras3-torch"), replace(CASE, until=None)]
    assert convergence.with_references(others) == (*others, REFERENCE)


def test_time_to_accuracy_has_an_interval_over_seeds() -> None:
    found = concluded(USUAL)
    took = found.metrics["time_to_accuracy"]
    assert found.verdict == "settled"
    assert took.n == 5
    assert took.low is not None
    assert took.high is not None
    assert took.low < took.point < took.high
    assert 14 < took.point < 18  # 4 s of the first step, and 5 to 7 windows of 2 s


def test_what_learns_as_the_reference_does_is_not_refused() -> None:
    found = concluded((6, 5, 6, 7, 5))
    assert found.verdict == "settled"
    assert found.labels == ()
    assert found.convergence is not None
    assert found.convergence.images.low is not None
    assert found.convergence.images.high is not None
    assert found.convergence.images.low < 1 < found.convergence.images.high
    assert found.convergence.reference == 5


def test_what_learns_from_far_fewer_images_is_refused_and_has_no_number() -> None:
    found = concluded((2, 2, 2, 2, 2))
    assert found.verdict == "refused"
    assert "of the images that the reference needs" in found.reason
    assert not found.metrics
    assert found.images_per_second is None


def test_what_seems_to_learn_from_fewer_images_but_not_so_surely_is_doubtful() -> None:
    found = concluded((2, 3, 5, 3, 2))
    assert found.verdict == "settled"
    assert "convergence doubtful" in found.labels
    assert "convergence doubtful" in goals.markdown([found])


def test_what_learns_more_slowly_is_not_refused_for_time_shows_it() -> None:
    found = concluded((20, 22, 21, 25, 20))
    assert found.verdict == "settled"
    assert found.convergence is not None
    assert found.convergence.images.point > 3


def test_a_goal_that_one_launch_missed_gives_no_time() -> None:
    missed = launch(10, last=0.45)
    found = convergence.conclude([launch(5), launch(6), missed], BUDGET, {})
    assert found.verdict == "not reached"
    assert "by 1 of 3 launches in 20 passes; the best accuracy was 55.0%" in found.reason
    assert not found.metrics


def test_without_a_reference_convergence_is_unverified_and_says_so() -> None:
    found = convergence.conclude([launch(n) for n in USUAL], BUDGET, {})
    assert found.verdict == "settled"
    assert "convergence unverified" in found.labels


def test_a_failure_is_told_as_of_any_case() -> None:
    failed = replace(launch(5), failure=Failure(stage="data", kind="error", message="none"))
    assert convergence.conclude([failed], BUDGET, {}).verdict == "failed"


def test_goals_have_a_table_of_their_own_and_stand_in_the_json() -> None:
    found = [concluded(USUAL), concluded((2, 2, 2, 2, 2))]
    assert rows(found) == []
    settled, refused = goals.rows(found)
    assert settled["Accuracy"] == "50 %"
    assert "(" in settled["Of the reference's"]
    assert refused["Time (s)"] == "refused"
    assert "something is left out" in goals.markdown(found)
    told = document(found, {})["results"]
    assert told[0]["convergence"]["reference"] == 5
    assert told[0]["metrics"]["images_to_accuracy"]["n"] == 5


GROUP = st.lists(st.floats(1.0, 100.0), min_size=2, max_size=8)


@given(GROUP, GROUP)
def test_one_sided_welch_is_what_scipy_says(one: list[float], other: list[float]) -> None:
    if min(np.std(one), np.std(other)) < 0.1:
        return
    right = ttest_ind(one, other, equal_var=False, alternative="less").pvalue
    assert welch.less(one, other, least_noise=1e-9) == pytest.approx(right, abs=1e-9)


@given(GROUP, GROUP, st.floats(-10, 10))
def test_a_difference_moves_with_what_is_added(
    one: list[float], other: list[float], shift: float
) -> None:
    apart, reach = welch.difference(one, other, 0.95, least_noise=0.1)
    moved, same = welch.difference([x + shift for x in one], other, 0.95, least_noise=0.1)
    assert moved == pytest.approx(apart + shift, abs=1e-6)
    assert same == pytest.approx(reach, rel=1e-6)


def test_right_stacks_are_refused_as_rarely_as_is_said() -> None:
    draw = np.random.default_rng(1)
    refused = 0
    for _ in range(2_000):
        ours, theirs = draw.integers(4, 9, (2, 5))
        refused += concluded(ours.tolist(), theirs.tolist()).verdict == "refused"
    assert refused <= 6  # 2 are expected; 7 or more in one run of a hundred
