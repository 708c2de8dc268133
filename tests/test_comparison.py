"""What is concluded of a comparison."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from cnnbench.case import Arm, Case
from cnnbench.comparison import (
    CONTROL,
    DIFFERENT,
    EQUIVALENT,
    FASTER,
    INCONCLUSIVE,
    PILOT_BLOCK,
    SLOWER,
    TRIES,
    Comparison,
    Outcome,
    blocks_expected,
    outcome,
    verdict,
    wants_block,
    windows_wanted,
)
from cnnbench.plan import BUDGETS
from cnnbench.record import STEADY, Failure, Launch, Window
from cnnbench.stats import sequential
from tests.blank import LAUNCH

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cnnbench.record import Facts
    from cnnbench.result import Estimate

STANDARD = BUDGETS["standard"]
ONE_LOOK = replace(STANDARD, blocks=(5, 5))
MARGIN = STANDARD.margin
CASE = Case(stack="keras3-jax", model="simple_cnn", dataset="synthetic-32", method="fit")
ARMS = tuple(Arm(name=name, case=CASE) for name in "abc")
TWO = ARMS[:2]
STOLEN: Facts = {
    "cpu_seconds before": 0.0,
    "cpu_seconds after": 100.0,
    "steal_seconds before": 0.0,
    "steal_seconds after": 20.0,
}
OPPOSITE = {FASTER: SLOWER, SLOWER: FASTER}
IMAGES = 1_000_000


ratios = st.floats(0.5, 2)
speeds = st.floats(100, 200)
blocks_of_two = st.lists(st.tuples(speeds, speeds), min_size=5, max_size=5)


def launch(
    arm: str,
    block: int | None,
    speeds: Iterable[float],
    facts: Facts | None = None,
    begin: float = 0.0,
) -> Launch:
    """A launch whose windows have these speeds, in images/s."""
    windows = (
        Window(index=i, role=STEADY, steps=10**6, images=IMAGES, seconds=IMAGES / s, started=0.0)
        for i, s in enumerate(speeds)
    )
    return replace(
        LAUNCH,
        id=f"{arm}-{block}",
        case=CASE,
        number=(block or 0) + 1,
        stages={"import": begin},
        facts=facts or {},
        windows=tuple(windows),
        arm=arm,
        block=block,
    )


def measured(blocks: Sequence[Sequence[float]], names: str = "abc") -> list[Launch]:
    """Blocks, from 1, of one speed for each arm."""
    return [
        launch(arm, number, [speed])
        for number, block in enumerate(blocks, 1)
        for arm, speed in zip(names, block, strict=False)
    ]


def turns(block: int, baseline: Sequence[float], candidate: Sequence[float]) -> list[Launch]:
    """A block whose arms took turns, with the speeds of their windows."""
    taken: Facts = {"interleaved": True}
    return [launch("a", block, baseline, taken), launch("b", block, candidate, taken)]


def compared(blocks: Sequence[Sequence[float]], budget: object = STANDARD) -> Comparison:
    """Of two arms."""
    found = outcome(measured(blocks), TWO, budget)  # type: ignore[arg-type]
    return found.comparisons[0]


def bounds(found: Estimate | None) -> tuple[float, float]:
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


def noisy(ratio: float, sigma: float, count: int, seed: int = 1) -> list[tuple[float, float]]:
    """Blocks of two arms; what a block is slowed by, it slows both by."""
    rng = np.random.default_rng(seed)
    slow = rng.normal(0, 0.3, count)
    noise = rng.normal(0, sigma, count)
    return [
        (1000 * math.exp(s), 1000 * ratio * math.exp(s + n))
        for s, n in zip(slow, noise, strict=True)
    ]


@given(low=ratios, width=st.floats(1, 2), margin=st.floats(0.001, 0.2))
def test_every_interval_has_one_word_and_each_says_what_it_says(
    low: float, width: float, margin: float
) -> None:
    high, limit = low * width, 1 + margin
    holds = {
        FASTER: low > limit,
        SLOWER: high < 1 / limit,
        EQUIVALENT: low > 1 / limit and high < limit and low <= 1 <= high,
        DIFFERENT: low > 1 / limit and high < limit and not low <= 1 <= high,
    }
    found = [word for word, is_so in holds.items() if is_so]
    assert len(found) <= 1
    assert verdict(low, high, margin) == (found[0] if found else INCONCLUSIVE)


@given(low=ratios, width=st.floats(1, 2), by=st.floats(1, 2), margin=st.floats(0.001, 0.2))
def test_an_interval_that_moves_up_never_becomes_slower_and_stays_faster(
    low: float, width: float, by: float, margin: float
) -> None:
    before, after = verdict(low, low * width, margin), verdict(low * by, low * width * by, margin)
    if before == FASTER:
        assert after == FASTER
    if after == SLOWER:
        assert before == SLOWER


@given(low=ratios, width=st.floats(1, 2), inside=st.floats(0, 0.5), margin=st.floats(0.001, 0.2))
def test_a_narrower_interval_never_takes_a_verdict_back(
    low: float, width: float, inside: float, margin: float
) -> None:
    narrow = (low * width**inside, low * width ** (1 - inside))
    before, after = verdict(low, low * width, margin), verdict(*narrow, margin)
    if before in (FASTER, SLOWER, DIFFERENT):
        assert after == before
    if before == EQUIVALENT:
        assert after in (EQUIVALENT, DIFFERENT)


@given(low=ratios, width=st.floats(1, 2), margin=st.floats(0.001, 0.2))
def test_the_inverse_of_an_interval_has_the_opposite_word(
    low: float, width: float, margin: float
) -> None:
    high, limit = low * width, 1 + margin
    edges = [a * b for a in (low, high) for b in (1, limit, 1 / limit)]
    assume(all(abs(edge - 1) > 1e-9 for edge in edges))
    word = verdict(low, high, margin)
    assert verdict(1 / high, 1 / low, margin) == OPPOSITE.get(word, word)


@given(blocks=blocks_of_two)
def test_at_one_look_the_interval_is_that_of_a_paired_t_test(
    blocks: list[tuple[float, float]],
) -> None:
    logs = np.log(np.array(blocks))
    assume(np.ptp(logs[:, 1] - logs[:, 0]) > 1e-6)
    found = compared(blocks, ONE_LOOK)
    test = stats.ttest_rel(logs[:, 1], logs[:, 0])
    expected = test.confidence_interval(0.95)
    assert found.ratio is not None
    assert math.log(found.ratio.point) == pytest.approx((logs[:, 1] - logs[:, 0]).mean())
    assert [math.log(bound) for bound in bounds(found.ratio)] == pytest.approx(list(expected))
    low, high = bounds(found.ratio)
    if abs(test.pvalue - 0.05) > 1e-6:
        assert (low <= 1 <= high) == (test.pvalue > 0.05)


@given(blocks=blocks_of_two)
def test_the_baseline_and_the_candidate_swapped_give_the_inverse_and_the_opposite(
    blocks: list[tuple[float, float]],
) -> None:
    there, back = compared(blocks), compared([(b, a) for a, b in blocks])
    low, high = bounds(there.ratio)
    assert bounds(back.ratio) == pytest.approx((1 / high, 1 / low))
    assert back.verdict == OPPOSITE.get(there.verdict, there.verdict)


@given(blocks=blocks_of_two, factors=st.lists(st.floats(0.01, 100), min_size=5, max_size=5))
def test_what_slows_both_arms_of_a_block_changes_no_ratio(
    blocks: list[tuple[float, float]], factors: list[float]
) -> None:
    scaled = [(f * a, f * b) for f, (a, b) in zip(factors, blocks, strict=True)]
    before, after = compared(blocks), compared(scaled)
    assert bounds(after.ratio) == pytest.approx(bounds(before.ratio))
    assert after.verdict == before.verdict


@given(blocks=blocks_of_two, seed=st.integers(0, 1000))
def test_the_order_of_blocks_and_of_launches_does_not_matter(
    blocks: list[tuple[float, float]], seed: int
) -> None:
    shuffled = random.Random(seed).sample(blocks, len(blocks))  # noqa: S311
    launches = measured(blocks)
    mixed = random.Random(seed).sample(launches, len(launches))  # noqa: S311
    expected = compared(blocks)
    assert bounds(compared(shuffled).ratio) == pytest.approx(bounds(expected.ratio))
    assert outcome(mixed, TWO, STANDARD) == outcome(launches, TWO, STANDARD)


@pytest.mark.parametrize(
    ("ratio", "word"),
    [(1.0, EQUIVALENT), (1.2, FASTER), (1 / 1.2, SLOWER), (1.01, DIFFERENT), (0.99, DIFFERENT)],
)
def test_quiet_blocks_get_the_word_of_their_ratio_and_no_reason(ratio: float, word: str) -> None:
    found = compared(noisy(ratio, 1e-4, 5))
    assert (found.verdict, found.reason) == (word, "")


def test_an_open_comparison_says_how_many_more_blocks_would_decide() -> None:
    found = compared(noisy(1.0, 0.03, 5))
    assert found.verdict == INCONCLUSIVE
    assert found.reason.startswith("about ")
    assert found.reason.endswith(" more blocks would decide")


def test_a_difference_that_may_be_too_small_to_matter_is_told_as_far_as_it_is_known() -> None:
    blocks = [(1000, 1000 * ratio) for ratio in (1.01, 1.03, 1.02, 1.03, 1.015)]
    assert compared(blocks).reason.startswith(
        "faster, but whether by more than 2.0% is open; about "
    )
    assert compared([(b, a) for a, b in blocks]).reason.startswith("slower, but ")


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_blocks_give_no_interval(count: int) -> None:
    found = compared([(100, 200)] * count)
    assert found.verdict == INCONCLUSIVE
    assert found.reason == "an interval needs two blocks that count"
    assert (found.ratio is None) == (count == 0)


GOOD = measured(noisy(1.1, 0.01, 5))
RISING = [1000 * 1.05**i for i in range(20)]


@pytest.mark.parametrize(
    "extra",
    [
        [launch("a", PILOT_BLOCK, [10]), launch("b", PILOT_BLOCK, [90])],
        [launch("a", None, [10]), launch("b", None, [90])],
        [launch("b", 6, [90])],
        [launch("a", 6, [10], STOLEN), launch("b", 6, [90])],
        [launch("a", 6, RISING), launch("b", 6, [1000] * 20)],
        turns(6, [1000] * 20, RISING),
    ],
    ids=["pilot", "no comparison", "unfinished", "disturbed", "unsteady", "ratio unsteady"],
)
def test_blocks_that_do_not_count_change_no_ratio(extra: list[Launch]) -> None:
    found, expected = outcome([*GOOD, *extra], TWO, STANDARD), outcome(GOOD, TWO, STANDARD)
    assert found.blocks == 5
    assert found.comparisons == expected.comparisons
    assert found.speeds == expected.speeds


def test_blocks_that_were_set_aside_are_told_with_why() -> None:
    unsteady = [launch("a", 6, RISING), launch("b", 6, [1000] * 20)]
    disturbed = [launch("a", 7, [10], STOLEN), launch("b", 7, [90])]
    assert outcome([*GOOD, *unsteady, *disturbed], TWO, STANDARD).set_aside == {
        "no steady state": 1,
        "disturbed, the last because the hypervisor took 20% of the CPUs": 1,
    }


def test_what_slows_both_arms_while_they_take_turns_is_no_unsteadiness() -> None:
    found = outcome(turns(1, RISING, [1.1 * s for s in RISING]), TWO, STANDARD)
    assert (found.blocks, found.set_aside) == (1, {})
    ratio = found.comparisons[0].ratio
    assert ratio is not None
    assert ratio.point == pytest.approx(1.1)


def test_windows_before_the_ratio_is_steady_do_not_count() -> None:
    candidate = [500.0] * 6 + [1000.0] * 14
    found = outcome(turns(1, [1000.0] * 20, candidate), TWO, STANDARD)
    assert found.comparisons[0].ratio is not None
    assert found.comparisons[0].ratio.point == pytest.approx(1)


def test_an_arm_that_cannot_run_is_told_and_ends_the_comparison() -> None:
    broken = Failure(stage="build", kind="error", message="no")
    failed = replace(launch("b", 1, []), failure=broken)
    found = outcome([launch("a", 1, [100]), failed], TWO, STANDARD)
    assert found.failures == {"b": broken}
    assert not wants_block([failed], found, 0.0, STANDARD)


def three(logs: tuple[float, float, float], sigma: float, seed: int) -> list[Launch]:
    noise = np.random.default_rng(seed).normal(0, sigma, (5, 3))
    return measured((1000 * np.exp(np.array(logs) + noise)).tolist())


@given(seed=st.integers(0, 1000))
def test_among_several_arms_every_interval_is_wider(seed: int) -> None:
    launches = three((0, 0, 0), 0.02, seed)
    among = outcome(launches, ARMS, STANDARD).comparisons[0]
    alone = outcome(launches, TWO, STANDARD).comparisons[0]
    assert (among.baseline, among.candidate) == (alone.baseline, alone.candidate) == ("a", "b")
    assert bounds(among.ratio)[0] < bounds(alone.ratio)[0]
    assert bounds(among.ratio)[1] > bounds(alone.ratio)[1]


@pytest.mark.parametrize("logs", list(itertools.permutations([0.0, 0.02, 0.05])))
def test_the_best_set_holds_the_arm_that_is_truly_fastest(
    logs: tuple[float, float, float],
) -> None:
    fastest = "abc"[int(np.argmax(logs))]
    found = [outcome(three(logs, 0.02, seed), ARMS, STANDARD).best for seed in range(40)]
    assert sum(fastest in best for best in found) >= 38
    assert all(best for best in found)


def test_the_best_set_is_one_arm_where_differences_are_large_and_all_where_there_are_none() -> None:
    assert outcome(three((0, 0.5, -0.5), 0.01, 1), ARMS, STANDARD).best == ("b",)
    assert outcome(measured([(7, 7, 7)] * 5), ARMS, STANDARD).best == ("a", "b", "c")
    assert outcome([], ARMS, STANDARD).best == ("a", "b", "c")


def test_the_control_is_the_baseline_over_itself_and_no_arm() -> None:
    again = [launch("a" + CONTROL, number, [1000]) for number in (1, 3)]
    found = outcome([*measured([(1000, 1100)] * 5), *again], TWO, STANDARD)
    assert found.control is not None
    assert found.control.n == 2
    assert found.control.point == pytest.approx(1)
    assert found.best == ("b",)
    assert set(found.speeds) == {"a", "b"}
    assert outcome([*GOOD, again[0]], TWO, STANDARD).control is None


def test_speeds_are_those_of_the_arms_over_all_blocks_that_count() -> None:
    found = outcome(measured([(100, 200), (400, 200)]), TWO, STANDARD).speeds
    assert found["a"].point == pytest.approx(200)
    assert found["b"].point == pytest.approx(200)


def wants(blocks: Sequence[Sequence[float]], spent: float = 0.0) -> bool:
    launches = measured(blocks)
    return wants_block(launches, outcome(launches, TWO, STANDARD), spent, STANDARD)


@given(count=st.integers(0, 25), sigma=st.sampled_from([1e-4, 0.3]))
def test_a_comparison_ends_only_at_a_planned_look_and_if_decided_or_at_the_last(
    count: int, sigma: float
) -> None:
    decided = sigma < 0.01
    looks = sequential.looks(*STANDARD.blocks)
    ends = count >= looks[-1] or (count in looks and decided)
    assert wants(noisy(1.1, sigma, count)) is not ends


def test_a_comparison_out_of_time_ends_but_not_before_its_first_block() -> None:
    seconds = 2 * STANDARD.case_seconds
    assert wants([], seconds)
    assert wants([(1, 2)], seconds - 1)
    assert not wants([(1, 2)], seconds)


def test_a_comparison_of_which_no_block_counts_ends_after_twice_the_most() -> None:
    tries = TRIES * STANDARD.blocks[1]
    disturbed = [launch(arm, block, [100], STOLEN) for block in range(1, tries + 1) for arm in "ab"]
    nothing: Outcome = outcome(disturbed, TWO, STANDARD)
    assert not wants_block(disturbed, nothing, 0.0, STANDARD)
    assert wants_block(disturbed[:-2], nothing, 0.0, STANDARD)


def test_windows_are_the_fewest_until_two_blocks_took_turns() -> None:
    assert windows_wanted([], TWO, STANDARD) == STANDARD.windows[0]
    assert windows_wanted(GOOD, TWO, STANDARD) == STANDARD.windows[0]
    one = turns(1, [100.0] * 20, [100.0] * 20)
    assert windows_wanted(one, TWO, STANDARD) == STANDARD.windows[0]


def test_ratios_that_are_noisy_in_costly_blocks_get_more_windows_and_quiet_ones_the_fewest() -> (
    None
):
    flat, rough = [100.0] * 20, [90.0, 110.0] * 10
    costly = [
        replace(one, stages={"import": 1e6}) for n in (1, 2, 3) for one in turns(n, flat, rough)
    ]
    quiet = [one for n in (1, 2, 3) for one in turns(n, rough, [s * (1 + n / 50) for s in rough])]
    assert windows_wanted(costly, TWO, STANDARD) > STANDARD.windows[0]
    assert windows_wanted(quiet, TWO, STANDARD) == STANDARD.windows[0]


def expected(blocks: Sequence[Sequence[float]]) -> float:
    """Blocks of two arms when all is decided, on average."""
    return blocks_expected(measured(blocks), TWO, STANDARD)


def test_a_clear_difference_is_expected_to_be_decided_at_the_first_look() -> None:
    assert expected([(100, 150), (101, 150)]) < 6.5
    assert expected([(100, 150.0 + i / 10) for i in range(4)]) == STANDARD.blocks[0]


def test_a_difference_as_large_as_the_margin_is_expected_to_stay_open() -> None:
    edge = [(100, 100 * (1 + MARGIN) + noise) for noise in (0.5, -0.5, 0.2, -0.2, 0.4)]
    assert expected(edge) > 12


def test_before_two_blocks_count_the_fewest_are_expected() -> None:
    assert expected([(100, 150)]) == STANDARD.blocks[0]


def test_the_slowest_to_be_decided_of_several_arms_says_how_many_blocks() -> None:
    clear = [(100, 150 + i / 10, 102 + (-1) ** i) for i in range(4)]
    two = blocks_expected(measured(clear), TWO, STANDARD)
    assert blocks_expected(measured(clear), ARMS, STANDARD) > two
