"""Pages of figures are what their scripts make of what was measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cnnbench.case import Case
from cnnbench.plan import BUDGETS
from cnnbench.record import STEADY, Window
from cnnbench.store.exchange import Origin, Recorded, read, write
from tests.blank import LAUNCH
from tests.scripts import benchmark

if TYPE_CHECKING:
    from cnnbench.record import Facts

ROOT = Path(__file__).parents[1]
MACHINE: Facts = {"cpu": "AMD EPYC", "cpus_usable": 2, "memory_bytes": 8 << 30, "cnnbench": "0.1.0"}
FACTS: Facts = {"python_version": "3.6.15", "keras_version": "2.1.5", "package": "tensorflow"}
STACK = "keras2.1.5-tensorflow1.7.0"


@pytest.fixture(scope="module")
def script() -> Any:
    return benchmark("results")


def recorded(*speeds: int, **fields: Any) -> Recorded:
    """A launch of each speed, all of one case in one campaign."""
    case = Case(stack=STACK, model="simple_cnn", dataset="cifar10", method="fit", **fields)
    launches = tuple(
        replace(
            LAUNCH,
            id=f"l{number}",
            case=case,
            number=number,
            started_at=f"2026-01-0{number}T00:00:00+00:00",
            machine=MACHINE,
            facts=FACTS,
            windows=(
                Window(index=0, role=STEADY, steps=1, images=speed, seconds=1.0, started=0.0),
            ),
        )
        for number, speed in enumerate(speeds, 1)
    )
    origin = Origin(suite="published-cifar10", budget=BUDGETS["quick"], machine=MACHINE)
    return Recorded(campaigns={"c": origin}, launches=launches)


def test_the_page_has_what_was_measured_beside_what_was_published(script: Any) -> None:
    page = script.page(recorded(618, 618, 618))
    (row,) = [line for line in page.splitlines() if "C5.xLarge" in line and " 309 " in line]
    assert f" {STACK} " in row
    assert " 618 " in row
    assert " 2.00 " in row


def test_the_page_says_where_when_and_with_what(script: Any) -> None:
    page = script.page(recorded(300, 310, 305))
    assert "AMD EPYC, 2 CPUs, 8 GiB" in page
    assert "2026-01-01 to 2026-01-03" in page
    assert "Python 3.6.15, Keras 2.1.5, tensorflow" in page
    assert "cnnbench run published-cifar10" in page


def test_a_row_that_was_not_measured_says_so(script: Any) -> None:
    page = script.page(recorded(300))
    assert "not measured" in page
    assert "1 launch gives no interval" in page


def test_the_committed_page_is_what_the_committed_launches_give(script: Any) -> None:
    known = script.recorded()
    assert (ROOT / "RESULTS.md").read_text("utf-8") == script.page(known)
    readme = (ROOT / "README.md").read_text("utf-8")
    assert readme == script.readme(known, readme)


def test_the_committed_launches_are_small_and_tell_nothing_of_their_host() -> None:
    files = sorted((ROOT / "results").glob("*.jsonl"))
    assert files
    for path in files:
        assert path.stat().st_size < 2_000_000
        text = path.read_text("utf-8")
        assert "/home/" not in text
        assert "/tmp/" not in text  # noqa: S108
        assert read(path).launches


def test_launches_that_are_measured_anew_replace_the_older_ones(
    script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "FOLDER", tmp_path)
    monkeypatch.setattr(script, "STORE", tmp_path / "runs.sqlite")
    write(tmp_path / "published-cifar10.jsonl", recorded(300))
    done = script.measure(["demo", "--model", "simple_cnn", "--launches", "1"])
    again = script.measure(["demo", "--model", "simple_cnn", "--launches", "1", "--fresh"])
    assert done
    assert again
    assert len(read(tmp_path / "published-cifar10.jsonl").launches) == 1
    demo = read(tmp_path / "demo.jsonl").launches
    assert len(demo) == len({launch.case for launch in demo}) == 3


@pytest.mark.parametrize("name", ["planted", "time_to_answer", "observer"])
def test_a_table_of_the_protocol_is_what_its_lines_give(name: str) -> None:
    made_by = benchmark(name)
    lines = benchmark("lines").recorded(made_by.LINES)
    assert made_by.page(lines) in (ROOT / "docs" / "protocol.md").read_text("utf-8")


def test_the_pages_on_correctness_are_what_is_known_and_what_was_proven() -> None:
    correctness = benchmark("correctness")

    assert correctness.known_differences() in correctness.ABOUT.read_text("utf-8")
    assert correctness.page(correctness.recorded()) == correctness.PAGE.read_text("utf-8")


def test_the_page_on_convergence_is_what_its_launches_give() -> None:
    convergence = benchmark("convergence")

    assert convergence.page(convergence.recorded()) == convergence.PAGE.read_text("utf-8")
