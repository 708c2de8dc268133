"""A PostgreSQL server of the tests' own, from the system's package: started and stopped by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.scripts import benchmark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Server = Any  # of benchmarks/servers.py

SERVERS = benchmark("servers")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A server that is there until the tests end."""
    if SERVERS.postgresql_programs() is None:
        pytest.skip("no PostgreSQL here: initdb is not installed (Debian: postgresql)")
    with SERVERS.postgresql() as server:
        yield server
