"""A diagnosis goes on where it was; the talk about what a machine can do, from a transcript."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cnnbench import events
from cnnbench.diagnosing import Diagnosing, gauged
from cnnbench.link.conversation import Conversation
from cnnbench.prepare import Own
from cnnbench.store.database import Store
from tests.blank import LAUNCH
from tests.verification.test_referee import ScriptedLine

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_machine_is_asked_in_the_precision_of_the_case(tmp_path: Path) -> None:
    line = ScriptedLine(tmp_path, "gauge")
    case = replace(LAUNCH.case, precision="bfloat16", threads=2)

    told = gauged(Conversation(line, 1.0), case)

    assert line.script == []
    assert told.peaks["float32"]["convolution"] == 1e11
    assert told.refused == {"bfloat16": "no such kernel"}


def test_an_interrupted_diagnosis_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CNNBENCH_CACHE_DIR", str(tmp_path / "cache"))
    case = replace(LAUNCH.case, method="train_on_batch")
    with Store.open(tmp_path / "runs.sqlite") as store:
        first = Diagnosing(case, 2, Own(), {"machine_id": "m"}, store, resume=True)
        for event in first.run():
            if isinstance(event, events.BlockMeasured) and event.number == 1:
                break
        monkeypatch.setattr("cnnbench.store.database.may_live", lambda _: False)
        second = Diagnosing(case, 2, Own(), {"machine_id": "m"}, store, resume=True)
        ended = [e.number for e in second.run() if isinstance(e, events.BlockMeasured)]
        assert ended == [2]
        assert second.diagnosis().blocks == 2
        assert len(store.campaigns()) == 1
