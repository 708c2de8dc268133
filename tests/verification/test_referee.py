"""The talk with the reference, replayed from a transcript."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cnnbench import folders
from cnnbench.case import Case
from cnnbench.link.conversation import Conversation
from cnnbench.probe import wire
from cnnbench.proving import comparing
from cnnbench.proving.comparing import Comparison
from cnnbench.proving.hearing import UnverifiableError
from cnnbench.proving.referee import Referee
from cnnbench.proving.trainee import Run
from cnnbench.verification import given
from cnnbench.verification.traits import standard

if TYPE_CHECKING:
    from cnnbench.verification.checks import Check

STORIES = Path(__file__).parent / "transcripts"
CASE = Case(stack="keras3-jax", model="simple_cnn", dataset="synthetic-32", method="fit", threads=2)
STEPS = range(1, given.STEPS + 1)
NAMES = {"gradients/0": (2, 3), "gradients/1": (3,)}
OFF = {"2/gradients/1": np.full(3, 1.01)}
# By twice what 64 times the rounding of the plain network's first step explains.
NEARLY: dict[str, dict[str, Any]] = {
    "1/loss": {"1/loss": np.float64(1 + 2 * 64e-7)},
    "2/loss": {"2/loss": np.float64(1 + 2 * 64e-7)},
    "2/gradients/1": {"2/gradients/1": np.full(3, 1 + 2 * 64e-7)},
}


class ScriptedLine:
    """Says what the transcript says, once it was told what the transcript has the host say."""

    def __init__(self, folder: Path, story: str = "reference", steps: int = given.STEPS) -> None:
        rows = given.rows(4, 7, steps, from_start=True)
        text = (STORIES / f"{story}.jsonl").read_text().replace('"FOLDER"', json.dumps(str(folder)))
        text = text.replace('"ROWS"', json.dumps(rows))
        self.script = [json.loads(line) for line in text.splitlines()]

    def write(self, line: str) -> None:
        asked = self.script.pop(0)["host"]
        assert json.loads(line) == asked
        folder = Path(asked.get("folder", ""))
        if asked["type"] == "Perturb" and asked["variants"]:
            (folder / "own.npz").rename(folder / "perturbed.npz")
        if asked.get("coins") == comparing.MANY:
            (folder / "many.npz").rename(folder / "edges.npz")

    def read(self, seconds: float) -> str:  # noqa: ARG002
        return json.dumps(self.script.pop(0)["guest"])


def edged(folder: Path, far: float = 1.0) -> ScriptedLine:
    """Finds how far values on an edge move gradients of the second step, which it is asked for."""
    np.savez(folder / "edges.npz", **edges(far))
    return ScriptedLine(folder, "edges")


def edges(far: float) -> dict[str, Any]:
    """How far values on an edge move a gradient of the second step."""
    return {"2/edges/gradients/1": np.float64(far)}


def perturbed(folder: Path, far: float, step: int = 2) -> ScriptedLine:
    """Finds how far rounding leads a step away, after that of the plain network's first."""
    np.savez(folder / "own.npz", **tried(far))
    line = ScriptedLine(folder, "perturbed")
    line.script[-2]["host"]["step"] = step
    return line


def tried(far: float) -> dict[str, Any]:
    """How far rounding leads a step away whose gradients are all 1."""
    return {"size": np.float64(3.0)} | dict.fromkeys(["loss", *NAMES], np.float64(far))


def rewrite(folder: Path, arrays: dict[str, Any]) -> None:
    """Change some of what the reference expects."""
    with np.load(folder / "expected.npz") as file:
        known = dict(file)
    np.savez(folder / "expected.npz", **(known | arrays))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Steps of Adam whose gradients are all 1, as stack and reference have them."""
    monkeypatch.setattr(folders, "cache", lambda: tmp_path / "cache")
    arrays: dict[str, Any] = {}
    expected: dict[str, Any] = {}
    first = {"weights/0/0": np.zeros((2, 3)), "weights/0/1": np.zeros(3)}
    for step in STEPS:
        expected[f"{step}/loss"] = np.float64(1.0)
        arrays[f"iterations/{step}/0"] = np.array(step)
        for place, (name, shape) in enumerate(NAMES.items()):
            one = np.ones(shape)
            expected[f"{step}/{name}"] = one
            arrays[f"momentum/{step}/{place}"] = one * (1 - 0.9**step)
            arrays[f"velocity/{step}/{place}"] = one * (1 - 0.999**step)
            arrays[f"weights/{step}/{place}"] = -one * 1e-3 * step / (1 + 1e-7)
    np.savez(tmp_path / "expected.npz", **expected)
    np.savez(tmp_path / "perturbed.npz", **tried(1e-7))
    told = [
        wire.Window(steps=1, images=4, seconds=0.1, started=0.0, fence=0.0, loss=1.0) for _ in STEPS
    ]
    return Run(folder=tmp_path, seed=7, windows=told, facts={}, given=first, seen=arrays)


def compared(run: Any, line: ScriptedLine, *, whole: bool = False) -> list[Check]:
    """What a referee says of the run, once."""
    referee = Referee(Conversation(line, 1.0), CASE)
    fixed = replace(standard(referee.described), variants=frozenset({"fixed gamma"}))
    return Comparison(referee, run)(fixed, whole=whole)


def test_the_referee_asks_once_for_each_variant_and_compares_every_step(run: Any) -> None:
    line = ScriptedLine(run.folder)
    referee = Referee(Conversation(line, 1.0), CASE)
    fixed = replace(standard(referee.described), variants=frozenset({"fixed gamma"}))
    compare = Comparison(referee, run)

    found = compare(fixed)
    again = compare(fixed)

    assert line.script == []
    assert found == again
    assert {check.step for check in found} == set(STEPS)
    assert {check.what for check in found} == {
        *("loss", "gradient", "velocity", "weights", "iterations")
    }
    assert max(check.excess for check in found) <= 1


def test_edges_are_asked_for_in_steps_of_which_gradients_alone_are_off(run: Any) -> None:
    rewrite(run.folder, OFF)
    line = edged(run.folder)

    found = compared(run, line)

    assert line.script == []
    assert max(check.excess for check in found) <= 1


def test_values_on_an_edge_are_not_asked_for_where_the_loss_is_off_too(run: Any) -> None:
    rewrite(run.folder, OFF | {"1/loss": np.float64(1.1)})
    line = ScriptedLine(run.folder)

    found = compared(run, line)

    assert line.script == []
    assert {check.what for check in found if check.excess > 1} == {"loss", "gradient"}


def test_edges_are_asked_for_step_by_step_until_one_excuses_nothing(run: Any) -> None:
    rewrite(run.folder, OFF | {"3/gradients/1": np.full(3, 1.01)})
    line = edged(run.folder, 1e-9)

    found = compared(run, line)

    assert line.script == []
    assert {check.step for check in found if check.excess > 1} == {2, 3}


@pytest.mark.parametrize("part", NEARLY)
def test_rounding_is_tried_out_in_the_very_step_that_is_off_by_little(run: Any, part: str) -> None:
    rewrite(run.folder, NEARLY[part])
    line = perturbed(run.folder, 1e-6, int(part[0]))

    found = compared(run, line)

    assert line.script == []
    assert max(check.excess for check in found) <= 1


def test_what_rounding_in_its_own_step_does_not_excuse_is_off(run: Any) -> None:
    rewrite(run.folder, NEARLY["2/loss"])
    line = perturbed(run.folder, 1e-7)

    found = compared(run, line)

    assert line.script == []
    assert [(check.what, check.step) for check in found if check.excess > 1] == [("loss", 2)]


def test_rounding_is_not_tried_out_where_the_first_step_is_off_too(run: Any) -> None:
    rewrite(run.folder, NEARLY["2/loss"] | {"1/loss": np.float64(1.1)})
    line = ScriptedLine(run.folder)

    found = compared(run, line)

    assert line.script == []
    assert [check.step for check in found if check.excess > 1] == [1, 2]


def test_a_later_step_is_not_held_to_the_rounding_that_was_tried_out_of_the_first(run: Any) -> None:
    rewrite(run.folder, NEARLY["1/loss"] | {"2/gradients/1": np.full(3, 1 + 0.5 * 64e-7)})
    line = perturbed(run.folder, 1e-6, 1)
    np.savez(run.folder / "own.npz", **(tried(1e-6) | {"gradients/1": np.float64(1e-9)}))

    found = compared(run, line)

    assert line.script == []
    assert max(check.excess for check in found) <= 1


@pytest.mark.parametrize(("far", "steps"), [(0.02, set()), (0.009, {2})])
def test_more_coins_are_thrown_where_a_few_nearly_excuse_a_gradient(
    run: Any, far: float, steps: set[int]
) -> None:
    rewrite(run.folder, OFF)
    np.savez(run.folder / "edges.npz", **edges(0.008))
    np.savez(run.folder / "many.npz", **edges(far))
    line = ScriptedLine(run.folder, "coins")

    found = compared(run, line)

    assert line.script == []
    assert {check.step for check in found if check.excess > 1} == steps


def test_a_gradient_that_an_edge_excuses_is_not_among_all_that_is_off(run: Any) -> None:
    rewrite(run.folder, OFF | {"1/loss": np.float64(1.1)})
    line = edged(run.folder)

    found = compared(run, line, whole=True)

    assert line.script == []
    assert {check.what for check in found if check.excess > 1} == {"loss"}


def test_a_first_step_from_which_nothing_is_learned_proves_nothing(run: Any) -> None:
    rewrite(run.folder, {f"1/{name}": np.zeros(shape) for name, shape in NAMES.items()})

    with pytest.raises(UnverifiableError, match="cnnbench verify --seed"):
        compared(run, ScriptedLine(run.folder))


def test_a_damaged_file_of_what_was_tried_is_tried_anew(run: Any) -> None:
    folder = run.folder / "cache" / "proofs"
    for damage in (b"", b"no zip"):
        compared(run, ScriptedLine(run.folder))
        (kept,) = folder.iterdir()
        kept.write_bytes(damage)


def test_how_far_rounding_leads_is_kept_for_the_next_proof(run: Any) -> None:
    for story in ("reference", "kept"):
        line = ScriptedLine(run.folder, story)
        found = compared(run, line)

        assert line.script == []
        assert max(check.excess for check in found) <= 1


def test_how_the_loss_falls_is_asked_once_for_a_seed_and_kept(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(given, "LEARNING", 0)
    for keeps in (False, True):
        line = ScriptedLine(run.folder, "learning")
        referee = Referee(Conversation(line, 1.0), CASE)
        fixed = replace(standard(referee.described), variants=frozenset({"fixed gamma"}))

        check, falls = referee.learned(run, fixed)

        assert len(line.script) == (2 if keeps else 0)
        assert list(falls) == [1.0] * 3
        assert check.excess == 0
