"""`cnnbench import`: raw launches from another machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cnnbench.cli import flags  # noqa: TC001  Typer reads annotations
from cnnbench.cli.sources import in_files
from cnnbench.store.address import default_url
from cnnbench.store.database import Store

Files = Annotated[
    list[Path],
    typer.Argument(help="Files of cnnbench export --format launches, or folders of them."),
]


def bring(files: Files, store: flags.StoreUrl = None) -> None:
    """Take launches that were measured elsewhere into the store.

    All of them or, if anything is wrong, none. What the store has is left as it is, so that the
    same file may be taken twice. A result stays one of its own machine.

    cnnbench import theirs.jsonl
    """
    recorded = in_files(files)
    with Store.open(store or default_url()) as opened:
        added = opened.add(recorded)
        name = opened.name
    typer.echo(
        f"{added.launches} launches of {added.campaigns} campaigns and {added.proofs} proofs are"
        f" new in {name}; {added.known} launches were there"
    )
