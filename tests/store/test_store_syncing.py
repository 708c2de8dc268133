"""Two stores come to have the same."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from cnnbench.store import exchange
from cnnbench.store.database import Store
from cnnbench.store.syncing import copied
from tests.store.test_store import record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.store.conftest import BeginCampaign, MakeLaunch


@pytest.fixture
def mine(path: Path) -> Iterator[Store]:
    """A store of this machine, beside the `store` of a team."""
    with Store.open(path) as opened:
        yield opened


def copy(source: Store, target: Store) -> int:
    """How many launches a copy added."""
    return sum(added.launches for added in copied(source, target))


def test_what_one_has_the_other_gets_once(
    mine: Store, store: Store, begin_campaign: BeginCampaign, make_launch: MakeLaunch
) -> None:
    own, theirs = make_launch(begin_campaign(mine)), make_launch(begin_campaign(store))
    record(mine, own)
    record(store, theirs)

    assert (copy(mine, store), copy(store, mine)) == (1, 1)

    assert {one.id for one in mine.launches()} == {own.id, theirs.id}
    one, other = (exchange.merge([exchange.everything(each)]) for each in (mine, store))
    assert exchange.as_text(one) == exchange.as_text(other)
    assert (copy(mine, store), copy(store, mine)) == (0, 0)


def test_a_campaign_that_is_under_way_is_given_up_to_where_it_is_and_later_the_rest(
    mine: Store, store: Store, begin_campaign: BeginCampaign, make_launch: MakeLaunch
) -> None:
    campaign = begin_campaign(mine)
    ended, begun, later = (make_launch(campaign) for _ in range(3))
    record(mine, ended)
    mine.begin_launch(begun)
    assert copy(mine, store) == 1
    mine.end_launch(begun.id, {}, {}, None)
    record(mine, later)
    assert copy(mine, store) == 2
    assert [one.id for one in store.launches(campaign=campaign)] == [ended.id, begun.id, later.id]


def test_a_copy_that_was_cut_off_goes_on(
    mine: Store, store: Store, begin_campaign: BeginCampaign, make_launch: MakeLaunch
) -> None:
    for _ in range(3):
        record(mine, make_launch(begin_campaign(mine)))
    next(copied(mine, store))
    assert len(store.launches()) == 1
    assert copy(mine, store) == 2


def test_nothing_resumes_what_was_copied(
    mine: Store, store: Store, begin_campaign: BeginCampaign, make_launch: MakeLaunch
) -> None:
    record(mine, make_launch(begin_campaign(mine)))
    copy(mine, store)
    assert store.resume_campaign("d1") is None


def test_machines_that_copy_at_once_are_each_there_once(
    store: Store, tmp_path: Path, begin_campaign: BeginCampaign, make_launch: MakeLaunch
) -> None:
    places = [tmp_path / f"{number}.sqlite" for number in range(4)]
    for place in places:
        with Store.open(place) as source:
            for _ in range(3):
                record(source, make_launch(begin_campaign(source)))

    def send(place: Path) -> int:
        with Store.open(place, read_only=True) as source:
            return copy(source, store)

    with ThreadPoolExecutor() as pool:
        added = list(pool.map(send, [*places, *places]))

    assert sum(added) == len(store.launches()) == 12
