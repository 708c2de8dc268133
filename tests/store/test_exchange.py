"""Raw launches in a file of JSON lines."""

from __future__ import annotations

import json
import math
import resource
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench.errors import StoreError
from cnnbench.record import STEADY, Failure, Window
from cnnbench.store import exchange
from cnnbench.store.exchange import Origin, Recorded

if TYPE_CHECKING:
    from pathlib import Path

    from cnnbench.case import Budget
    from cnnbench.record import Launch
    from tests.store.conftest import MakeLaunch

MACHINE = {"machine_id": "m1", "cpu": "Zürich № 5", "gpu": None}
FAILURE = Failure(stage="build", kind="error", message="ValueError: no", traceback="a\nb")


@pytest.fixture
def origin(budget: Budget) -> Origin:
    return Origin(suite="smoke", budget=budget, machine=MACHINE)


@pytest.fixture
def launch(make_launch: MakeLaunch) -> Launch:
    windows = tuple(
        Window(
            index=n,
            role=STEADY,
            steps=3,
            images=96,
            seconds=0.5 + n,
            started=1.5,
            fence=1e-6,
            loss=loss,
        )
        for n, loss in enumerate((2.5, None, math.inf))
    )
    return replace(
        make_launch("c1"),
        machine=MACHINE,
        stages={"import": 1.25},
        facts={"backend": "null", "load": math.inf},
        windows=windows,
    )


def test_what_is_written_is_read_again(tmp_path: Path, launch: Launch, origin: Origin) -> None:
    failed = replace(launch, id="l2", windows=(), failure=FAILURE)
    recorded = Recorded(campaigns={"c1": origin}, launches=(launch, failed))
    exchange.write(tmp_path / "new" / "file.jsonl", recorded)
    assert exchange.read(tmp_path / "new" / "file.jsonl") == recorded


def test_an_accuracy_is_kept_and_where_there_is_none_a_window_is_as_before(
    tmp_path: Path, launch: Launch, origin: Origin
) -> None:
    first, *others = launch.windows
    evaluated = replace(launch, windows=(replace(first, accuracy=0.5), *others))
    recorded = Recorded(campaigns={"c1": origin}, launches=(evaluated,))
    exchange.write(tmp_path / "f", recorded)
    rows = json.loads((tmp_path / "f").read_text().splitlines()[-1])["windows"]
    assert [len(row) for row in rows] == [9, 8, 8]
    assert exchange.read(tmp_path / "f") == recorded


def test_a_file_is_lines_of_strict_json(tmp_path: Path, launch: Launch, origin: Origin) -> None:
    exchange.write(tmp_path / "f", Recorded(campaigns={"c1": origin}, launches=(launch,)))
    lines = (tmp_path / "f").read_text("utf-8").splitlines()

    def refuse(name: str) -> None:
        raise AssertionError(name)

    assert len([json.loads(line, parse_constant=refuse) for line in lines]) == 3


def test_campaigns_without_launches_are_left_out(
    tmp_path: Path, launch: Launch, origin: Origin
) -> None:
    both = {"c0": origin, "c1": origin}
    exchange.write(tmp_path / "f", Recorded(campaigns=both, launches=(launch,)))
    assert list(exchange.read(tmp_path / "f").campaigns) == ["c1"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no file of cnnbench launches"),
        ("hello", "line 1: no JSON object"),
        ("[1]", "line 1: no JSON object"),
        ('{"schema": 1, "machine": {}}', "no file of cnnbench launches"),
        ('{"cnnbench": "launches", "schema": 2}', "has schema 2, this cnnbench reads 1; use the"),
        ('{"cnnbench": "launches"}', "has schema None"),
        ('{"cnnbench": "launches", "schema": 1}\n{"launch": "l"}', "is damaged: KeyError"),
        ('{"cnnbench": "launches", "schema": 1}\n{}', "is damaged: KeyError"),
        (
            '{"cnnbench": "launches", "schema": 1}\n{"campaign": 1, "suite": 2, "budget": 3}',
            "is da",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_told_in_one_line(
    tmp_path: Path, text: str, told: str
) -> None:
    (tmp_path / "results.jsonl").write_text(text)
    with pytest.raises(StoreError) as caught:
        exchange.read(tmp_path / "results.jsonl")
    assert told in str(caught.value)
    assert "results.jsonl" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_not_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        exchange.read(tmp_path / "none")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StoreError, match="cannot read"):
        exchange.read(tmp_path / "binary")


@given(cut=st.integers(min_value=0, max_value=10_000))
def test_a_file_cut_anywhere_is_refused_or_has_fewer_launches(
    cut: int, tmp_path_factory: pytest.TempPathFactory, make_launch: MakeLaunch, budget: Budget
) -> None:
    path = tmp_path_factory.mktemp("cut") / "f"
    campaigns = {"c1": Origin(suite="s", budget=budget, machine=MACHINE)}
    launches = tuple(replace(make_launch("c1"), machine=MACHINE) for _ in range(3))
    exchange.write(path, Recorded(campaigns=campaigns, launches=launches))
    whole = path.read_text("utf-8")
    path.write_text(whole[:cut], "utf-8")
    try:
        found = exchange.read(path)
    except StoreError:
        return
    assert found.launches == launches[: len(found.launches)]


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, launch: Launch, origin: Origin
) -> None:
    path = tmp_path / "f"
    path.write_text("old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(StoreError, match="File too large"):
            exchange.write(path, Recorded(campaigns={"c1": origin}, launches=(launch,)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert {found.name: found.read_text() for found in tmp_path.iterdir()} == {"f": "old"}


def test_merging_keeps_each_launch_once_in_the_order_of_their_starts(
    launch: Launch, origin: Origin
) -> None:
    early = replace(launch, id="l0", started_at="2020-01-01T00:00:00+00:00", campaign="c0")
    one = Recorded(campaigns={"c1": origin}, launches=(launch,))
    two = Recorded(campaigns={"c1": origin, "c0": origin}, launches=(launch, early))
    merged = exchange.merge([one, two])
    assert [found.id for found in merged.launches] == ["l0", launch.id]
    assert set(merged.campaigns) == {"c0", "c1"}


def test_only_the_latest_campaign_of_a_case_on_a_machine_is_newest(
    launch: Launch, origin: Origin
) -> None:
    other = Origin(suite="s", budget=origin.budget, machine={"machine_id": "m2"})
    elsewhere = replace(launch, id="l9", campaign="c9", machine=other.machine)
    old = replace(launch, id="l0", campaign="c0")
    recorded = Recorded(
        campaigns={"c0": origin, "c1": origin, "c9": other}, launches=(old, elsewhere, launch)
    )
    assert exchange.newest(recorded).launches == (elsewhere, launch)
