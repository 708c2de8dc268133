"""`cnnbench sync`: two stores come to have the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from cnnbench.cli import flags  # noqa: TC001  Typer reads annotations
from cnnbench.store.address import default_url
from cnnbench.store.database import Store
from cnnbench.store.syncing import copied

if TYPE_CHECKING:
    from rich.status import Status

Other = Annotated[
    str, typer.Argument(metavar="URL", help="The other store: a path or postgresql://host/runs.")
]


def sync(other: Other, store: flags.StoreUrl = None) -> None:
    """Give another store what yours has, and take what it has.

    Both come to have every launch that ended, and every proof; what is there is left as it is. A
    sync that was cut off goes on where it was. A result stays one of its own machine.

    cnnbench sync postgresql://team.example/runs
    """
    with Store.open(store or default_url()) as own, Store.open(other) as there:
        with Console(stderr=True).status("comparing the stores") as status:
            given = _copy(own, there, status)
            taken = _copy(there, own, status)
        typer.echo(f"{given} given to {there.name}, {taken} taken into {own.name}")


def _copy(source: Store, target: Store, status: Status) -> str:
    """Copy, saying how far it is; how much was new, in words."""
    launches = proofs = 0
    for added in copied(source, target):
        launches, proofs = launches + added.launches, proofs + added.proofs
        status.update(f"{target.name} has {launches} more launches")
    return f"{launches} launches and {proofs} proofs"
