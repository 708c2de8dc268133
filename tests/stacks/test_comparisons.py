"""Comparisons on real stacks: every stack takes its turn, and what was planted is found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cnnbench.case import Arm, Case
from cnnbench.comparison import FASTER, SLOWER
from cnnbench.contest import Contest
from cnnbench.envs import cache, stack
from cnnbench.events import BlockEnded
from cnnbench.plan import BUDGETS
from cnnbench.prepare import Own, named
from cnnbench.store.database import Store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cnnbench.case import Budget
    from cnnbench.comparison import Outcome

pytestmark = pytest.mark.stacks

CASE = Case(
    stack="keras3-tensorflow", model="simple_cnn", dataset="synthetic-32", method="train_on_batch"
)
# Whatever else runs on the machine of these tests may run.
TINY = replace(
    BUDGETS["quick"],
    blocks=(2, 2),
    warmup_seconds=0.0,
    warmup_windows=1,
    windows=(2, 2),
    window_seconds=0.1,
    disturbance=1.0,
)

TWICE = """
import time

from probe.models import simple_cnn

compile = simple_cnn.compile


def build(keras, shape, classes):
    model = simple_cnn.build(keras, shape, classes)
    train = model.train_on_batch

    def longer(x, y):
        begun = time.perf_counter()
        result = train(x, y)
        end = begun + 2 * (time.perf_counter() - begun)
        while time.perf_counter() < end:
            pass
        return result

    model.train_on_batch = longer
    return model
"""


BUSY = """
import threading

from probe.models import simple_cnn

compile = simple_cnn.compile


def spin():
    while True:
        pass


def build(keras, shape, classes):
    threading.Thread(target=spin, daemon=True).start()
    return simple_cnn.build(keras, shape, classes)
"""


def compared(
    arms: Sequence[Arm], budget: Budget, own: Own, folder: Path
) -> tuple[Outcome, list[BlockEnded]]:
    with Store.open(folder / "runs.sqlite") as store:
        # Whether training is right is not asked here: it would take longer than the rest.
        contest = Contest(arms, budget, own, {"machine_id": "m"}, store, verify=False)
        ended = [event for event in contest.run() if isinstance(event, BlockEnded)]
        return contest.outcome(), ended


def test_processes_of_every_stack_take_turns(tmp_path: Path) -> None:
    here = [
        name
        for name in stack.names()
        if name != "null"
        and "cpu" in stack.load(name).devices
        and cache.unsupported(stack.load(name)) is None
    ]
    arms = [Arm(name=name, case=replace(CASE, stack=name)) for name in here]
    found, ended = compared(arms, replace(TINY, blocks=(1, 1)), Own(), tmp_path)
    assert not found.failures
    assert found.blocks == 1
    assert [event.interleaved for event in ended] == [False, True]
    assert set(found.speeds) == set(here)
    assert set(found.best) <= set(here)


@pytest.mark.quiet
def test_a_training_of_half_the_speed_is_slower_and_itself_is_not(tmp_path: Path) -> None:
    own = Own()
    (tmp_path / "twice.py").write_text(TWICE)
    slow = named(replace(CASE, model=str(tmp_path / "twice.py")), own)
    arms = [
        Arm(name="as it is", case=CASE),
        Arm(name="the same", case=CASE),
        Arm(name="planted", case=slow),
    ]
    budget = replace(TINY, blocks=(3, 3), windows=(6, 6), window_seconds=0.3, margin=0.4)
    found, _ = compared(arms, budget, own, tmp_path)
    same, planted = found.comparisons
    assert planted.verdict == SLOWER
    assert same.verdict not in {FASTER, SLOWER}
    assert "planted" not in found.best


def test_an_arm_whose_threads_spin_takes_no_turns(tmp_path: Path) -> None:
    case = replace(CASE, stack="native-torch")
    arms = [Arm(name="plain", case=case), Arm(name="spin", case=replace(case, recipes=("spin",)))]
    found, ended = compared(arms, TINY, Own(), tmp_path)
    assert not found.failures
    assert [event.interleaved for event in ended] == [False, False, False]


def test_threads_that_spin_unknown_to_cnnbench_are_noticed_and_nobody_takes_turns(
    tmp_path: Path,
) -> None:
    own = Own()
    (tmp_path / "busy.py").write_text(BUSY)
    plain = replace(CASE, stack="keras3-torch")
    busy = named(replace(plain, model=str(tmp_path / "busy.py")), own)
    arms = [Arm(name="plain", case=plain), Arm(name="busy", case=busy)]
    found, _ = compared(arms, TINY, own, tmp_path)
    assert not found.failures
    assert found.blocks == 2
    with Store.open(tmp_path / "runs.sqlite") as store:
        assert not any(launch.facts.get("interleaved") for launch in store.launches())
