"""Every recipe on every stack that has it: training stays right, and it is really there."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from cnnbench import catalog, recipes
from cnnbench.case import Case
from cnnbench.envs import stack
from tests.stacks.here import answer, available

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.stacks

STACKS = [name for name in stack.names() if stack.load(name).devices == ("cpu",) and name != "null"]
TORCH, TENSORFLOW = "keras3-torch", "keras3-tensorflow"
# Of networks without batch normalisation, which are proven sooner, unless it is about that.
NORMALISED = ("fused_batch_norm", "channels_last_memory", "direct_calls", "direct_convolution")


def having(name: str, recipe: str) -> list[str]:
    """What makes a stack take a recipe, as flags; none if it never does."""
    precisions, formats = ("float32", "float16"), ("channels_last", "channels_first")
    for precision, data_format in itertools.product(precisions, formats):
        case = Case(
            stack=name,
            model="resnet20_cifar",
            dataset="synthetic-32",
            method="train_on_batch",
            precision=precision,
            data_format=data_format,
            recipes=(recipe,),
        )
        if recipes.refusal(case, stack.load(name).backend) is None:
            return ["--precision", precision, "--data-format", data_format]
    return []


def pairs() -> list[tuple[str, str]]:
    """Stacks and recipes that go together; of recipes that change no number, one stack each."""
    found = []
    for recipe in catalog.names("recipes"):
        able = [name for name in STACKS if having(name, recipe)]
        if catalog.module("recipes", recipe).CHANGES == "exact":
            able = able[-1:]
        found += [(name, recipe) for name in able]
    return found


@pytest.mark.parametrize(("name", "recipe"), pairs())
def test_training_stays_right_with_a_recipe(name: str, recipe: str, tmp_path: Path) -> None:
    available(name, "native-torch")
    model = "resnet20_cifar" if recipe in NORMALISED else "simple_cnn"
    command = ("verify", "--stack", name, "--model", model, "--recipe", recipe)

    told, _ = answer(tmp_path, *command, *having(name, recipe))

    (proof,) = told["proofs"]
    assert proof["outcome"] in {"same", "differs, explained"}, proof["reason"]
    assert proof["subject"]["recipes"] == [recipe]


def test_a_recipe_that_breaks_training_is_refused(
    tmp_path: Path, tiny: Path, change: Callable[..., None], shallow: Callable[[], None]
) -> None:
    available(TORCH, "native-torch")
    shallow()
    change("recipes/fused_batch_norm.py", "0.0, self.epsilon", "0.0, 10 * self.epsilon")
    command = ("run", str(tiny), "--stack", TORCH, "--model", "resnet20_cifar")

    told, _ = answer(tmp_path, *command, "--recipe", "none", "--recipe", "fused_batch_norm")

    plain, faster = told["results"]
    assert plain["verdict"] != "refused"
    assert faster["verdict"] == "refused"


@pytest.mark.parametrize(
    ("name", "recipe", "fact"),
    [
        (TENSORFLOW, "jit", {"jit": "xla"}),
        (TORCH, "jit", {"jit": "torch.compile"}),
        (TENSORFLOW, "steps_per_execution", {"steps_per_execution": 8}),
    ],
)
def test_a_recipe_shows_in_the_facts(
    name: str, recipe: str, fact: dict[str, Any], tmp_path: Path, tiny: Path
) -> None:
    available(name)
    command = ("run", str(tiny), "--no-verify", "--stack", name, "--method", "fit")

    told, _ = answer(tmp_path, *command, "--recipe", recipe)

    (result,) = told["results"]
    assert result["case"]["recipes"] == [recipe]
    assert result["images_per_second"], result["reason"]
    assert fact.items() <= result["facts"].items()


def test_a_keras_that_a_recipe_does_not_know_is_unsupported(
    tmp_path: Path, tiny: Path, change: Callable[..., None]
) -> None:
    available(TORCH)
    change("recipes/fused_batch_norm.py", 'RELEASES = ("3.15",)', 'RELEASES = ("3.14",)')
    command = ("run", str(tiny), "--stack", TORCH, "--no-verify", "--recipe", "fused_batch_norm")

    told, _ = answer(tmp_path, *command)

    (result,) = told["results"]

    assert result["verdict"] == "unsupported"
    assert "this recipe knows Keras 3.14, not 3.15" in result["reason"]
