"""Every store has a version: made from nothing, brought up to date, refused when newer."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from cnnbench.errors import StoreError
from cnnbench.store import migrate, schema
from cnnbench.store.database import Store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.store.conftest import BeginCampaign

NEXT = '''"""A version of the future."""
import sqlalchemy as sa
from alembic import op
revision = "9999"
down_revision = "0004"
def upgrade():
    op.create_table("notes", sa.Column("id", sa.Integer, primary_key=True))
    {then}
'''


BUDGET = json.dumps(
    {
        "precision": 0.1,
        "launches": [3, 4],
        "warmup_seconds": 1.0,
        "warmup_windows": 2,
        "windows": [5, 10],
        "window_seconds": 0.5,
        "case_seconds": 45.0,
    }
)


def next_scripts(tmp_path: Path, then: str = "") -> Path:
    """The migrations of a later cnnbench."""
    scripts = tmp_path / "migrations"
    shutil.copytree(migrate.SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / "v9999_next.py").write_text(NEXT.format(then=then))
    return scripts


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as file:
        return list(file.iterdump())


def test_the_migrations_make_the_tables_that_the_code_uses(path: Path) -> None:
    path.touch()
    Store.open(path).close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, schema.metadata) == []
    engine.dispose()


def test_opening_again_changes_nothing(path: Path, begin_campaign: BeginCampaign) -> None:
    with Store.open(path) as store:
        begin_campaign(store)
    before = dump(path)
    Store.open(path).close()
    assert dump(path) == before


def test_a_store_is_written_in_wal_mode(path: Path) -> None:
    Store.open(path).close()
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_store_of_the_first_version_keeps_what_it_holds(path: Path, tmp_path: Path) -> None:
    first = tmp_path / "first"
    later = shutil.ignore_patterns("v000[2-9]*", "__pycache__")
    shutil.copytree(migrate.SCRIPTS, first, ignore=later)
    with pytest.MonkeyPatch.context() as earlier:
        earlier.setattr(migrate, "SCRIPTS", first)
        engine = create_engine(f"sqlite:///{path}")
        with engine.begin() as connection:
            migrate.upgrade(connection, "first")
        engine.dispose()
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(
            "INSERT INTO campaigns VALUES (1, 'c', 'd', 't', 's', ?, 'p', '{}', '[]')", (BUDGET,)
        )
    with Store.open(path) as store:
        (found,) = store.campaigns()
    assert (found.id, found.arms) == ("c", ())


def test_an_older_store_is_upgraded_on_writing_and_refused_on_reading(
    path: Path, tmp_path: Path, begin_campaign: BeginCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(path) as store:
        campaign = begin_campaign(store)
    monkeypatch.setattr(migrate, "SCRIPTS", next_scripts(tmp_path))
    with pytest.raises(StoreError, match=r"was written by an older cnnbench; `cnnbench run"):
        Store.open(path, read_only=True)
    with Store.open(path) as store:
        assert store.latest_campaign() == campaign
    Store.open(path, read_only=True).close()


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_store_says_to_upgrade(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, read_only: bool
) -> None:
    with monkeypatch.context() as later:
        later.setattr(migrate, "SCRIPTS", next_scripts(tmp_path))
        Store.open(path).close()
    before = dump(path)
    with pytest.raises(StoreError, match="was written by a newer cnnbench; upgrade"):
        Store.open(path, read_only=read_only)
    assert dump(path) == before


def test_a_migration_that_fails_half_way_leaves_the_store_as_it_was(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store.open(path).close()
    before = dump(path)
    monkeypatch.setattr(migrate, "SCRIPTS", next_scripts(tmp_path, then="op.execute('nonsense')"))
    with pytest.raises(StoreError, match="syntax error"):
        Store.open(path)
    assert dump(path) == before


def test_an_empty_file_is_no_store_to_read(path: Path) -> None:
    path.touch()
    with pytest.raises(StoreError, match="is not a cnnbench store"):
        Store.open(path, read_only=True)
