"""A store that cannot be used says so in one line, with what to do."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import SQLAlchemyError

from cnnbench.errors import StoreError
from cnnbench.store import address, engine
from cnnbench.store.database import Store
from cnnbench.store.trouble import told

if TYPE_CHECKING:
    from pathlib import Path

    from tests.store.conftest import BeginCampaign


def test_a_path_and_its_url_are_the_same_store(path: Path, begin_campaign: BeginCampaign) -> None:
    with Store.open(path) as store:
        campaign = begin_campaign(store)
    for place in (str(path), f"sqlite:///{path}"):
        with Store.open(place, read_only=True) as store:
            assert store.latest_campaign() == campaign


def test_a_path_may_hold_what_means_something_in_a_url(
    tmp_path: Path, begin_campaign: BeginCampaign
) -> None:
    path = tmp_path / "50% of? #1 é.sqlite"
    with Store.open(path) as store:
        campaign = begin_campaign(store)
    with Store.open(path, read_only=True) as store:
        assert store.latest_campaign() == campaign
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_the_default_is_the_variable_then_the_users_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address, "user_data_path", lambda name: tmp_path / "data" / name)
    monkeypatch.setenv("CNNBENCH_STORE", "elsewhere.sqlite")
    assert address.default_url() == "elsewhere.sqlite"
    monkeypatch.setenv("CNNBENCH_STORE", "")
    assert address.default_url() == str(tmp_path / "data" / "cnnbench" / "cnnbench.sqlite")
    assert (tmp_path / "data" / "cnnbench").is_dir()


def test_a_data_folder_that_cannot_be_made_says_to_give_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").write_text("a file")
    monkeypatch.setattr(address, "user_data_path", lambda name: tmp_path / "data" / name)
    monkeypatch.delenv("CNNBENCH_STORE", raising=False)
    with pytest.raises(StoreError, match=r"cannot write to .*; give --store URL"):
        address.default_url()


def test_reading_makes_no_file(path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no store at .*cnnbench run"):
        Store.open(path, read_only=True)
    assert not path.exists()


def test_a_store_that_was_opened_to_be_read_is_not_written(
    place: str, store: Store, begin_campaign: BeginCampaign
) -> None:
    campaign = begin_campaign(store)
    with Store.open(place, read_only=True) as reader:
        assert reader.latest_campaign() == campaign
        with pytest.raises(StoreError, match=r"cannot write to .*opened to be read"):
            reader.end_campaign(campaign)


def test_a_file_that_may_only_be_read_says_to_give_another(path: Path) -> None:
    Store.open(path).close()
    with pytest.raises(StoreError, match=r"cannot write to .*readonly.*; give --store URL"):
        Store.open(f"sqlite:///file:{path}?mode=ro&uri=true")
    with Store.open(f"sqlite:///file:{path}?mode=ro&uri=true", read_only=True) as store:
        assert store.campaigns() == []


@pytest.mark.parametrize("place", ["{tmp}", "/proc/cnnbench.sqlite"])
def test_a_folder_and_a_folder_that_takes_no_files_say_to_give_another(
    tmp_path: Path, place: str
) -> None:
    with pytest.raises(StoreError, match=r"cannot write to .*; give --store URL"):
        Store.open(place.format(tmp=tmp_path))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="its folder does not exist"):
        Store.open(tmp_path / "no" / "runs.sqlite")


def test_a_store_on_a_medium_that_cannot_be_written_is_read(
    path: Path, begin_campaign: BeginCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(path) as store:
        campaign = begin_campaign(store)
    # What SQLite answers there for a file in WAL mode; a mount would need privileges.
    monkeypatch.setattr(engine, "_opens", lambda _url: False)
    with Store.open(path, read_only=True) as store:
        assert store.latest_campaign() == campaign


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_that_is_no_database_is_no_store_and_stays_as_it_is(
    path: Path, *, read_only: bool
) -> None:
    path.write_text("batch,speed\n32,1056\n" * 100)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="is not a cnnbench store"):
        Store.open(path, read_only=read_only)
    assert path.read_bytes() == before


@pytest.mark.parametrize("read_only", [False, True])
def test_the_database_of_another_program_is_no_store_and_stays_as_it_is(
    path: Path, *, read_only: bool
) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="is not a cnnbench store: it has other tables"):
        Store.open(path, read_only=read_only)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://ann:hunter2@host:port/runs", "neither a path nor a URL"),
        ("sqlite+nosuchdriver:///x", "no such database or option"),
        ("nosuchdatabase://ann:hunter2@host/runs", "no such database or option"),
        ("sqlite:///x?timeout=soon", "no such database or option"),
        ("oracle+cx_oracle://ann:hunter2@host/runs", "needs the Python package cx_Oracle"),
    ],
)
def test_a_url_that_cannot_be_used_is_told_without_its_password(url: str, says: str) -> None:
    with pytest.raises(StoreError, match=says) as told_of:
        Store.open(url)
    assert "hunter2" not in str(told_of.value)
    assert "\n" not in str(told_of.value)


def test_a_password_that_a_driver_quotes_is_not_shown() -> None:
    url = address.parse("postgresql://ann:hunter2@host/runs?sslpassword=hunter3")
    with pytest.raises(StoreError) as told_of, told(url, "read"):
        raise SQLAlchemyError("bad dsn: user=ann password=hunter2 sslpassword=hunter3\nhint: no")
    assert "***" in str(told_of.value)
    assert "hunter" not in str(told_of.value)
    assert "\n" not in str(told_of.value)
