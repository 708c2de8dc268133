"""Servers of a benchmark's or a test's own, on this machine: PostgreSQL, and a Ray cluster.

PostgreSQL is the system's package, on a socket in a folder: no port is taken, and no other machine
let in. The nodes of a cluster are all this machine; each can be killed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil
import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

USER = "postgres"  # of the package: the server refuses to run as root
OPTIONS = "-c listen_addresses= -c fsync=off -c unix_socket_directories={}"
WORKER = "ray::_work"  # how Ray titles a process that does a task of `cnnbench.fleet`
MEMORY = 80 * 2**20  # bytes of a node's object store, the least that Ray takes


class Server(NamedTuple):
    """PostgreSQL.

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


def postgresql_programs() -> Path | None:
    """Where the programs of the newest server are; distributions keep them off the PATH."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    there = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(there, key=lambda path: int(path.parts[-3]), default=None)
    return newest.parent if newest else None


@contextmanager
def postgresql() -> Iterator[Server]:
    """A server that is there until the block ends.

    Raises:
        FileNotFoundError: The package is not installed.
    """
    programs = postgresql_programs()
    if programs is None:
        raise FileNotFoundError("no PostgreSQL here: initdb is not installed (Debian: postgresql)")
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


class Nodes:
    """A Ray cluster: a head that measures nothing, and nodes that do.

    Args:
        count: Of nodes that measure.
        resources: Of each, besides a CPU.
    """

    def __init__(self, count: int, resources: Mapping[str, float] | None = None) -> None:
        from ray.cluster_utils import Cluster  # noqa: PLC0415  only who wants a cluster has Ray

        self._resources = dict(resources or {})
        self._cluster = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 0,
                "include_dashboard": False,
                "object_store_memory": MEMORY,
            },
        )
        for _ in range(count):
            self.add()

    @property
    def address(self) -> str:
        """As `--address` takes it."""
        return str(self._cluster.address)

    def add(self) -> None:
        """Let a node join; where it is too slow to begin, once more."""
        node = partial(
            self._cluster.add_node,
            num_cpus=1,
            object_store_memory=MEMORY,
            resources=dict(self._resources),
        )
        try:
            node()
        except Exception:  # noqa: BLE001  Ray has no narrower one
            node()

    def nodes(self) -> list[Any]:
        """Those that measure."""
        return list(self._cluster.worker_nodes)

    def kill(self, node: Any) -> None:
        """End a node at once."""
        self._cluster.remove_node(node, allow_graceful=False)

    def end(self) -> None:
        """End all at once, the head first."""
        for node in [self._cluster.head_node, *self.nodes()]:
            node.kill_all_processes(check_alive=False, allow_graceful=False, wait=True)


@contextmanager
def nodes(count: int, resources: Mapping[str, float] | None = None) -> Iterator[Nodes]:
    """A cluster that is there until the block ends."""
    found = Nodes(count, resources)
    try:
        yield found
    finally:
        found.end()


def workers() -> list[psutil.Process]:
    """Processes that do something for `cnnbench` on nodes that this process started."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it may have ended meanwhile
            if WORKER in " ".join(process.cmdline()):
                found.append(process)
    return found
