"""A tuning: its time, and its races."""

from __future__ import annotations

import platform
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cnnbench import recipes, tuning
from cnnbench.prepare import Own
from cnnbench.store.database import Store
from tests.blank import LAUNCH

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cnnbench.tuned import Answer


@pytest.fixture
def tuned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """Tunes `null`, which can have two data formats, within some seconds."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CNNBENCH_CACHE_DIR", str(tmp_path / "cache"))
    brief = replace(tuning.BUDGET, windows=(2, 2), warmup_seconds=0.0, window_seconds=0.02)
    monkeypatch.setattr(tuning, "BUDGET", brief)
    for name in ("RULES", "TOGETHER", "CONFIRMATION"):
        monkeypatch.setattr(tuning, name, tuning.RULES._replace(blocks=(1, 1)))
    present = replace(LAUNCH.case, method="train_on_batch")

    def tune(seconds: float, recipes: Sequence[str] = ()) -> Answer:
        with Store.open(tmp_path / "runs.sqlite") as store:
            running = tuning.Tuning(
                present,
                [replace(present, data_format="channels_first")],
                recipes,
                objective="throughput",
                seconds=seconds,
                own=Own(),
                machine={"machine_id": "m"},
                store=store,
            )
            for _ in running.run():
                pass
        return running.answer()

    return tune


def test_what_proofs_left_no_time_for_is_launched_once_all_the_same(
    tuned: Callable[..., Answer],
) -> None:
    answer = tuned(0.0)
    first, *later = answer.races
    assert len(first.blocks) == 1
    assert not any(race.blocks for race in later)
    assert answer.best in {arm.case for arm in first.arms}
    assert answer.gain is None


def test_no_launch_counts_in_two_races_even_of_the_same_arms(
    tuned: Callable[..., Answer],
) -> None:
    races = tuned(600.0).races
    ids = [launch.id for race in races for launch in race.launches]
    assert len(races) >= 3
    assert all(race.launches for race in races)
    assert len(ids) == len(set(ids))


def test_where_time_left_out_single_recipes_all_are_tried_at_once(
    tuned: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    speeds = {(): 100.0, ("pin_threads", "spin"): 150.0, ("pin_threads",): 120.0, ("spin",): 170.0}
    monkeypatch.setitem(tuning.ENDS, "recipes", 0.0)
    monkeypatch.setattr(tuning, "first_end", lambda kind: tuning.ENDS[kind])
    monkeypatch.setattr(recipes, "refusal", lambda *_: None)
    monkeypatch.setattr(tuning, "value_of", lambda _: lambda launch: speeds[launch.case.recipes])

    answer = tuned(600.0, ["pin_threads", "spin"])

    assert [race.name for race in answer.unraced] == ["recipes"]
    assert answer.best is not None
    assert answer.best.recipes == ("spin",)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="keep_memory is of glibc")
def test_a_recipe_that_helps_only_where_another_does_is_found(
    tuned: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    speeds = {
        (): 100.0,
        ("keep_memory",): 200.0,
        ("pin_threads",): 99.0,
        ("spin",): 98.0,
        ("keep_memory", "pin_threads"): 300.0,
        ("keep_memory", "spin"): 190.0,
        ("pin_threads", "spin"): 97.0,
        ("keep_memory", "pin_threads", "spin"): 250.0,
    }
    monkeypatch.setattr(recipes, "refusal", lambda *_: None)
    monkeypatch.setattr(tuning, "value_of", lambda _: lambda launch: speeds[launch.case.recipes])

    answer = tuned(600.0, ["keep_memory", "pin_threads", "spin"])

    names = [race.name for race in answer.races]
    assert names == ["bases", "recipes", "together", "around 1", "around 2", "confirmation"]
    assert answer.best is not None
    assert answer.best.recipes == ("keep_memory", "pin_threads")
    assert {n: round(g.ratio, 1) for n, g in answer.contributions.items()} == {
        "keep_memory": 3.0,
        "pin_threads": 1.5,
    }
