"""Launches of a block: in turns, or one after the other. The launches here are scripts."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cnnbench import block, events
from cnnbench.case import Case
from cnnbench.record import STEADY, Failure, Launch, Window
from tests.blank import LAUNCH

if TYPE_CHECKING:
    from collections.abc import Generator

    from cnnbench.executor import Happening


WINDOWS = 4


def case(name: str) -> Case:
    return Case(stack=name, model="m", dataset="d", method="fit")


def ended(name: str, *, failed: bool = False) -> Launch:
    return replace(
        LAUNCH,
        id=name,
        case=case(name),
        failure=Failure(stage="training", kind="error", message="no") if failed else None,
    )


def living(
    name: str, log: list[str], *, windows: int = WINDOWS, fails: bool = False, pid: int = 0
) -> Generator[events.Event, None, Launch]:
    """A launch that writes down what it does."""
    window = Window(index=0, role=STEADY, steps=1, images=1, seconds=1.0, started=0.0)
    try:
        log.append(f"{name} boots")
        yield events.GuestStarted(case(name), name, pid)
        yield events.WindowTimed(case(name), name, window)  # of the warm-up
        yield events.StageEntered(case(name), "training")
        for number in range(windows):
            if fails and number == 1:
                return ended(name, failed=True)
            log.append(f"{name}{number}")
            yield events.WindowTimed(case(name), name, window)
        return ended(name)
    finally:
        log.append(f"{name} is gone")


def played(happening: Generator[Happening, None, list[Launch]]) -> list[Launch]:
    while True:
        try:
            next(happening)
        except StopIteration as end:
            found: list[Launch] = end.value
            return found


def test_in_turns_every_arm_is_warm_before_any_window_counts() -> None:
    log: list[str] = []
    played(block.in_turns([living(name, log) for name in "abc"]))
    assert sorted(log[:3]) == ["a boots", "b boots", "c boots"]


def test_in_turns_each_round_has_one_window_of_every_arm() -> None:
    log: list[str] = []
    played(block.in_turns([living(name, log) for name in "abc"]))
    windows = [entry for entry in log if entry[-1].isdigit()]
    for number in range(WINDOWS):
        assert {entry[0] for entry in windows[3 * number : 3 * number + 3]} == set("abc")


def test_in_turns_the_order_is_turned_round_every_round() -> None:
    log: list[str] = []
    played(block.in_turns([living(name, log) for name in "abc"]))
    windows = [entry for entry in log if entry[-1].isdigit()]
    rounds = ["".join(entry[0] for entry in windows[i : i + 3]) for i in range(0, 12, 3)]
    assert rounds[1] == rounds[0][::-1]
    assert rounds[2] == rounds[0]


def test_who_begins_is_drawn() -> None:
    first = set()
    for _ in range(40):
        log: list[str] = []
        played(block.in_turns([living(name, log) for name in "ab"]))
        first.add(log[0])
    assert first == {"a boots", "b boots"}


def test_an_arm_that_needs_more_windows_gets_them_when_the_others_are_done() -> None:
    log: list[str] = []
    found = played(block.in_turns([living("a", log), living("b", log, windows=9)]))
    assert {one.id for one in found} == {"a", "b"}
    assert log.index("b8") > log.index("a is gone")


def test_an_arm_that_fails_ends_the_block_and_every_process() -> None:
    log: list[str] = []
    found = played(block.in_turns([living("a", log), living("b", log, fails=True)]))
    assert [one.failure is not None for one in found if one.id == "b"] == [True]
    assert {"a is gone", "b is gone"} <= set(log)
    assert "a3" not in log


def test_a_block_that_is_cut_off_leaves_no_process() -> None:
    log: list[str] = []
    happening = block.in_turns([living("a", log), living("b", log)])
    for _ in range(9):
        next(happening)
    happening.close()
    assert {"a is gone", "b is gone"} <= set(log)


def test_a_process_that_does_not_idle_ends_the_block_and_nothing_of_it_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(block, "wait_until_idle", lambda _: False)
    log: list[str] = []
    with pytest.raises(block.RestlessError, match="waits for its turn keeps the CPUs busy"):
        played(block.in_turns([living("a", log), living("b", log)]))
    assert {"a is gone", "b is gone"} <= set(log)


def test_a_process_that_is_busy_now_and_then_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = {1: itertools.cycle([False, True]), 2: itertools.cycle([True])}
    monkeypatch.setattr(block, "wait_until_idle", lambda pids: all(next(waits[p]) for p in pids))
    found = played(block.in_turns([living("a", [], pid=1), living("b", [], pid=2)]))
    assert {one.id for one in found} == {"a", "b"}


@pytest.mark.parametrize("order", [*itertools.permutations("abc"), ("a", "b"), ("b", "a")])
def test_one_process_that_never_idles_is_noticed_in_whatever_order_turns_are(
    order: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    restless = 1
    monkeypatch.setattr(block, "wait_until_idle", lambda pids: restless not in pids)
    monkeypatch.setattr("cnnbench.block.random.sample", lambda some, _: list(some))
    lives = [living(name, [], pid=restless if name == "a" else 2) for name in order]
    with pytest.raises(block.RestlessError):
        played(block.in_turns(lives))


def test_one_after_the_other_no_two_live_at_once() -> None:
    log: list[str] = []
    found = played(block.one_after_the_other([living(name, log) for name in "abc"]))
    assert len(found) == 3
    for name in "abc":
        begun, gone = log.index(f"{name} boots"), log.index(f"{name} is gone")
        assert {entry[0] for entry in log[begun : gone + 1]} == {name}


@pytest.mark.parametrize("who", ["a", "b"])
def test_one_after_the_other_nothing_follows_a_failure(who: str) -> None:
    log: list[str] = []
    lives = [living(name, log, fails=name == who) for name in "ab"]
    found = played(block.one_after_the_other(lives))
    assert found[-1].failure is not None
    assert len(found) == len({one.id for one in found}) <= 2
