"""Where a step's time goes: parts that sum to the whole, and what each remedy can give."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench import diagnosis
from cnnbench.diagnosis import Peaks, arms, chain, diagnosed, peak_facts, peaks_of
from cnnbench.report import diagnoses
from tests.blank import LAUNCH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cnnbench.case import Case

CASE = replace(LAUNCH.case, stack="keras3-torch", batch_size=32)
METHODS = (
    "fit",
    "fit_batch_callback",
    "fit_progress_bar",
    "fit_steps_per_execution",
    "fit_generator",
    "train_on_batch",
)
# Milliseconds of a step, for each part.
COSTS = {
    diagnosis.CALLBACKS: 3.0,
    diagnosis.INPUT: 10.0,
    diagnosis.LOOP: 4.0,
    diagnosis.WAITING: 2.0,
    diagnosis.TRANSFER: 1.0,
    diagnosis.EACH_STEP: 5.0,
    diagnosis.COMPUTE: 25.0,
}


def of(method: str) -> Case:
    return replace(CASE, method=method)


def block(case: Case, costs: Mapping[str, float], slower: float = 1.0) -> dict[str, float]:
    """Logarithms of images per second, of a machine on which parts cost so much."""

    def log_speed(milliseconds: float, images: int) -> float:
        return math.log(images / (slower * milliseconds / 1e3))

    left = sum(costs[link.part] for link in chain(case))
    left += costs[diagnosis.EACH_STEP] + costs[diagnosis.COMPUTE]
    found = {diagnosis.AS_IS: log_speed(left, case.batch_size)}
    for link in chain(case):
        left -= costs[link.part]
        found[link.arm] = log_speed(left, case.batch_size)
    half = costs[diagnosis.EACH_STEP] + costs[diagnosis.COMPUTE] / 2
    found[diagnosis.HALF_BATCH] = log_speed(half, case.batch_size // 2)
    return found


@pytest.mark.parametrize("method", METHODS)
def test_each_part_costs_what_it_was_made_to_cost(method: str) -> None:
    case = of(method)
    found = diagnosed(case, [block(case, COSTS, slower) for slower in (1.0, 1.3, 0.8)])
    assert [part.name for part in found.parts][-2:] == [diagnosis.EACH_STEP, diagnosis.COMPUTE]
    whole = sum(COSTS[part.name] for part in found.parts)
    for part in found.parts:
        assert part.share.point == pytest.approx(COSTS[part.name] / whole)
        # A machine that is slower in one block than in another changes no share.
        assert part.share.high == pytest.approx(part.share.low)
        assert part.ceiling.point == pytest.approx(1 / (1 - COSTS[part.name] / whole))


@given(
    method=st.sampled_from(METHODS),
    blocks=st.lists(
        st.lists(st.floats(-3.0, 12.0), min_size=7, max_size=7), min_size=1, max_size=5
    ),
    without=st.sets(st.sampled_from([diagnosis.WAITED, diagnosis.STEPPED, diagnosis.RESIDENT])),
)
def test_whatever_is_measured_the_parts_are_the_whole_step(
    method: str, blocks: list[list[float]], without: set[str]
) -> None:
    case = of(method)
    names = [diagnosis.AS_IS, *(link.arm for link in chain(case)), diagnosis.HALF_BATCH]
    known = [
        {name: log for name, log in zip(names, logs, strict=False) if name not in without}
        for logs in blocks
    ]
    found = diagnosed(case, known)
    assert found.blocks == len(blocks)
    assert sum(part.share.point for part in found.parts) == pytest.approx(1.0, abs=1e-6)


def test_what_cannot_be_told_apart_is_told_together() -> None:
    case = of("train_on_batch")
    one = block(case, COSTS)
    known = {name: one[name] for name in (diagnosis.AS_IS, diagnosis.CACHED)}
    found = diagnosed(case, [known, known])
    assert [part.name for part in found.parts] == ["input", "loop, waiting, transfer, all else"]
    assert found.parts[0].share.point == pytest.approx(10 / 47)


def test_half_of_an_odd_batch_is_no_half() -> None:
    case = replace(of("fit"), batch_size=5)

    def log(images: int) -> float:
        return math.log(images / (2.0 + 3.0 * images))

    known = {
        **dict.fromkeys((diagnosis.AS_IS, diagnosis.STEPPED, diagnosis.RESIDENT), log(5)),
        diagnosis.HALF_BATCH: log(2),
    }
    *_, each, compute = diagnosed(case, [known, known]).parts
    assert each.seconds.point == pytest.approx(2.0)
    assert compute.seconds.point == pytest.approx(15.0)


def test_twice_the_cpus_save_half_of_what_half_of_them_cost() -> None:
    # 2 s alone and 8 s shared by two CPUs: 6 s on them, 10 s on one, 4 s on four.
    known = {diagnosis.AS_IS: math.log(32 / 6), diagnosis.HALF_CPUS: math.log(32 / 10)}
    (effect,) = diagnosed(of("fit"), [known, known]).effects
    assert effect.ratio.point == pytest.approx(0.6)
    assert effect.ceiling is not None
    assert effect.ceiling.point == pytest.approx(6 / 4)


def test_a_loader_alone_is_the_ceiling_of_all_else() -> None:
    known = {diagnosis.AS_IS: math.log(100.0), diagnosis.LOADER: math.log(250.0)}
    (effect,) = diagnosed(of("fit_generator"), [known]).effects
    assert effect.ceiling is not None
    assert effect.ceiling.point == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("case", "backend", "wanted"),
    [
        (of("fit"), "jax", {"stepped", "resident", "steps_per_execution"}),
        (of("fit"), "torch", {"stepped", "resident"}),
        (of("fit_progress_bar"), "torch", {"unwatched", "stepped", "resident"}),
        (of("train_on_batch"), "torch", {"cached", "waited", "stepped", "resident"}),
        (of("fit_generator"), "torch", {"cached", "stepped", "resident", "loader"}),
    ],
)
def test_a_method_is_taken_apart_by_what_it_has(case: Case, backend: str, wanted: set[str]) -> None:
    found = {arm.name: arm.case for arm in arms(case, backend, cpus=2)}
    assert set(found) == {"as is", "half the batch", "half the CPUs", *wanted}
    assert found["as is"] == case
    assert found["half the CPUs"].threads == 1
    assert found["half the batch"].batch_size == 16
    assert found["resident"].experiment == "resident"
    assert len({one.id for one in found.values()}) == len(found)


def test_what_has_no_half_is_not_halved() -> None:
    found = {arm.name for arm in arms(replace(of("fit"), batch_size=1), "torch", cpus=1)}
    assert not found & {"half the batch", "half the CPUs"}


def test_operations_are_told_beside_what_the_machine_can_do() -> None:
    case = of("fit")
    peaks = Peaks({"float32": {"matmul": 8e9, "convolution": 4e9}}, 1e10)
    found = diagnosed(case, [block(case, COSTS)], macs=10**6, peaks=peaks)
    speed = 32 / 0.035
    assert found.achieved == pytest.approx(6e6 * speed)
    shown = {row["Peak of this machine"]: row for row in diagnoses.peak_rows(found)}
    assert shown["convolution in float32"]["Reached"] == f"{6e6 * speed / 4e9:.1%}"


def test_nothing_measured_is_told_with_its_reason() -> None:
    found = diagnosed(of("fit"), [], failures={"as is": "no data"})
    assert found.speed is None
    assert diagnoses.markdown(found) == "Nothing was measured.\n\n- as is: no data"


def test_peaks_are_facts_of_launches_and_come_back() -> None:
    peaks = Peaks({"float32": {"matmul": 2e11, "convolution": 1e11}}, 1e10)
    assert peaks_of(peak_facts(peaks)) == peaks
    assert peaks_of({"macs": 5}) is None
