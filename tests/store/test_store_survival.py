"""Kills, crowds and full disks: what was written stays, and who lives keeps the campaign."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from cnnbench.errors import StoreError
from cnnbench.store import database, process
from cnnbench.store.database import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres import Server
    from tests.store.conftest import BeginCampaign, MakeLaunch

PRELUDE = """
import sys
from cnnbench.case import Budget, Case
from cnnbench.record import STEADY, Launch, Window
from cnnbench.store.database import Store, new_id, now
CASE = Case(stack="null", model="m", dataset="d", method="fit")
BUDGET = Budget(precision=0.1, launches=(1, 1), warmup_seconds=0, warmup_windows=0,
                windows=(1, 1), window_seconds=0.5, case_seconds=1)
def begin(store):
    return store.begin_campaign(digest="d1", suite="s", budget=BUDGET, probe_digest="p",
                                machine={}, plan=[CASE])
def launch(store, campaign):
    id = new_id()
    store.begin_launch(Launch(id=id, campaign=campaign, case=CASE, number=1, seed=0,
        stack_fingerprint="f", probe_digest="p", started_at=now(), machine={}))
    return id
print("ready", flush=True)
sys.stdin.readline()
"""
# Says the number of each window once it is stored, until it is killed.
WRITER = """
with Store.open(sys.argv[1]) as store:
    id = launch(store, begin(store))
    for index in range(10**9):
        store.add_window(id, Window(index=index, role=STEADY, steps=1, images=1, seconds=1.0,
                                    started=float(index)))
        print(index, flush=True)
"""
CROWD = """
with Store.open(sys.argv[1]) as store:
    campaign = begin(store)
    for _ in range(20):
        store.end_launch(launch(store, campaign), {}, {}, None)
    store.end_campaign(campaign)
"""
KEEPER = """
with Store.open(sys.argv[1]) as store:
    print(begin(store), flush=True)
    sys.stdin.readline()
"""


@contextmanager
def guest(script: str, path: Path | str) -> Iterator[subprocess.Popen[str]]:
    """A process that has imported everything and runs the script at its first line of input."""
    with subprocess.Popen(
        [sys.executable, "-c", PRELUDE + script, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as started:
        try:
            assert answer(started) == "ready"
            yield started
        finally:
            started.kill()


def answer(started: subprocess.Popen[str]) -> str:
    assert started.stdout
    return started.stdout.readline().strip()


def go(started: subprocess.Popen[str]) -> None:
    assert started.stdin
    started.stdin.write("\n")
    started.stdin.flush()


def test_a_kill_loses_at_most_the_row_in_flight(path: Path, begin_campaign: BeginCampaign) -> None:
    with guest(WRITER, path) as writer:
        go(writer)
        while answer(writer) != "25":
            pass
        writer.send_signal(signal.SIGKILL)
        assert writer.stdout
        stored = 26 + len(writer.stdout.read().splitlines())
    with Store.open(path) as store:
        (launch,) = store.launches(complete=False)
        assert len(launch.windows) in {stored, stored + 1}
        assert [window.index for window in launch.windows] == list(range(len(launch.windows)))
        assert store.launches() == []
        begin_campaign(store)
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_processes_that_make_one_store_and_write_at_once_all_succeed(path: Path) -> None:
    with guest(CROWD, path) as one, guest(CROWD, path) as two, guest(CROWD, path) as three:
        for each in (one, two, three):
            go(each)
        assert [each.wait() for each in (one, two, three)] == [0, 0, 0]
    with Store.open(path) as store:
        assert len(store.launches()) == 60
        assert all(campaign.ended_at for campaign in store.campaigns())


def test_a_campaign_is_kept_while_its_process_lives_and_taken_over_once_when_it_is_killed(
    place: str, store: Store
) -> None:
    with guest(KEEPER, place) as keeper:
        go(keeper)
        campaign = answer(keeper)
        assert store.unfinished("d1") is None
        assert store.resume_campaign("d1") is None
        keeper.kill()
        # Dead, and not yet asked after by its parent: a zombie still has its number.
        os.waitid(os.P_PID, keeper.pid, os.WEXITED | os.WNOWAIT)
        assert store.unfinished("d1") == campaign
    assert store.unfinished("d1") == campaign
    assert store.unfinished("another digest") is None
    assert store.resume_campaign("d1") == campaign
    assert store.resume_campaign("d1") is None
    assert store.unfinished("d1") is None


def test_a_campaign_that_ended_is_not_taken_up_again(
    store: Store, begin_campaign: BeginCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "may_live", lambda _process: False)
    campaign, other = begin_campaign(store), begin_campaign(store)
    store.end_campaign(other)
    assert store.unfinished("d1") == campaign
    store.end_campaign(campaign)
    assert store.unfinished("d1") is None


def test_a_later_process_with_the_same_number_is_not_the_one_that_kept_the_campaign(
    store: Store, begin_campaign: BeginCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = process.this_process()
    dead = process.Process(host=me.host, pid=me.pid, process_started_at=1.0)
    monkeypatch.setattr(database, "this_process", lambda: dead)
    campaign = begin_campaign(store)
    assert store.unfinished("d1") == campaign


def test_a_campaign_of_another_host_is_left_alone(
    store: Store, begin_campaign: BeginCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = process.Process(host="elsewhere", pid=2**22 + 1, process_started_at=1.0)
    monkeypatch.setattr(database, "this_process", lambda: away)
    begin_campaign(store)
    assert store.unfinished("d1") is None


def test_a_full_disk_is_told_and_keeps_what_was_written(
    path: Path, begin_campaign: BeginCampaign, make_launch: MakeLaunch
) -> None:
    def limit(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA max_page_count=40")

    def fill(store: Store, campaign: str, written: list[str]) -> None:
        while True:
            launch = make_launch(campaign)
            store.begin_launch(launch)
            written.append(launch.id)

    with Store.open(path) as store:
        launch = make_launch(begin_campaign(store))
        store.begin_launch(launch)
        written = [launch.id]
        store._engine.dispose()
        event.listen(store._engine, "connect", limit)
        with pytest.raises(StoreError, match=r"cannot write to .*full; free space or give --store"):
            fill(store, launch.campaign, written)
    with Store.open(path) as store:
        assert [found.id for found in store.launches(complete=False)] == written
        store.end_launch(launch.id, {}, {}, None)


def test_what_a_server_acknowledged_is_there_when_it_comes_back_from_a_crash(
    postgresql: Server, begin_campaign: BeginCampaign, make_launch: MakeLaunch
) -> None:
    with Store.open(postgresql.new()) as store:
        first, second = make_launch(begin_campaign(store)), make_launch(begin_campaign(store))
        store.begin_launch(first)
        store.end_launch(first.id, {}, {}, None)
        postgresql.kill()
        try:
            with pytest.raises(StoreError, match=r"the store postgresql:///runs_\w+ failed: .*"):
                store.begin_launch(second)
        finally:
            postgresql.start()
        assert store.launches(complete=False) == [first]
        store.begin_launch(second)
        assert store.launches(complete=False) == [first, second]


def test_a_store_that_another_process_locks_is_told(
    path: Path, begin_campaign: BeginCampaign
) -> None:
    with Store.open(path) as store:
        campaign = begin_campaign(store)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="is locked by another process; end it"):
            Store.open(f"sqlite:///{path}?timeout=0.01")
        with Store.open(path, read_only=True) as reader:
            assert reader.latest_campaign() == campaign
