"""Real stacks train to a goal, and what learns too well is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from cnnbench.cli import app
from tests.stacks.here import KINDS, available

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.stacks

REFERENCE, TORCH = "native-torch", "keras3-torch"

# Colours under so much noise that it takes a dozen windows to learn them.
NOISY = """
import numpy as np

SHAPE, CLASSES = (32, 32, 3), 10


def arrays(count, seed):
    return made(2000, seed)


def held_out(count, seed):
    return made(500, seed + 1)


def made(count, seed):
    colours = np.random.RandomState(0).randint(0, 60, (CLASSES, 4, 4, 3)).astype("uint8")
    draw = np.random.RandomState(seed % 2**32)
    labels = draw.randint(0, CLASSES, count)
    noise = draw.randint(0, 196, (count,) + SHAPE).astype("uint8")
    return colours.repeat(8, 1).repeat(8, 2)[labels] + noise, labels
"""


def results(folder: Path, *flags: str) -> dict[str, Any]:
    """What `run` says of each stack, of training that was not verified before."""
    place = ["--store", str(folder / "store.sqlite"), "--json", str(folder / "out.json")]
    command = ["run", "--no-verify", *flags, *place]
    done = CliRunner().invoke(app, command)
    assert done.exit_code in (0, 1), done.output
    told = json.loads((folder / "out.json").read_text())["results"]
    return {result["case"]["stack"]: result for result in told}


@pytest.mark.parametrize("name", KINDS)
def test_a_stack_trains_to_a_goal(name: str, tmp_path: Path) -> None:
    available(name, REFERENCE)

    flags = ("--batch-size", "100", "--launches", "1", "--until", "accuracy=0.3")

    found = results(tmp_path, "--stack", name, *flags)

    assert set(found) == {name, REFERENCE}
    for result in found.values():
        assert result["verdict"] == "noisy", result["reason"]  # one launch gives no interval
        assert result["metrics"]["time_to_accuracy"]["point"] > 0
        assert result["metrics"]["images_to_accuracy"]["point"] % 100 == 0
        assert result["facts"]["held_out_images"] == 2000


def test_by_fit_a_goal_is_looked_for_after_whole_passes(tmp_path: Path) -> None:
    available(REFERENCE)
    flags = ("--method", "fit", "--batch-size", "100", "--launches", "1")

    found = results(tmp_path, "--stack", REFERENCE, *flags, "--until", "accuracy=0.3")

    assert (found[REFERENCE]["metrics"]["images_to_accuracy"]["point"] - 100) % 10_000 == 0


def test_a_learning_rate_that_is_too_high_is_refused_for_it_learns_too_well(
    change: Callable[..., None], tmp_path: Path
) -> None:
    available(TORCH, REFERENCE)
    change("optimizers.py", "InverseTimeDecay(rate, ", "InverseTimeDecay(5 * rate, ")
    images = tmp_path / "noisy.py"
    images.write_text(NOISY)
    # Five seeds miss it once in ten times, for some learn twice as fast as others do.
    flags = ("--dataset", str(images), "--batch-size", "50", "--launches", "8")

    found = results(tmp_path, "--stack", TORCH, *flags, "--until", "accuracy=0.8")

    assert found[TORCH]["verdict"] == "refused"
    assert "of the images that the reference needs" in found[TORCH]["reason"]
    assert not found[TORCH]["metrics"]
    assert found[REFERENCE]["verdict"] == "settled"
