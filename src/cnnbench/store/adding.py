"""Whole records from elsewhere go into a store: checked, and each once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import insert, select

from cnnbench.errors import StoreError
from cnnbench.store import reading, rows
from cnnbench.store.schema import campaign_ends, campaigns, launch_ends, launches, proofs, windows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Column
    from sqlalchemy.engine import Connection

    from cnnbench.record import Launch
    from cnnbench.store.exchange import Recorded

AT_ONCE = 500  # ids in a query; SQLite takes 999 at least


class Added(NamedTuple):
    """What was not known before.

    Attributes:
        campaigns: Of which nothing was known.
        launches: The same.
        proofs: The same.
        known: Launches that the store had.
    """

    campaigns: int
    launches: int
    proofs: int
    known: int


def add(connection: Connection, recorded: Recorded) -> Added:
    """Insert what is not known yet.

    Raises:
        StoreError: A launch that is known is another one here.
    """
    known = {one.id: one for one in _known(connection, [one.id for one in recorded.launches])}
    for launch in recorded.launches:
        if launch.id in known and _essence(launch) != _essence(known[launch.id]):
            raise StoreError(f"launch {launch.id} is known, and is another one here")
    new = [launch for launch in recorded.launches if launch.id not in known]
    begun = _absent(connection, campaigns.c.id, dict.fromkeys(one.campaign for one in new))
    made = _absent(connection, proofs.c.id, [proof.id for proof in recorded.proofs])
    for name in begun:
        own = [launch for launch in recorded.launches if launch.campaign == name]
        row = rows.imported_campaign(name, recorded.campaigns[name], own)
        connection.execute(insert(campaigns), row)
        ended = {"campaign": name, "ended_at": own[-1].started_at}
        connection.execute(insert(campaign_ends), ended)
    for launch in new:
        _add(connection, launch)
    for proof in recorded.proofs:
        if proof.id in made:
            connection.execute(insert(proofs), rows.proof(proof))
    return Added(len(begun), len(new), len(made), len(known))


def _add(connection: Connection, launch: Launch) -> None:
    connection.execute(insert(launches), rows.launch(launch))
    if launch.windows:
        connection.execute(
            insert(windows), [rows.window(launch.id, window) for window in launch.windows]
        )
    ended = rows.end(launch.id, launch.stages, launch.facts, launch.failure, launch.started_at)
    connection.execute(insert(launch_ends), ended)


def _essence(launch: Launch) -> tuple[object, ...]:
    """All by which two launches of one id are told apart."""
    return launch.case, launch.seed, launch.started_at, launch.windows


def _known(connection: Connection, ids: Sequence[str]) -> list[Launch]:
    return [
        launch
        for at in range(0, len(ids), AT_ONCE)
        for launch in reading.launches_of(connection, ids[at : at + AT_ONCE])
    ]


def _absent(connection: Connection, column: Column[str], names: Iterable[str]) -> list[str]:
    """The names that a column does not have, in their order."""
    there = set(connection.scalars(select(column)))
    return [name for name in names if name not in there]
