"""A campaign on the null stack, into a real store."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cnnbench import events, folders
from cnnbench.campaign import Campaign
from cnnbench.case import Case, Suite
from cnnbench.envs import interpreters
from cnnbench.machine import lock
from cnnbench.plan import BUDGETS
from cnnbench.prepare import Own, named
from cnnbench.store.database import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnbench.result import Result

MACHINE = {"machine_id": "m1"}
CASE = Case(stack="null", model="simple_cnn", dataset="synthetic-32", method="fit_generator")
OTHER = replace(CASE, batch_size=8)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CNNBENCH_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("CNNBENCH_DATA_DIR", raising=False)
    return tmp_path


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with Store.open(folder / "runs.sqlite") as opened:
        yield opened


def suite(*cases: Case, launches: int = 1) -> Suite:
    budget = replace(BUDGETS["quick"], launches=(launches, launches))
    return Suite(name="small", about="x", cases=cases, budget=budget)


def run(store: Store, planned: Suite, own: Own | None = None) -> list[events.Event]:
    return list(Campaign(planned, own or Own(), MACHINE, store).run())


def results(happened: list[events.Event]) -> dict[Case, Result]:
    return {e.result.case: e.result for e in happened if isinstance(e, events.CaseDone)}


def test_a_launch_begins_only_when_every_open_case_had_as_many(store: Store) -> None:
    happened = run(store, suite(CASE, OTHER, launches=2))
    started = [e for e in happened if isinstance(e, events.LaunchStarted)]
    assert [event.number for event in started] == [1, 1, 2, 2]
    assert {e.case for e in started[:2]} == {e.case for e in started[2:]} == {CASE, OTHER}


def test_launches_and_windows_are_stored_the_moment_they_are_known(store: Store) -> None:
    campaign = Campaign(suite(CASE), Own(), MACHINE, store)
    for event in campaign.run():
        if isinstance(event, events.WindowTimed):
            (stored,) = store.launches(complete=False)
            assert stored.windows[-1] == event.window
        if isinstance(event, events.LaunchEnded):
            (ended,) = store.launches()
            assert ended.windows == event.launch.windows


def test_what_the_store_gives_back_is_what_was_concluded(store: Store) -> None:
    campaign = Campaign(suite(CASE, launches=2), Own(), MACHINE, store)
    done = results(list(campaign.run()))
    assert campaign.results() == list(done.values())
    assert [launch.id for launch in store.launches()] == list(done[CASE].launches)
    speed = done[CASE].images_per_second
    assert speed is not None
    assert speed.n == 2


def test_a_case_that_fails_stops_no_other_and_is_launched_once(store: Store, folder: Path) -> None:
    (folder / "broken.py").write_text("def build(keras, shape, classes): raise ValueError('no')")
    own = Own()
    broken = named(replace(CASE, model=str(folder / "broken.py")), own)
    found = results(run(store, suite(broken, CASE, launches=2), own))
    assert found[broken].verdict == "failed"
    assert len(found[broken].launches) == 1
    assert found[CASE].images_per_second is not None
    assert len(found[CASE].launches) == 2


NEEDY = """
def build(keras, shape, classes):
    image = keras.layers.Input(shape=shape)
    x = keras.layers.Dense(classes)(keras.layers.Flatten()(image))
    model = keras.models.Model(inputs=image, outputs=x)
    train = model.train_on_batch

    def needy(x, y):
        if len(x) > 8:
            raise MemoryError("Unable to allocate 9 PiB")
        return train(x, y)

    model.train_on_batch = needy
    return model
"""


@pytest.fixture
def needy(folder: Path) -> tuple[Case, Own]:
    """A case of 32 images whose memory is enough for 8."""
    (folder / "needy.py").write_text(NEEDY)
    own = Own()
    return named(replace(CASE, model=str(folder / "needy.py")), own), own


def test_out_of_memory_fails_with_a_remedy_and_is_not_made_smaller_unasked(
    store: Store, needy: tuple[Case, Own]
) -> None:
    case, own = needy
    (found,) = results(run(store, suite(case), own)).values()
    assert found.verdict == "failed"
    assert "--batch-size" in found.reason
    assert "--halve-batch" in found.reason


def test_out_of_memory_halves_the_batch_until_it_fits_when_asked_and_says_so(
    store: Store, needy: tuple[Case, Own]
) -> None:
    case, own = needy
    campaign = Campaign(suite(case, CASE, launches=2), own, MACHINE, store, halve=True)
    list(campaign.run())
    found = campaign.results()
    assert [(r.case.batch_size, r.verdict) for r in found[:2]] == [(32, "failed"), (16, "failed")]
    assert found[2].case.batch_size == 8
    assert found[2].images_per_second is not None
    assert found[2].images_per_second.n == 2
    assert found[2].labels == ("unverified", "batch halved: out of memory")
    assert found[3].case == CASE
    assert found[3].labels == ("unverified",)


def test_an_interrupted_campaign_goes_on_with_the_half_that_it_had_come_to(
    store: Store, needy: tuple[Case, Own], monkeypatch: pytest.MonkeyPatch
) -> None:
    case, own = needy
    campaign = Campaign(suite(case, launches=2), own, MACHINE, store, halve=True)
    for _ in campaign.run():
        if len(campaign.results()) == len((32, 16, 8)):
            break
    monkeypatch.setattr("cnnbench.store.database.may_live", lambda _: False)
    begun = [
        event.case.batch_size
        for event in Campaign(suite(case, launches=2), own, MACHINE, store, halve=True).run()
        if isinstance(event, events.LaunchStarted)
    ]
    assert begun == [8]


def test_a_stack_without_interpreter_is_a_row_with_its_remedy(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreters, "find", lambda _: None)
    old = replace(CASE, stack="keras2.1.5-tensorflow1.7.0")
    found = results(run(store, suite(old, CASE)))
    assert found[old].verdict == "unsupported"
    assert "pyenv install 3.6" in found[old].reason
    assert found[old].facts["backend"] == "tensorflow"
    assert found[CASE].images_per_second is not None


def test_data_that_is_not_there_is_a_row_with_both_remedies(store: Store, folder: Path) -> None:
    absent = replace(CASE, dataset="cifar10")
    found = results(run(store, suite(absent), Own(data_dir=folder)))
    assert found[absent].verdict == "unsupported"
    assert "--data-dir" in found[absent].reason
    assert "cnnbench data get cifar10" in found[absent].reason


def test_a_campaign_waits_for_another_that_is_measuring(store: Store) -> None:
    with ExitStack() as held:
        held.enter_context(lock.exclusive(folders.cache() / "measuring.lock"))
        happened = Campaign(suite(CASE), Own(), MACHINE, store).run()
        seen = [next(happened)]
        while not isinstance(seen[-1], events.Waiting):
            assert not isinstance(seen[-1], events.LaunchStarted)
            seen.append(next(happened))
        assert str(os.getpid()) in seen[-1].reason
    assert results(list(happened))[CASE].images_per_second is not None


KILLED = """
import os, signal, sys
from cnnbench import events
from cnnbench.campaign import Campaign
from cnnbench.prepare import Own
from cnnbench.store.database import Store
import test_campaign as t

with Store.open(sys.argv[1]) as store:
    campaign = Campaign(t.suite(t.CASE, t.OTHER, launches=2), Own(), t.MACHINE, store)
    ended = 0
    for event in campaign.run():
        ended += isinstance(event, events.LaunchEnded)
        if ended and isinstance(event, events.WindowTimed):
            os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of a host that finished one launch and was killed during the next."""
    folder = tmp_path_factory.mktemp("stopped")
    own = {"PYTHONPATH": str(Path(__file__).parent), "CNNBENCH_CACHE_DIR": str(folder / "cache")}
    command = [sys.executable, "-c", KILLED, str(folder / "runs.sqlite")]
    done = subprocess.run(command, env=os.environ | own, check=False)
    assert done.returncode == -signal.SIGKILL
    return folder


@pytest.fixture
def killed(stopped: Path, folder: Path) -> str:
    """The launch that was finished, in a copy of that store."""
    for path in stopped.glob("runs.sqlite*"):
        shutil.copy(path, folder)
    with Store.open(folder / "runs.sqlite") as opened:
        (launch,) = opened.launches()
        assert len(opened.launches(complete=False)) == 2
    return launch.id


def test_a_killed_campaign_goes_on_with_the_launches_that_it_had(killed: str, store: Store) -> None:
    happened = run(store, suite(CASE, OTHER, launches=2))
    (begun,) = [e for e in happened if isinstance(e, events.CampaignStarted)]
    assert [launch.id for launch in begun.kept] == [killed]
    assert sum(isinstance(e, events.LaunchStarted) for e in happened) == 3
    found = results(happened)
    assert killed in {launch for result in found.values() for launch in result.launches}
    assert {len(result.launches) for result in found.values()} == {2}
    assert len(store.campaigns()) == 1


def test_a_killed_campaign_is_left_alone_by_one_that_begins_anew_or_differs(
    killed: str, store: Store
) -> None:
    planned = suite(CASE, OTHER, launches=2)
    for campaign in (
        Campaign(planned, Own(), MACHINE, store, resume=False),
        Campaign(suite(CASE, launches=2), Own(), MACHINE, store),
        Campaign(planned, Own(), {"machine_id": "another"}, store),
    ):
        begun = next(campaign.run())
        assert isinstance(begun, events.CampaignStarted)
        assert not begun.kept
        assert begun.campaign != store.launches()[0].campaign
    assert killed in {launch.id for launch in store.launches()}


def test_a_campaign_that_is_done_is_not_gone_on_with(store: Store) -> None:
    run(store, suite(CASE))
    happened = run(store, suite(CASE))
    assert isinstance(happened[0], events.CampaignStarted)
    assert not happened[0].kept
    assert len(store.campaigns()) == 2
