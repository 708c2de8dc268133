"""The schema's version: found, checked, and brought up to date by Alembic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from cnnbench.errors import StoreError
from cnnbench.store.schema import VERSION_TABLE

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(connection: Connection, name: str) -> None:
    """Brings an empty or older store to this version, in the transaction of `connection`.

    Raises:
        StoreError: It is newer than this cnnbench, or somebody else's; `name` tells which.
    """
    exclusively(connection)
    if _version(connection, name) == _head():
        return
    config = Config()
    # Alembic reads `%` as the beginning of an interpolation.
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def check(connection: Connection, name: str) -> None:
    """Makes sure that a store can be read as it is.

    Raises:
        StoreError: It is newer or older than this cnnbench, or not a store; `name` tells which.
    """
    version = _version(connection, name)
    if version is None:
        raise StoreError(f"{name} is not a cnnbench store; give another --store")
    if version != _head():
        raise StoreError(
            f"{name} was written by an older cnnbench; `cnnbench run --store` brings it up to date"
        )


def exclusively(connection: Connection) -> None:
    """Keeps other transactions that call this waiting until the one of `connection` ends.

    SQLite's writers are alone from BEGIN IMMEDIATE on; PostgreSQL is asked for a lock.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('cnnbench'))"))


def _head() -> str | None:
    return ScriptDirectory(str(SCRIPTS)).get_current_head()


def _version(connection: Connection, name: str) -> str | None:
    """The revision of the store; None if the database is empty."""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    version = context.get_current_revision()
    if version is None and inspect(connection).get_table_names():
        raise StoreError(
            f"{name} is not a cnnbench store: it has other tables; give another --store"
        )
    known = {script.revision for script in ScriptDirectory(str(SCRIPTS)).walk_revisions()}
    if version is not None and version not in known:
        raise StoreError(f"{name} was written by a newer cnnbench; upgrade cnnbench")
    return version
