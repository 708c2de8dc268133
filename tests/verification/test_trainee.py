"""The talk with a stack that proves, replayed from a transcript: two trainings in one process."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnbench import launch
from cnnbench.case import Case
from cnnbench.envs import stack
from cnnbench.prepare import Ready
from cnnbench.probe.wire import Described
from cnnbench.proving.hearing import UnverifiableError
from cnnbench.proving.trainee import Trainee
from cnnbench.verification import given

STORY = Path(__file__).parent / "transcripts" / "trainee.jsonl"
DESCRIBED = Described([["kernel", [2, 3]]], [4, 4, 3], 3, 4, 6, "adam", {"rate": 1e-3})
CASE = Case(
    stack="null",
    model="simple_cnn",
    dataset="cifar10",
    method="train_on_batch",
    batch_size=64,
    threads=1,
    augment=True,
    until=0.5,
)


class ScriptedProcess:
    """Says what the transcript says, and writes down what a guest would have seen."""

    def __init__(self, folder: Path) -> None:
        text = STORY.read_text().replace("ONE", str(folder / "one"))
        text = text.replace("TWO", str(folder / "two"))
        self.left = [json.loads(line) for line in text.splitlines()]
        self._folder = folder

    def write(self, line: str) -> None:
        asked = self.left.pop(0)["host"]
        assert json.loads(line) == asked
        for name in ("one", "two"):
            if asked["type"] == "Finish" and (self._folder / name).exists():
                np.savez(self._folder / name / "seen.npz", seen=np.zeros(1))

    def read(self, seconds: float) -> str:  # noqa: ARG002
        return json.dumps(self.left.pop(0)["guest"])


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScriptedProcess:
    found = ScriptedProcess(tmp_path)
    started: list[Any] = []

    def start(*_: Any) -> Any:
        assert not started, "a second process"
        started.append(found)
        return contextlib.nullcontext(found)

    monkeypatch.setattr(launch, "start", start)
    for name, steps in (("STEPS", 1), ("LEARNING", 1), ("MORE_STEPS", 2)):
        monkeypatch.setattr(given, name, steps)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    return found


def ready() -> Ready:
    return Ready(
        case=CASE,
        stack=stack.load("null"),
        python=Path("python"),
        data=Path("images"),
        model_file=None,
        dataset_file=None,
    )


def test_two_seeds_train_in_one_process_which_ends_with_the_trainee(
    process: ScriptedProcess, tmp_path: Path
) -> None:
    with Trainee(ready(), DESCRIBED, tmp_path / "stack", ordered=True) as trainee:
        first = trainee.train(tmp_path / "one", 7)
        second = trainee.train(tmp_path / "two", 8)

    assert process.left == []
    assert (first.losses, second.losses) == ([2.0, 1.0], [4.0, 2.0])
    assert (first.seed, second.seed) == (7, 8)
    assert second.facts["backend"] == "null"
    assert second.facts["macs"] == 6
    assert not np.array_equal(first.given["images"], second.given["images"])


def test_a_stack_that_cannot_is_told_with_its_stage(
    process: ScriptedProcess, tmp_path: Path
) -> None:
    failed = {"type": "Failed", "stage": "build", "kind": "error", "message": "no", "traceback": ""}
    process.left[3] = {"guest": failed}
    with (
        pytest.raises(UnverifiableError, match="build: no"),
        Trainee(ready(), DESCRIBED, tmp_path / "stack", ordered=True) as trainee,
    ):
        trainee.train(tmp_path / "one", 7)
