"""What tests of real stacks share: skipping what is not here, and a command's JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from cnnbench.cli import app
from cnnbench.envs import cache, stack

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result


# One stack of each kind: where all that differs by kind is tested, others are tested once.
KINDS = ("keras3-torch", "keras2.1.5-tensorflow1.7.0", "keras2.1.6-mxnet1.1.0")


def available(*names: str) -> None:
    """Skip the test if one of these stacks cannot run here."""
    for name in names:
        if reason := cache.unsupported(stack.load(name)):
            pytest.skip(reason)


def answer(folder: Path, *command: str) -> tuple[Any, Result]:
    """The JSON that a command writes, and how it ended."""
    place = ["--store", str(folder / "store.sqlite"), "--json", str(folder / "out.json")]
    done = CliRunner().invoke(app, [*command, *place])
    return json.loads((folder / "out.json").read_text()), done
