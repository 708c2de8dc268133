"""A store to write to, and values to write."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import pytest

from cnnbench.case import Budget, Case
from cnnbench.record import Launch
from cnnbench.store.database import Store, new_id, now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.postgres import Server


class BeginCampaign(Protocol):
    def __call__(self, store: Store, *, digest: str = ...) -> str: ...


class MakeLaunch(Protocol):
    def __call__(self, campaign: str, *, model: str = ...) -> Launch: ...


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs.sqlite"


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def new_place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], str]:
    """The address of an empty store, in every database that is supported."""
    if request.param == "sqlite":
        return lambda: str(tmp_path_factory.mktemp("store") / "runs.sqlite")
    server: Server = request.getfixturevalue("postgresql")
    new: Callable[[], str] = server.new
    return new


@pytest.fixture
def place(new_place: Callable[[], str]) -> str:
    return new_place()


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    with Store.open(place) as opened:
        yield opened


@pytest.fixture(scope="session")
def case() -> Case:
    return Case(stack="null", model="simple_cnn", dataset="synthetic-32", method="fit")


@pytest.fixture(scope="session")
def budget() -> Budget:
    return Budget(
        precision=0.02,
        launches=(3, 10),
        warmup_seconds=1.0,
        warmup_windows=2,
        windows=(3, 20),
        window_seconds=0.5,
        case_seconds=float("inf"),
    )


@pytest.fixture(scope="session")
def begin_campaign(case: Case, budget: Budget) -> BeginCampaign:
    def begin(store: Store, *, digest: str = "d1") -> str:
        return store.begin_campaign(
            digest=digest,
            suite="smoke",
            budget=budget,
            probe_digest="p1",
            machine={"cpu": "Zürich № 5", "cores": 2, "load": float("nan")},
            plan=[case],
        )

    return begin


@pytest.fixture(scope="session")
def make_launch(case: Case) -> MakeLaunch:
    def make(campaign: str, *, model: str = "simple_cnn") -> Launch:
        return Launch(
            id=new_id(),
            campaign=campaign,
            case=replace(case, model=model),
            number=1,
            seed=7,
            stack_fingerprint="f1",
            probe_digest="p1",
            started_at=now(),
            machine={"cpu": "x"},
        )

    return make
