"""A database to talk to: the SQLAlchemy engine, and how SQLite is set for append-only writing."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.exc import ArgumentError, DBAPIError

from cnnbench.errors import StoreError
from cnnbench.store import address

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.engine import URL, Connection, Engine
    from sqlalchemy.engine.interfaces import DBAPIConnection

# Longer than any writer holds the lock (one insert and one fsync), even on a slow disk.
BUSY_SECONDS = "30"
EXTRAS = {"postgresql+psycopg": "cnnbench[postgres]"}


def writing(url: URL) -> Engine:
    """An engine that makes an SQLite file where there is none.

    Raises:
        StoreError: The folder is not there, or the driver is not installed.
    """
    path = address.file_of(url)
    if path and not path.absolute().parent.is_dir():
        raise StoreError(f"cannot write to {path}: its folder does not exist; make it first")
    engine = _create(url)
    if engine.dialect.name == "sqlite":
        # The lock is taken at BEGIN: a transaction that reads first and writes then would get
        # "database is locked" at once, without waiting, where another wrote in between.
        _prepare_sqlite(engine, begin="BEGIN IMMEDIATE")
    return engine


def reading(url: URL) -> Engine:
    """An engine that neither makes nor changes anything.

    Raises:
        StoreError: There is no such file, or the driver is not installed.
    """
    path = address.file_of(url)
    if path and not path.exists():
        raise StoreError(f"there is no store at {path}; `cnnbench run` makes one, or give --store")
    engine = _create(_readable(path) if path else url)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, begin="BEGIN", query_only=True)
    return engine


def use_wal(engine: Engine) -> None:
    """Lets readers of an SQLite file read while a campaign writes; other databases do so anyway.

    Switching needs the file to itself and SQLite does not wait for that; some network file
    systems do not allow it at all. Then the file stays as it is and the next one to open it tries
    again: the mode matters for concurrency, never for correctness.
    """
    if engine.dialect.name != "sqlite":
        return
    raw = engine.raw_connection()
    try:
        with suppress(engine.dialect.loaded_dbapi.OperationalError):
            raw.cursor().execute("PRAGMA journal_mode=WAL")
    finally:
        raw.close()


def prove_writable(connection: Connection) -> None:
    """Fails now, not after minutes of building stacks, where SQLite may only read the file.

    BEGIN IMMEDIATE succeeds there; a number that is not used, set to what it is, does not.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA user_version=0")


def _readable(path: Path) -> URL:
    """The URL that reads an SQLite file, be it on a read-only medium.

    `mode=ro` is not used: its readers leave `-wal` and `-shm` files behind. A file in WAL mode in
    a folder that cannot be written opens only as immutable; that is right only where no log of a
    writer lies beside it.
    """
    url = address.uri_of(path, "rw")
    log = path.with_name(f"{path.name}-wal")
    if _opens(url) or (log.exists() and log.stat().st_size):
        return url
    return address.uri_of(path, "immutable")


def _opens(url: URL) -> bool:
    engine = _create(url)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1 FROM sqlite_master").all()
    except DBAPIError as error:
        return not getattr(error.orig, "sqlite_errorname", "").startswith("SQLITE_CANTOPEN")
    finally:
        engine.dispose()
    return True


def _create(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite" and "timeout" not in url.query:
        url = url.update_query_dict({"timeout": BUSY_SECONDS})
    try:
        return create_engine(
            url,
            # Hours may lie between two windows, and servers drop idle connections.
            pool_pre_ping=True,
            # Strict JSON, so that every database and its own JSON functions can read it.
            json_serializer=partial(json.dumps, allow_nan=False),
        )
    except ModuleNotFoundError as error:
        wanted = EXTRAS.get(url.drivername, error.name)
        raise StoreError(
            f"a {url.drivername} store needs the Python package {error.name}; install {wanted}"
            " beside cnnbench or give another --store"
        ) from error
    except (ArgumentError, TypeError, ValueError) as error:
        raise StoreError(
            f"the store {address.show(url)} cannot be used: no such database or option; give"
            " --store runs.sqlite or --store postgresql://host/database"
        ) from error


def _prepare_sqlite(engine: Engine, *, begin: str, query_only: bool = False) -> None:
    """Sets up every connection, and takes BEGIN out of the driver's hands.

    Python's driver begins a transaction before some statements and not before others (DDL,
    SELECT), which leaves migrations half done and reads without a snapshot.
    """

    def connected(connection: DBAPIConnection, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys=ON")
        # NORMAL is enough for `kill -9`, but a power cut may undo the last commits. FULL adds one
        # fsync for each row, while the guest waits between windows: no timed second pays for it.
        cursor.execute("PRAGMA synchronous=FULL")
        if query_only:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    def began(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", began)
