"""Where the speed of a case changed, and where it did not."""

from __future__ import annotations

import json
import math
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnbench.case import Case
from cnnbench.history import LASTING, Series, histories
from cnnbench.plan import BUDGETS
from cnnbench.record import STEADY, Failure, Launch, Window
from cnnbench.report import histories as report
from cnnbench.report.sparkline import ASCII, BLOCKS, sparkline
from cnnbench.stats.welch import believed, pooled, welch

if TYPE_CHECKING:
    from collections.abc import Sequence

CASE = Case(stack="null", model="simple_cnn", dataset="synthetic-32", method="fit")
BUDGET = BUDGETS["quick"]
LAUNCHES = 4
SMALL = st.floats(-10, 10)


def launch(campaign: int, number: int, speed: float, **more: Any) -> Launch:
    windows = tuple(
        Window(index=i, role=STEADY, steps=10, images=round(speed * 100), seconds=100.0, started=0)
        for i in range(3)  # too few to be judged, which takes its time
    )
    said: dict[str, Any] = {
        "id": f"{more.get('case', CASE).id}-{campaign:03}-{number}",
        "campaign": f"c{campaign:03}",
        "case": CASE,
        "number": number,
        "seed": number,
        "stack_fingerprint": "stack",
        "probe_digest": "guest",
        "started_at": f"2026-01-{1 + campaign // 24:02}T{campaign % 24:02}:00:00+00:00",
        "machine": {"machine_id": "here", "kernel": "6.1"},
        "windows": windows,
    }
    return Launch(**(said | more))


def campaigns(
    levels: Sequence[float], *, days: float = 0.0, noise: float = 0.01, seed: int = 1, **more: Any
) -> list[Launch]:
    """Launches of a campaign for each level, whose days and launches differ at random."""
    draw = random.Random(seed)  # noqa: S311
    return [
        launch(at, number, level * math.exp(day + draw.gauss(0, noise)), **more)
        for at, level in enumerate(levels)
        for day in [draw.gauss(0, days)]
        for number in range(1, LAUNCHES + 1)
    ]


def series(launches: list[Launch], **more: Any) -> list[Series]:
    return histories(launches, {one.campaign: BUDGET for one in launches}, **more)


def changes(launches: list[Launch], **more: Any) -> list[tuple[int, float, bool]]:
    (one,) = series(launches, **more)
    return [(change.at, round(change.factor, 1), change.too_new) for change in one.changes]


def test_a_campaign_is_a_point_of_the_launches_that_count() -> None:
    (one,) = series([*campaigns([1000, 1000]), launch(9, 1, 2000.0, failure=_failure())])
    assert [point.speed.n for point in one.points] == [LAUNCHES, LAUNCHES]
    assert (one.machine, one.without) == ("here", 1)
    assert one.points[0].speed.point == pytest.approx(1000, rel=0.02)


def test_launches_of_comparisons_are_left_out() -> None:
    assert series(campaigns([1000, 1000], block=1, arm="a")) == []


def test_each_case_on_each_machine_is_a_series_in_the_order_of_time() -> None:
    other = {"machine_id": "there"}
    found = series([*campaigns([1000] * 2), *reversed(campaigns([500] * 3, machine=other))])
    assert [(one.machine, len(one.points)) for one in found] == [("here", 2), ("there", 3)]
    dates = [point.started_at for point in found[1].points]
    assert dates == sorted(dates)


def test_a_change_is_found_where_it_is() -> None:
    assert changes(campaigns([1000] * 8 + [900] * 5)) == [(8, 0.9, False)]
    assert changes(campaigns([1000] * 6 + [1200] * 6 + [960] * 6)) == [
        (6, 1.2, False),
        (12, 0.8, False),
    ]


@pytest.mark.parametrize("following", [1, 2, 3])
def test_a_change_with_fewer_than_three_campaigns_after_it_is_too_new(following: int) -> None:
    assert changes(campaigns([1000] * 9 + [800] * following)) == [(9, 0.8, following < LASTING)]


def test_one_bad_day_is_no_change() -> None:
    assert changes(campaigns([1000] * 6 + [700] + [1000] * 6)) == []


def test_a_change_that_does_not_matter_is_not_told() -> None:
    launches = campaigns([1000] * 10 + [970] * 10, noise=0.002)
    assert [at for at, _, _ in changes(launches)] == [10]
    assert changes(launches, least=0.05) == []


def test_days_that_differ_are_no_changes() -> None:
    told = sum(
        bool(changes(campaigns([1000] * 15, days=0.02, noise=0.005, seed=seed)))
        for seed in range(100)
    )
    assert told <= 10


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_campaigns_are_no_history(count: int) -> None:
    assert changes(campaigns([1000, 500, 250][:count])) == []


@given(st.lists(st.floats(500, 1500), min_size=1, max_size=12), st.integers(0, 99))
@settings(max_examples=40)
def test_changes_rise_matter_and_follow_from_their_stretches(
    levels: list[float], seed: int
) -> None:
    (one,) = series(campaigns(levels, seed=seed))
    found = [change.at for change in one.changes]
    assert found == sorted(set(found))
    assert all(0 < at < len(one.points) for at in found)
    ends = [*found[1:], len(one.points)][: len(found)]
    for change, end in zip(one.changes, ends, strict=True):
        assert abs(math.log(change.factor)) >= math.log1p(0.015)
        assert 0 <= change.p <= 0.05
        assert change.after == end - change.at
        assert not change.too_new or end == len(one.points)


def test_what_differs_across_a_change_is_named_with_its_values() -> None:
    after = [
        launch(9 + i, n, 800.0 + n, stack_fingerprint="new", machine={"machine_id": "here"})
        for i in range(4)
        for n in range(1, LAUNCHES + 1)
    ]
    (one,) = series([*campaigns([1000] * 9), *after])
    (change,) = one.changes
    assert change.differs == {"stack_fingerprint": ("stack", "new"), "kernel": ("6.1", None)}
    (line,) = report.words(one)
    assert "slower" in line
    assert "what differs: the stack's definition or lock (stack -> new), the kernel" in line


def test_a_change_that_nothing_explains_says_so() -> None:
    (one,) = series(campaigns([1000] * 8 + [800] * 2))
    (line,) = report.words(one)
    assert "too new to tell: 2 campaigns follow" in line
    assert "nothing that is recorded differs" in line


def test_without_a_change_that_is_said() -> None:
    (one,) = series(campaigns([1000] * 4))
    assert report.words(one) == ["no change is proven"]
    (one,) = series(campaigns([1000]))
    assert report.words(one) == ["one campaign is no history yet; measure again with: cnnbench run"]


def test_a_history_is_a_line_a_table_and_words() -> None:
    found = series(campaigns([1000] * 6 + [800] * 4))
    title, line, _, head, *_ = report.markdown(found).splitlines()
    assert CASE.title in title
    assert len(line) == 10
    assert line[0] in BLOCKS[-3:]
    assert line[-1] in BLOCKS[:3]
    assert head.startswith("| Date (UTC)")
    assert (
        "-20." in report.rows(found[0])[6]["Change"] or "-19." in report.rows(found[0])[6]["Change"]
    )


def test_the_document_is_json_even_where_an_interval_has_no_end() -> None:
    launches = [launch(1, 1, 1e-2), launch(1, 2, 1e9)]
    budgets = {"c001": BUDGET}
    told = json.loads(json.dumps(report.document(histories(launches, budgets), 0.015)))
    (one,) = told["series"]
    assert one["points"][0]["recorded"]["stack_fingerprint"] == "stack"
    assert one["case"]["id"] == CASE.id


@given(st.lists(st.floats(-1e9, 1e9), max_size=30), st.sampled_from(["utf-8", "ascii", None, "?"]))
def test_a_sparkline_has_a_sign_for_each_value(values: list[float], encoding: str | None) -> None:
    line = sparkline(values, encoding)
    assert len(line) == len(values)
    signs = BLOCKS if encoding == "utf-8" else ASCII
    assert set(line) <= set(signs)
    if len(set(values)) > 1:
        assert line[values.index(min(values))] == signs[0]
        assert line[values.index(max(values))] == signs[-1]


@given(st.lists(SMALL, min_size=1, max_size=8), st.lists(SMALL, min_size=1, max_size=8), SMALL)
def test_tests_of_two_groups_are_probabilities_that_a_shift_and_order_do_not_change(
    one: list[float], other: list[float], shift: float
) -> None:
    for test in (welch, pooled):
        p = test(one, other)
        assert 0 <= p <= 1
        assert test(other, one) == pytest.approx(p)
        moved = test([x + shift for x in one], [x + shift for x in other])
        assert moved == pytest.approx(p, abs=1e-6)


def test_welch_is_what_scipy_says() -> None:
    from scipy.stats import ttest_ind

    one, other = [1.0, 1.2, 0.9, 1.1], [1.3, 1.9, 1.6]
    assert welch(one, other) == pytest.approx(ttest_ind(one, other, equal_var=False).pvalue)
    assert pooled(one, other) == pytest.approx(ttest_ind(one, other).pvalue)
    assert (welch([1.0], other), pooled([1.0], [2.0])) == (1.0, 1.0)


@given(st.lists(st.floats(0, 1), max_size=12), st.integers(0, 20))
def test_what_is_believed_is_what_scipy_believes_and_less_among_more_tests(
    p_values: list[float], more: int
) -> None:
    from scipy.stats import false_discovery_control

    found = believed(p_values, 0.05)
    if p_values:
        adjusted = false_discovery_control(p_values)
        sure = [(a < 0.05 - 1e-9, a > 0.05 + 1e-9) for a in adjusted]
        assert all(f or not yes for f, (yes, _) in zip(found, sure, strict=True))
        assert not any(f and no for f, (_, no) in zip(found, sure, strict=True))
    fewer = believed(p_values, 0.05, tests=len(p_values) + more)
    assert all(f or not g for f, g in zip(found, fewer, strict=True))


def _failure() -> Failure:
    return Failure(stage="build", kind="error", message="ValueError: no")
