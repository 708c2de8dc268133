"""The command that a page gives for a case measures that case."""

from __future__ import annotations

import shlex
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from typer.main import get_command

from cnnbench.case import DATA_FORMATS, PRECISIONS, Case
from cnnbench.cli import app
from cnnbench.cli import flags as cli_flags
from cnnbench.cli.run import planned_suite
from cnnbench.prepare import Own
from cnnbench.report.commands import again

CASES = st.builds(
    Case,
    stack=st.sampled_from(["keras3-torch", "keras3-jax"]),
    model=st.sampled_from(["simple_cnn", "resnet50"]),
    dataset=st.sampled_from(["cifar10", "synthetic-32"]),
    method=st.sampled_from(["fit", "fit_generator"]),
    data_format=st.sampled_from(DATA_FORMATS),
    batch_size=st.integers(1, 512),
    precision=st.sampled_from(PRECISIONS),
    device=st.sampled_from(["cpu", "gpu"]),
    augment=st.booleans(),
    threads=st.integers(0, 64),
    devices=st.integers(1, 8),
    recipes=st.sampled_from([(), ("jit",), ("jit", "keep_memory")]),
    loader=st.sampled_from(["keras", "turbo"]),
)

AXES = (
    *("stack", "model", "dataset", "method", "data_format", "batch_size", "precision"),
    *("device", "devices", "threads", "recipe", "loader"),
)


@settings(max_examples=50)
@given(case=CASES)
def test_the_command_of_a_case_asks_for_that_case(case: Case) -> None:
    name, run, *arguments = shlex.split(again(case))
    assert (name, run) == ("cnnbench", "run")
    command = get_command(app).commands["run"]  # type: ignore[attr-defined]
    parsed: dict[str, Any] = command.make_context("run", arguments).params
    chosen = {axis: list(parsed[axis]) or None for axis in AXES if parsed[axis] is not None}
    chosen["augment"] = [True] if parsed["augment"] else None
    assert planned_suite("quick", chosen, Own()).cases == (case,)


def test_files_of_the_users_are_named_without_their_digest() -> None:
    case = Case(stack="local@1234", model="net.py@5678", dataset="photos@9a", method="fit")
    words = shlex.split(again(case))
    assert words[words.index("--python") + 1] == "YOUR/bin/python"
    assert words[words.index("--model") + 1] == "net.py"
    assert words[words.index("--dataset") + 1] == "photos"


def test_a_goal_is_part_of_the_command() -> None:
    case = Case(stack="keras3-jax", model="simple_cnn", dataset="cifar10", method="fit", until=0.6)
    words = shlex.split(again(case))
    assert cli_flags.accuracy(words[words.index("--until") + 1]) == 0.6
