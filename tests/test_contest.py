"""A comparison on the null stack, into a real store."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cnnbench import block, events
from cnnbench.case import Arm, Case
from cnnbench.comparison import CONTROL, EQUIVALENT, SLOWER
from cnnbench.contest import Contest
from cnnbench.plan import BUDGETS
from cnnbench.prepare import Own, named
from cnnbench.store import exchange
from cnnbench.store.database import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cnnbench.case import Budget

MACHINE = {"machine_id": "m1"}
CASE = Case(stack="null", model="simple_cnn", dataset="synthetic-32", method="train_on_batch")
SAME = (Arm(name="a", case=CASE), Arm(name="b", case=CASE))

SLOW = """
def build(keras, shape, classes):
    image = keras.layers.Input(shape=shape)
    x = keras.layers.Dense(classes)(keras.layers.Flatten()(image))
    model = keras.models.Model(inputs=image, outputs=x)
    step = model._step
    model._step = lambda images: step(images * {times})
    return model
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CNNBENCH_CACHE_DIR", str(tmp_path / "cache"))
    random.seed(20)  # of the seeds of launches, which are the noise of the null stack
    return tmp_path


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with Store.open(folder / "runs.sqlite") as opened:
        yield opened


def budget(blocks: int, margin: float = 0.25) -> Budget:
    return replace(BUDGETS["quick"], blocks=(blocks, blocks), margin=margin)


def planted(folder: Path, times: float) -> tuple[tuple[Arm, Arm], Own]:
    """A model, and one whose steps take so many times as long."""
    own, arms = Own(), []
    for name, factor in (("as it is", 1.0), ("planted", times)):
        path = folder / f"{name.replace(' ', '_')}.py"
        path.write_text(SLOW.format(times=factor))
        arms.append(Arm(name=name, case=named(replace(CASE, model=str(path)), own)))
    return (arms[0], arms[1]), own


def test_an_arm_against_itself_is_equivalent(store: Store) -> None:
    contest = Contest(SAME, budget(3), Own(), MACHINE, store)
    list(contest.run())
    (found,) = contest.outcome().comparisons
    assert found.verdict == EQUIVALENT
    assert found.ratio is not None
    assert found.ratio.n == 3


def test_a_slowdown_that_was_planted_is_found(store: Store, folder: Path) -> None:
    arms, own = planted(folder, 1.5)
    contest = Contest(arms, budget(3, margin=0.05), own, MACHINE, store)
    list(contest.run())
    (found,) = contest.outcome().comparisons
    assert found.verdict == SLOWER
    assert found.ratio is not None
    assert found.ratio.point == pytest.approx(1 / 1.5, rel=0.1)


def test_the_pilot_comes_first_does_not_count_and_takes_no_turns(store: Store) -> None:
    contest = Contest(SAME, budget(2), Own(), MACHINE, store)
    ended = [e for e in contest.run() if isinstance(e, events.BlockEnded)]
    assert [(e.number, e.interleaved) for e in ended] == [(0, False), (1, True), (2, True)]
    assert [e.outcome.blocks for e in ended] == [0, 1, 2]


def test_every_fourth_block_has_the_baseline_twice(store: Store) -> None:
    contest = Contest(SAME, budget(6), Own(), MACHINE, store)
    list(contest.run())
    launches = store.launches()
    controls = sorted(one.block or 0 for one in launches if one.arm == "a" + CONTROL)
    assert controls == [1, 5]
    control = contest.outcome().control
    assert control is not None
    assert control.n == 2


def test_what_the_store_gives_back_is_what_was_concluded(store: Store, folder: Path) -> None:
    contest = Contest(SAME, budget(2), Own(), MACHINE, store)
    list(contest.run())
    (campaign,) = store.campaigns()
    assert campaign.arms == SAME
    again = Contest(SAME, budget(2), Own(), MACHINE, store)
    again._launches = store.launches()
    assert again.outcome() == contest.outcome()
    recorded = exchange.Recorded(
        campaigns={campaign.id: exchange.origin(campaign)}, launches=tuple(store.launches())
    )
    exchange.write(folder / "launches.jsonl", recorded)
    assert exchange.read(folder / "launches.jsonl") == recorded


def test_launches_of_comparisons_are_no_results_of_cases(store: Store) -> None:
    list(Contest(SAME, budget(2), Own(), MACHINE, store).run())
    assert store.newest_launches() == {}


def test_an_interrupted_comparison_goes_on_where_it_was(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Contest(SAME, budget(3), Own(), MACHINE, store)
    for event in first.run():
        if isinstance(event, events.BlockEnded) and event.number == 1:
            break
    monkeypatch.setattr("cnnbench.store.database.may_live", lambda _: False)
    second = Contest(SAME, budget(3), Own(), MACHINE, store)
    ended = [e.number for e in second.run() if isinstance(e, events.BlockEnded)]
    assert ended == [2, 3]
    assert second.outcome().blocks == 3
    assert len(store.campaigns()) == 1


def test_an_arm_that_cannot_run_ends_the_comparison_with_its_reason(store: Store) -> None:
    impossible = Arm(name="b", case=replace(CASE, device="gpu"))
    contest = Contest((SAME[0], impossible), budget(2), Own(), MACHINE, store)
    started = [e for e in contest.run() if isinstance(e, events.LaunchStarted)]
    assert not started
    assert contest.outcome().failures["b"].kind == "unsupported"


def test_an_arm_that_fails_ends_the_comparison_after_the_pilot(store: Store, folder: Path) -> None:
    (folder / "broken.py").write_text("def build(keras, shape, classes): raise ValueError('no')")
    own = Own()
    broken = named(replace(CASE, model=str(folder / "broken.py")), own)
    contest = Contest((SAME[0], Arm(name="b", case=broken)), budget(2), own, MACHINE, store)
    ended = [e for e in contest.run() if isinstance(e, events.BlockEnded)]
    assert [e.number for e in ended] == [0]
    assert "no" in contest.outcome().failures["b"].message


@pytest.mark.parametrize("method", ["fit_generator"])
def test_arms_that_read_ahead_do_not_take_turns(store: Store, method: str) -> None:
    arms = [replace(arm, case=replace(CASE, method=method)) for arm in SAME]
    contest = Contest(arms, budget(2), Own(), MACHINE, store)
    ended = [e for e in contest.run() if isinstance(e, events.BlockEnded)]
    assert not any(e.interleaved for e in ended)
    assert contest.outcome().blocks == 2


def test_arms_that_do_not_fit_into_memory_together_do_not_take_turns(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnnbench.arena.MEMORY_SHARE", 1e-9)
    ended = [
        e
        for e in Contest(SAME, budget(2), Own(), MACHINE, store).run()
        if isinstance(e, events.BlockEnded)
    ]
    assert not any(e.interleaved for e in ended)


def test_where_processes_that_wait_are_busy_arms_are_launched_one_after_the_other(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block, "wait_until_idle", lambda _: False)
    contest = Contest(SAME, budget(3), Own(), MACHINE, store)
    happened = list(contest.run())
    (waiting,) = [event for event in happened if isinstance(event, events.Waiting)]
    assert waiting.reason.endswith("keeps the CPUs busy; from now on, one after the other")
    assert not any(one.facts.get("interleaved") for one in contest.launches())
    assert contest.outcome().blocks == 3
