"""`cnnbench schema`: what the JSON of a command looks like."""

from __future__ import annotations

from typing import Annotated

import typer

from cnnbench.cli import output
from cnnbench.report.schema import DOCUMENTS
from cnnbench.report.schema import schema as schema_of

Name = Annotated[
    str, typer.Argument(metavar="COMMAND", help=f"One of {', '.join(DOCUMENTS)}; show is as run.")
]


def schema(command: Name = "run") -> None:
    """Print the JSON Schema of what a command's --json writes.

    Programs may rely on it: new keys may be added, none change.

    cnnbench schema compare
    """
    output.print_json(schema_of(command))
