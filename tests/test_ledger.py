"""Launches, written down while they live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from cnnbench import events
from cnnbench.errors import StoreError
from cnnbench.ledger import Ledger
from cnnbench.plan import BUDGETS
from cnnbench.record import STEADY, Window
from cnnbench.store.database import Store
from tests.blank import LAUNCH

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from cnnbench.executor import Happening

WINDOW = Window(index=1, role=STEADY, steps=1, images=32, seconds=1.0, started=0.0)


class Endless:
    """A place where a launch has windows until it is ended."""

    facts: dict[str, Any] = {}  # noqa: RUF012
    alive = True

    def __init__(self) -> None:
        self.ended = False

    def run(self, _: Any, *arguments: Any) -> Generator[Happening, None, Any]:
        try:
            while True:
                yield events.WindowTimed(arguments[1].case, arguments[1].id, WINDOW)
        finally:
            self.ended = True


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "runs.sqlite") as opened:
        yield opened


def begun(store: Store, place: Endless) -> Generator[Happening, None, Any]:
    campaign = store.begin_campaign(
        digest="d", suite="s", budget=BUDGETS["quick"], probe_digest="p", machine={}, plan=[]
    )
    ledger = Ledger(store, campaign, {})
    head = ledger.head(LAUNCH.case, "f", 1)
    return ledger.launch(cast("Any", None), head, BUDGETS["quick"], place)


def test_a_launch_that_cannot_be_written_down_is_ended_though_its_error_is_kept(
    store: Store,
) -> None:
    place = Endless()
    with pytest.raises(StoreError) as kept:
        for _ in begun(store, place):  # the second window has the number of the first
            pass
    assert place.ended
    assert kept.value.__traceback__ is not None


def test_a_launch_that_is_left_is_ended(store: Store) -> None:
    place = Endless()
    living = begun(store, place)
    while not isinstance(next(living), events.WindowTimed):
        pass
    assert not place.ended
    living.close()
    assert place.ended
