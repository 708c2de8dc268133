"""Where a store is: a path or an SQLAlchemy URL, and how it is told without its secrets."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from platformdirs import user_data_path
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from cnnbench.errors import StoreError

# What is meant where no driver is named.
DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


def default_url() -> str:
    """`CNNBENCH_STORE`, else `cnnbench.sqlite` in the user's data folder, which is made.

    Raises:
        StoreError: The folder cannot be made.
    """
    if given := os.environ.get("CNNBENCH_STORE"):
        return given
    path = user_data_path("cnnbench") / "cnnbench.sqlite"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"cannot write to {path}: {error.strerror}; give --store URL or set CNNBENCH_STORE"
        ) from error
    return str(path)


def parse(place: str | Path) -> URL:
    """The URL of a store that was given as a path or as a URL.

    Raises:
        StoreError: It has `://` and is not a URL. The text does not repeat it: it may hold a
            password.
    """
    if isinstance(place, Path) or "://" not in place:
        return URL.create("sqlite", database=str(place))
    try:
        url = make_url(place)
    except (ArgumentError, ValueError) as error:
        raise StoreError(
            "the store's address is neither a path nor a URL; give --store runs.sqlite or"
            " --store postgresql://host/database"
        ) from error
    return url.set(drivername=DRIVERS.get(url.drivername, url.drivername))


def show(url: URL) -> str:
    """The store's name in messages: no user, no password, no options."""
    if url.get_backend_name() == "sqlite":
        return (url.database or ":memory:").removeprefix("file:")
    public = URL.create(url.get_backend_name(), host=url.host, port=url.port, database=url.database)
    return public.render_as_string()


def file_of(url: URL) -> Path | None:
    """The file of an SQLite store; None where it is in memory, an SQLite URI or on a server."""
    if url.get_backend_name() != "sqlite" or url.database in {None, "", ":memory:"}:
        return None
    return None if "uri" in url.query else Path(str(url.database))


def uri_of(path: Path, mode: str) -> URL:
    """The URL that opens an SQLite file in one of the modes of its URIs: `rw`, `immutable`."""
    option = {"immutable": "1"} if mode == "immutable" else {"mode": mode}
    database = f"file:{quote(str(path.absolute()))}"
    return URL.create("sqlite", database=database, query={**option, "uri": "true"})
