"""A PostgreSQL server of the tests' own, from the system's package: started and stopped by them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

USER = "postgres"  # of the package: the server refuses to run as root
# All on a socket in a folder, so that no port is taken and no other machine is let in.
OPTIONS = "-c listen_addresses= -c fsync=off -c unix_socket_directories={}"


class Server(NamedTuple):
    """A server.

    Attributes:
        folder: Of its socket.
        control: Runs `pg_ctl` with some words.
    """

    folder: Path
    control: Callable[..., object]

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.control("-l", self.folder / "log", "-o", OPTIONS.format(self.folder), "start")

    def kill(self) -> None:
        """End it as a crash would."""
        self.control("-m", "immediate", "stop")

    def url(self, database: str = "postgres") -> str:
        """As `--store` takes it."""
        return f"postgresql://{USER}@/{database}?host={self.folder}"

    def new(self) -> str:
        """The URL of an empty database."""
        name = f"runs_{uuid.uuid4().hex[:12]}"
        where = f"host={self.folder} user={USER} dbname=postgres"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A server that is there until the tests end."""
    programs = _programs()
    if programs is None:
        pytest.skip("no PostgreSQL here: initdb is not installed (Debian: postgresql)")
    as_user = {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}
    # Under /tmp, where another user may go, and short enough for the name of a socket.
    folder = Path(tempfile.mkdtemp(prefix="cnnbench-pg-"))
    run = partial(subprocess.run, check=True, capture_output=True, cwd=folder, **as_user)
    data = folder / "data"
    server = Server(folder, lambda *words: run([programs / "pg_ctl", "-D", data, "-w", *words]))
    try:
        if as_user:
            shutil.chown(folder, USER, USER)
        run([programs / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync"])
        server.start()
        yield server
        server.kill()
    finally:
        shutil.rmtree(folder)


def _programs() -> Path | None:
    """Where the programs of the newest server are; distributions keep them off the PATH."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    there = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(there, key=lambda path: int(path.parts[-3]), default=None)
    return newest.parent if newest else None
