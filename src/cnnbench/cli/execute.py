"""`cnnbench exec`: start a program with what a tuned configuration wants before it begins."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from cnnbench import handover
from cnnbench.errors import UsageError


def execute(
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="What to start.")],
    tuned: Annotated[
        Path, typer.Option("--tuned", help="The file that cnnbench tune wrote.")
    ] = Path(handover.NAME),
) -> None:
    """Start a program as the configuration that cnnbench tune found wants it started.

    Allocators and what else a process reads while it begins cannot be set by a script that runs
    already. This sets them, and becomes the program.

    cnnbench exec -- python train.py
    """
    environment = os.environ | handover.before(tuned)
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606
    except OSError as error:
        raise UsageError(f"cannot start {command[0]}: {error.strerror}") from None
