"""A database's complaint, as one line that says what to do next."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from cnnbench.errors import StoreError
from cnnbench.store.address import show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import URL

# By the beginning of SQLite's result code (sqlite.org/rescode.html); the first that fits.
SQLITE = (
    ("SQLITE_FULL", "cannot write to {store}: {what}; free space or give --store URL"),
    ("SQLITE_BUSY", "{store} is locked by another process; end it or give another --store"),
    ("SQLITE_LOCKED", "{store} is locked by another process; end it or give another --store"),
    ("SQLITE_READONLY", "cannot write to {store}: {what}; give --store URL"),
    ("SQLITE_CANTOPEN", "cannot {do} {store}: {what}; give --store URL"),
    ("SQLITE_IOERR", "cannot {do} {store}: {what}; check the disk or give --store URL"),
    ("SQLITE_NOTADB", "{store} is not a cnnbench store; give another --store"),
    ("SQLITE_CORRUPT", "{store} is damaged: {what}; restore a copy or give another --store"),
)
OTHERWISE = "the store {store} failed: {what}; check it or give another --store"


@contextmanager
def told(url: URL, do: str) -> Iterator[None]:
    """Turns what SQLAlchemy raises inside into a `StoreError`; `do` is `read` or `write to`."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreError(_explain(error, url, do)) from error


def _explain(error: SQLAlchemyError, url: URL, do: str) -> str:
    # Not str(error): that has the statement and its parameters.
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    what = next(iter(str(cause).strip().splitlines()), type(cause).__name__)
    code = getattr(cause, "sqlite_errorname", "")
    text = next((text for start, text in SQLITE if code.startswith(start)), OTHERWISE)
    return text.format(do=do, store=show(url), what=_without_secrets(what, url))


def _without_secrets(text: str, url: URL) -> str:
    """Drivers quote what they could not parse, passwords among it."""
    given = [str(value) for key, value in url.query.items() if "pass" in key.lower()]
    for secret in [str(url.password or ""), *given]:
        text = text.replace(secret, "***") if secret else text
    return text
