"""Who leaves a race, and when it is over."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cnnbench.racing import COARSE, Rules, Standing, standing

if TYPE_CHECKING:
    from collections.abc import Mapping

RULES = Rules(confidence=0.95, margin=0.02, blocks=(2, 8))
NAMES = tuple("abcdef")


def blocks(
    speeds: Mapping[str, float], count: int, noise: float, seed: int
) -> list[dict[str, float]]:
    draw = np.random.default_rng(seed)
    return [
        {name: math.log(speed) + day + draw.normal(0, noise) for name, speed in speeds.items()}
        for day in draw.normal(0, 0.2, count)
    ]


def stands(run: list[dict[str, float]], rules: Rules = RULES) -> Standing:
    """Of a race in which all are that were in its last block."""
    return standing(run, list(run[-1]), rules)


def test_after_one_block_only_those_leave_that_are_far_behind() -> None:
    found = stands([{"a": 0.0, "b": -0.3, "c": -math.log(2 * COARSE)}])
    assert found.leader == "a"
    assert found.inside == ("a", "b")
    assert not found.is_over


def test_an_arm_that_is_clearly_behind_leaves_and_the_race_is_over() -> None:
    found = stands(blocks({"a": 100, "b": 80}, 4, 0.01, 1))
    assert found.inside == ("a",)
    assert found.is_over
    assert 0.77 < found.behind["b"] < 0.83


def test_a_race_of_equals_is_over_when_their_difference_cannot_matter() -> None:
    short = stands(blocks({"a": 100, "b": 100}, 2, 0.01, 1))
    assert set(short.inside) == {"a", "b"}
    assert not short.is_over
    long = stands(blocks({"a": 100, "b": 100}, 6, 0.0005, 1))
    assert long.is_over


def test_a_race_ends_with_its_last_block() -> None:
    found = stands(blocks({"a": 100, "b": 99}, 8, 0.1, 3))
    assert len(found.inside) == 2
    assert found.is_over


def test_an_arm_whose_launches_did_not_count_stays_in() -> None:
    found = standing([{"a": 1.0, "b": 1.1}], ["a", "b", "c"], RULES)
    assert found.leader == "b"
    assert found.inside == ("b", "a", "c")


def test_one_arm_has_won() -> None:
    rules = RULES._replace(blocks=(1, 8))
    assert stands([{"a": 1.0}], rules).is_over


@given(seed=st.integers(0, 10**6), by=st.floats(-5, 5))
def test_a_race_that_is_k_times_as_fast_stands_alike(seed: int, by: float) -> None:
    speeds = dict(zip(NAMES, (100, 99, 97, 90, 85, 60), strict=True))
    usual = blocks(speeds, 3, 0.02, seed)
    faster = [{name: value + by for name, value in block.items()} for block in usual]
    assert stands(usual).inside == stands(faster).inside


def test_the_best_arm_stays_in_the_race() -> None:
    """Over 2,000 races of six arms: more often than was promised."""
    speeds = dict(zip(NAMES, (100, 98, 97, 95, 90, 80), strict=True))
    lost = 0
    for seed in range(2000):
        run: list[dict[str, float]] = []
        inside: tuple[str, ...] = NAMES
        for block in blocks(speeds, RULES.blocks[1], 0.03, seed):
            run.append({name: block[name] for name in inside})
            found = standing(run, inside, RULES)
            inside = found.inside
            if found.is_over:
                break
        lost += "a" not in inside
    assert lost <= 2000 * (1 - RULES.confidence)
