"""Several places that work at once, some of which die: made of this machine."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cnnbench import events
from cnnbench.arms import parse
from cnnbench.campaign import Campaign
from cnnbench.case import Case, Suite
from cnnbench.contest import Contest
from cnnbench.executor import LostError, UnbegunError
from cnnbench.launch import live
from cnnbench.plan import BUDGETS
from cnnbench.prepare import Own, named
from cnnbench.store.database import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from contextlib import ExitStack
    from pathlib import Path

    from cnnbench.executor import Happening
    from cnnbench.record import Facts

MACHINE = {"machine_id": "kind"}
CASE = Case(stack="null", model="simple_cnn", dataset="synthetic-32", method="fit_generator")
OTHER = replace(CASE, batch_size=8)


class Bench:
    """A place whose work is done in this process, a step whenever it is looked at.

    Args:
        name: Of the node.
        loses: How many launches die, the first ones, after a window of theirs was heard.
        dies: Whether the place dies with the last of these.
        absent: How many launches, the first ones, find it dead.
    """

    def __init__(self, name: str, loses: int = 0, *, dies: bool = False, absent: int = 0) -> None:
        self.facts: Facts = {"node": name}
        self.alive = True
        self.begun: list[str] = []
        self._loses, self._dies, self._absent = loses, dies, absent

    def run(
        self, work: Callable[..., Generator[Happening, None, Any]], *arguments: Any
    ) -> Generator[Happening, None, Any]:
        yield None
        if work is live and self._absent:
            self._absent -= 1
            raise UnbegunError("the node was dead")
        happening = work(*arguments)
        lost = work is live and self._loses > 0
        self._loses -= lost
        if work is live:
            self.begun.append(arguments[1].id)
        while True:
            try:
                event = next(happening)
            except StopIteration as end:
                return end.value
            yield event
            yield None
            if lost and isinstance(event, events.WindowTimed):
                happening.close()
                self.alive = not (self._dies and not self._loses)
                raise LostError("its worker died")


class Benches:
    """An executor of such places, to which one may come when there is nothing else to do."""

    def __init__(self, *places: Bench, later: Bench | None = None) -> None:
        self._places = list(places)
        self._later = later
        self.waits = 0

    def begin(self, held: ExitStack) -> Iterator[events.Event]:  # noqa: ARG002
        return iter(())

    def places(self) -> list[Bench]:
        return [place for place in self._places if place.alive]

    def wait(self) -> None:
        self.waits += 1
        if self._later is not None and not self.places():
            self._places.append(self._later)
            self._later = None


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNBENCH_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "runs.sqlite") as opened:
        yield opened


def campaign(store: Store, executor: Benches, *cases: Case, launches: int) -> Campaign:
    budget = replace(BUDGETS["quick"], launches=(launches, launches))
    suite = Suite(name="small", about="x", cases=cases, budget=budget)
    return Campaign(suite, Own(), MACHINE, store, executor=executor)


def test_places_work_at_once_and_no_launch_is_made_in_vain(store: Store) -> None:
    places = [Bench(name) for name in "abcd"]
    running = campaign(store, Benches(*places), CASE, OTHER, launches=2)
    alive, most = set[str](), 0
    for event in running.run():
        if isinstance(event, events.LaunchStarted):
            alive.add(event.launch)
            most = max(most, len(alive))
        if isinstance(event, events.LaunchEnded):
            alive.remove(event.launch.id)
    assert most == 4
    assert Counter(launch.case for launch in store.launches()) == {CASE: 2, OTHER: 2}
    assert {launch.facts["node"] for launch in store.launches()} == set("abcd")
    for launch in (CASE, OTHER):
        numbers = [one.number for one in store.launches() if one.case == launch]
        assert sorted(numbers) == [1, 2]


def test_what_is_lost_is_launched_again_and_counted_once(store: Store) -> None:
    running = campaign(store, Benches(Bench("a", loses=2), Bench("b")), CASE, launches=3)
    happened = list(running.run())
    (done,) = [event.result for event in happened if isinstance(event, events.CaseDone)]
    assert done.images_per_second is not None
    assert done.images_per_second.n == len(done.launches) == 3
    assert len(store.launches()) == 3
    assert len(store.launches(complete=False)) == 5, "the lost ones are seen to have begun"


def test_a_case_that_is_lost_time_and_again_has_failed_with_the_reason(store: Store) -> None:
    running = campaign(store, Benches(Bench("a", loses=5)), CASE, launches=2)
    happened = list(running.run())
    (done,) = [event.result for event in happened if isinstance(event, events.CaseDone)]
    assert done.verdict == "failed"
    assert done.reason == "start: its worker died, 5 times in a row"


def test_a_place_that_was_dead_before_it_began_says_nothing_against_the_work(store: Store) -> None:
    running = campaign(store, Benches(Bench("a", loses=4, absent=9)), CASE, launches=2)
    happened = list(running.run())
    (done,) = [event.result for event in happened if isinstance(event, events.CaseDone)]
    assert len(done.launches) == 2
    contest = _contest(store, Benches(Bench("a", absent=9), Bench("b")), blocks=4)
    list(contest.run())
    assert contest.outcome().blocks == 4


def test_a_case_that_failed_while_another_launch_of_it_was_lost_is_concluded_once(
    store: Store, tmp_path: Path
) -> None:
    (tmp_path / "broken.py").write_text("def build(keras, shape, classes): raise ValueError('no')")
    own = Own()
    broken = named(replace(CASE, model=str(tmp_path / "broken.py")), own)
    budget = replace(BUDGETS["quick"], launches=(3, 3))
    suite = Suite(name="small", about="x", cases=(broken, CASE), budget=budget)
    for places in ((Bench("a"), Bench("b", loses=3)), (Bench("a", loses=3), Bench("b"))):
        running = Campaign(
            suite, own, MACHINE, store, executor=Benches(*places), verify=False, resume=False
        )
        done = [event.result for event in running.run() if isinstance(event, events.CaseDone)]
        assert {result.case for result in done if result.verdict == "failed"} == {broken}
        assert len(done) == 2


def test_a_place_that_dies_is_left_and_one_that_joins_takes_over(store: Store) -> None:
    first, later = Bench("a", loses=1, dies=True), Bench("b")
    running = campaign(store, Benches(first, later=later), CASE, OTHER, launches=2)
    happened = list(running.run())
    (waited,) = [event for event in happened if isinstance(event, events.Waiting)]
    assert waited.reason == "no node of this kind is alive; waiting for one"
    assert len(first.begun) == 1
    assert {launch.facts["node"] for launch in store.launches()} == {"b"}
    assert len(store.launches()) == 4


def test_results_say_how_many_hosts_they_are_of(store: Store) -> None:
    running = campaign(store, Benches(Bench("a")), CASE, launches=2)
    list(running.run())
    assert "1 host" in running.results()[0].labels
    more = campaign(store, Benches(Bench("a"), Bench("b")), OTHER, launches=2)
    list(more.run())
    assert "2 hosts" in more.results()[0].labels


def test_a_block_stays_in_one_place_and_every_place_has_its_turn(store: Store) -> None:
    places = [Bench(name) for name in "abc"]
    contest = _contest(store, Benches(*places), blocks=6)
    list(contest.run())
    where: dict[int | None, set[Any]] = {}
    for launch in contest.launches():
        where.setdefault(launch.block, set()).add(launch.facts["node"])
    assert all(len(nodes) == 1 for nodes in where.values())
    assert set.union(*where.values()) == set("abc")
    assert contest.outcome().blocks == 6


def test_a_lost_block_is_made_again_whole(store: Store) -> None:
    contest = _contest(store, Benches(Bench("a", loses=2), Bench("b")), blocks=4)
    list(contest.run())
    assert contest.outcome().blocks == 4
    assert contest.outcome().comparisons[0].ratio is not None


def _contest(store: Store, executor: Benches, *, blocks: int) -> Contest:
    own = Own()
    said = ["name=one,batch_size=32", "name=other,batch_size=16"]
    common = {"stack": "null", "method": "train_on_batch", "dataset": "synthetic-32"}
    budget = replace(BUDGETS["quick"], blocks=(blocks, blocks))
    return Contest(parse(said, common, own), budget, own, MACHINE, store, executor=executor)
