"""What goes in comes out, and nothing is ever changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.engine import Engine

from cnnbench.case import Case
from cnnbench.errors import StoreError
from cnnbench.record import FIRST_STEP, PILOT, STEADY, WARM_UP, Failure, Launch, Window
from cnnbench.store import exchange
from cnnbench.store.database import Store, new_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cnnbench.case import Budget
    from tests.store.conftest import BeginCampaign, MakeLaunch

# Bytes of a file name that are not UTF-8 reach Python as lone surrogates.
texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\udc80\udcff"))
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
facts = st.dictionaries(texts, scalars, max_size=4)
counts = st.integers(0, 2**53)
times = st.floats(0, allow_infinity=False).map(abs)
windows = st.builds(
    Window,
    index=st.just(0),
    role=st.sampled_from([FIRST_STEP, PILOT, WARM_UP, STEADY]),
    steps=counts,
    images=counts,
    seconds=times,
    started=times,
    # SQLite does not keep the sign of zero.
    loss=st.none() | st.floats().map(lambda loss: loss + 0.0),
)
launches = st.builds(
    Launch,
    id=st.builds(new_id),
    campaign=st.just(""),
    case=st.builds(
        Case,
        stack=texts,
        model=texts,
        dataset=texts,
        method=texts,
        batch_size=st.integers(1, 2**40),
        augment=st.booleans(),
        threads=st.integers(0, 512),
    ),
    number=st.integers(1, 1000),
    seed=st.integers(0, 2**63 - 1),
    stack_fingerprint=st.just("f1"),
    probe_digest=st.just("p1"),
    started_at=st.datetimes().map(lambda at: f"{at.isoformat()}+00:00"),
    machine=facts,
    stages=st.dictionaries(texts, st.floats(), max_size=3),
    facts=facts,
    windows=st.lists(windows, max_size=3).map(
        lambda some: tuple(replace(window, index=at) for at, window in enumerate(some))
    ),
    failure=st.none()
    | st.builds(Failure, stage=texts, kind=texts, message=texts, traceback=texts, log_tail=texts),
)


def record(store: Store, launch: Launch) -> None:
    store.begin_launch(launch)
    for window in launch.windows:
        store.add_window(launch.id, window)
    store.end_launch(launch.id, launch.stages, launch.facts, launch.failure)


@pytest.fixture(scope="module")
def shared(
    new_place: Callable[[], str], begin_campaign: BeginCampaign
) -> Iterator[tuple[Store, str]]:
    with Store.open(new_place()) as opened:
        yield opened, begin_campaign(opened)


@settings(max_examples=60)
@given(launch=launches)
def test_a_launch_comes_back_as_it_was(shared: tuple[Store, str], launch: Launch) -> None:
    store, campaign = shared
    launch = replace(launch, campaign=campaign)
    record(store, launch)
    # By text, as NaN is not equal to itself.
    assert repr(store.launches()[-1]) == repr(launch)


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), float("-inf"), 5e-324, None])
def test_a_loss_that_left_the_numbers_is_kept(
    store: Store, begin_campaign: BeginCampaign, make_launch: MakeLaunch, loss: float | None
) -> None:
    window = Window(index=0, role=STEADY, steps=1, images=32, seconds=1.0, started=2.0, loss=loss)
    record(store, replace(make_launch(begin_campaign(store)), windows=(window,)))
    assert repr(store.launches()[0].windows) == repr((window,))


def test_a_launch_without_an_end_is_no_result(
    store: Store, begin_campaign: BeginCampaign, make_launch: MakeLaunch
) -> None:
    campaign = begin_campaign(store)
    done, lost = make_launch(campaign), make_launch(campaign)
    record(store, done)
    store.begin_launch(lost)
    assert store.launches() == [done]
    assert store.launches(complete=False) == [done, lost]


def test_launches_come_in_the_order_of_their_starts_even_if_the_clock_was_set_back(
    store: Store, begin_campaign: BeginCampaign, make_launch: MakeLaunch
) -> None:
    campaign = begin_campaign(store)
    first = replace(make_launch(campaign), started_at="2026-01-02T00:00:00+00:00")
    second = replace(make_launch(campaign), started_at="2026-01-01T00:00:00+00:00")
    store.begin_launch(first)
    store.begin_launch(second)
    store.end_launch(second.id, {}, {}, None)
    store.end_launch(first.id, {}, {}, None)
    assert store.launches() == [first, second]


def test_only_the_launches_of_the_campaign_that_is_asked_for_are_given(
    store: Store, begin_campaign: BeginCampaign, make_launch: MakeLaunch
) -> None:
    one, other = make_launch(begin_campaign(store)), make_launch(begin_campaign(store))
    record(store, one)
    record(store, other)
    assert store.launches(campaign=one.campaign) == [one]
    assert store.launches(campaign="no such") == []


def test_each_case_is_shown_from_the_latest_campaign_that_finished_a_launch_of_it(
    store: Store, begin_campaign: BeginCampaign, make_launch: MakeLaunch
) -> None:
    old, new = begin_campaign(store), begin_campaign(store)
    in_both = [make_launch(new, model="a"), make_launch(new, model="a")]
    stale, only_old, lost = (make_launch(old, model=name) for name in "abb")
    # The older campaign is still under way: its launch of `a` comes last.
    for launch in [*in_both, only_old, stale]:
        record(store, launch)
    store.begin_launch(replace(lost, campaign=new))
    assert list(store.newest_launches().values()) == [[only_old], in_both]


def test_a_case_that_has_grown_a_field_since_is_still_one_case(
    store: Store,
    begin_campaign: BeginCampaign,
    make_launch: MakeLaunch,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old, new = make_launch(begin_campaign(store)), make_launch(begin_campaign(store))
    record(store, new)
    with monkeypatch.context() as before:
        before.setattr(Case, "id", property(lambda _case: "id without the field"))
        record(store, old)
    assert store.newest_launches() == {(new.case, None): [new]}


def test_the_same_case_on_another_machine_is_another_result(
    store: Store, begin_campaign: BeginCampaign, make_launch: MakeLaunch
) -> None:
    one, other = (
        replace(make_launch(begin_campaign(store)), machine={"machine_id": name}) for name in "ab"
    )
    record(store, one)
    record(store, other)
    assert store.newest_launches() == {(one.case, "a"): [one], (other.case, "b"): [other]}


def test_what_was_measured_later_is_newer_even_if_it_came_earlier(
    store: Store, begin_campaign: BeginCampaign, make_launch: MakeLaunch
) -> None:
    newer = make_launch(begin_campaign(store))
    record(store, newer)
    older = replace(make_launch("from elsewhere"), started_at="2020-01-01T00:00:00+00:00")
    origin = exchange.origin(store.campaigns()[0])
    store.add(exchange.Recorded(campaigns={older.campaign: origin}, launches=(older,)))
    assert list(store.newest_launches().values()) == [[newer]]
    recorded = exchange.newest(exchange.everything(store))
    assert recorded.launches == (newer,)


def test_a_campaign_is_listed_as_it_was_begun(
    store: Store, begin_campaign: BeginCampaign, case: Case, budget: Budget
) -> None:
    assert store.latest_campaign() is None
    first, second = begin_campaign(store), begin_campaign(store)
    store.end_campaign(first)
    one, two = store.campaigns()
    assert (one.id, two.id, store.latest_campaign()) == (first, second, second)
    assert (one.suite, one.budget, one.plan) == ("smoke", budget, (case,))
    assert repr(one.machine) == "{'cpu': 'Zürich № 5', 'cores': 2, 'load': nan}"
    assert one.ended_at is not None
    assert one.ended_at > one.started_at
    assert two.ended_at is None


def test_a_row_cannot_be_written_twice_or_without_what_it_belongs_to(
    store: Store, begin_campaign: BeginCampaign, make_launch: MakeLaunch
) -> None:
    launch = make_launch(begin_campaign(store))
    record(store, launch)
    with pytest.raises(StoreError, match=r"(?i)unique"):
        store.begin_launch(launch)
    with pytest.raises(StoreError, match=r"(?i)unique"):
        store.end_launch(launch.id, {}, {}, None)
    with pytest.raises(StoreError, match=r"(?i)foreign key"):
        store.begin_launch(make_launch("no such"))


def test_nothing_is_ever_updated_or_deleted(
    path: Path, begin_campaign: BeginCampaign, make_launch: MakeLaunch
) -> None:
    verbs: set[str] = set()
    Store.open(path).close()  # migrations, which may alter tables, run here

    def seen(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        verbs.add(statement.split(maxsplit=1)[0].upper())

    event.listen(Engine, "before_cursor_execute", seen)
    try:
        for _ in range(2):
            with Store.open(path) as store:
                campaign = begin_campaign(store)
                record(store, make_launch(campaign))
                store.resume_campaign("d1")
                store.end_campaign(campaign)
                store.newest_launches()
    finally:
        event.remove(Engine, "before_cursor_execute", seen)
    assert {"INSERT", "SELECT"} <= verbs <= {"INSERT", "SELECT", "PRAGMA", "BEGIN"}


def test_the_latest_campaign_that_ended_is_known_by_its_digest(
    store: Store, begin_campaign: BeginCampaign
) -> None:
    assert store.ended("d1") is None
    first, second = begin_campaign(store), begin_campaign(store)
    begin_campaign(store)
    store.end_campaign(second)
    store.end_campaign(first)
    other = begin_campaign(store, digest="d2")
    store.end_campaign(other)
    assert store.ended("d1") == second
    assert store.ended("d3") is None
