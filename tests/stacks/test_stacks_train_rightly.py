"""Every stack trains rightly, by every method, in both data formats; `run` asks once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cnnbench.envs import stack
from tests.stacks.here import KINDS, answer, available

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.stacks

STACKS = [name for name in stack.names() if stack.load(name).devices == ("cpu",) and name != "null"]
METHODS = ("train_on_batch", "fit", "fit_generator")
REFERENCE, TORCH = "native-torch", "keras3-torch"


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_trains_rightly_by_every_method(name: str, tmp_path: Path) -> None:
    available(name, REFERENCE)
    # By which method makes a difference by kind of Keras, not by version.
    methods = METHODS if name in KINDS else METHODS[:1]
    flags = [flag for method in methods for flag in ("--method", method)]

    told, done = answer(tmp_path, "verify", "--stack", name, *flags)

    assert len(told["proofs"]) == len(methods)
    right(told, done)


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_trains_rightly_with_channels_first(name: str, tmp_path: Path) -> None:
    available(name, REFERENCE)

    told, done = answer(tmp_path, "verify", "--stack", name, "--data-format", "channels_first")

    right(told, done)


def right(told: Any, done: Any) -> None:
    for proof in told["proofs"]:
        assert proof["outcome"] in ("same", "differs, explained"), proof["reason"]
        assert all(check["deviation"] <= check["tolerance"] for check in proof["checks"])
        assert proof["facts"]["macs"] == 20_741_120
    assert done.exit_code == 0


@pytest.mark.parametrize(
    ("name", "precision"),
    [
        *((name, "bfloat16") for name in STACKS if not name.startswith("keras2")),
        *((name, "float16") for name in STACKS if name.startswith("keras3")),
    ],
)
def test_reduced_precision_is_right_to_its_own_rounding(
    name: str, precision: str, tmp_path: Path
) -> None:
    available(name, REFERENCE)
    command = ("verify", "--stack", name, "--precision", precision, "--model", "resnet20_cifar")

    told, _ = answer(tmp_path, *command)

    (proof,) = told["proofs"]
    # What plain PyTorch does otherwise to a variance is less than bfloat16 may do.
    assert proof["outcome"] in {"same", "differs, explained"}, proof["reason"]


def test_run_proves_once_and_the_result_has_the_proof(tmp_path: Path, tiny: Path) -> None:
    available(TORCH, REFERENCE)
    command = ("run", str(tiny), "--stack", TORCH, "--fresh")

    first, begun = answer(tmp_path, *command)
    second, again = answer(tmp_path, *command, "--batch-size", "16")

    assert "proof: " in begun.output
    assert "proof: " not in again.output
    assert first["results"][0]["proof"] == second["results"][0]["proof"] is not None
    assert "differs: epsilon inside the root" in first["results"][0]["labels"]
