"""`cnnbench export`, `import` and `schema`: what was measured goes elsewhere, and comes back."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import cnnbench as package
from cnnbench.report.schema import schema
from cnnbench.store import exchange
from cnnbench.store.database import Store
from tests.report.test_page import sections
from tests.schemas import check

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Command
    from tests.postgres import Server


@pytest.fixture
def measured(folder: Path, cnnbench: Command) -> Path:
    """A folder whose store has a launch."""
    assert cnnbench("run", "mine.toml").status == 0
    return folder


def test_csv_has_a_row_for_each_result_with_its_numbers_in_full(
    measured: Path, cnnbench: Command
) -> None:
    (row,) = csv.DictReader(io.StringIO(cnnbench("export", "--format", "csv").out))
    (result,) = json.loads(cnnbench("show", "--json", "-").out)["results"]
    assert float(row["images_per_second"]) == result["images_per_second"]["point"]
    assert row["case"] == result["case"]["id"]
    assert row["stack"] == "null"
    assert row["images_per_second_low"] == ""
    assert measured.exists()


def test_json_and_markdown_tell_what_show_tells(measured: Path, cnnbench: Command) -> None:
    cnnbench("export", "--format", "json", "--output", measured / "out.json")
    shown = json.loads(cnnbench("show", "--all", "--json", "-").out)["results"]
    assert json.loads((measured / "out.json").read_text())["results"] == shown
    assert cnnbench("export", "--format", "markdown").out in cnnbench("show", "--all").out + "\n"


def test_log_lines_have_the_fields_of_mlperf(measured: Path, cnnbench: Command) -> None:
    lines = cnnbench("export", "--format", "mllog").out.splitlines()
    assert all(line.startswith(":::MLLOG ") for line in lines)
    told = [json.loads(line.removeprefix(":::MLLOG ")) for line in lines]
    fields = {"namespace", "time_ms", "event_type", "key", "value", "metadata"}
    assert all(one.keys() == fields for one in told)
    times = [one["time_ms"] for one in told]
    assert times == sorted(times)
    assert [one["key"] for one in told][:2] == ["submission_benchmark", "global_batch_size"]
    assert told[-1]["metadata"]["status"] == "success"
    assert measured.exists()


def test_raw_launches_come_back_as_they_were_and_only_once(
    measured: Path, cnnbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    cnnbench("verify", "--stack", "null")
    cnnbench("export", "--format", "launches", "--output", measured / "all.jsonl")
    with Store.open(measured / "runs.sqlite", read_only=True) as store:
        before = exchange.everything(store)
    monkeypatch.setenv("CNNBENCH_STORE", str(measured / "other.sqlite"))
    first = cnnbench("import", measured / "all.jsonl")
    assert "1 launches of 1 campaigns" in first.out
    again = cnnbench("import", measured / "all.jsonl")
    assert "0 launches of 0 campaigns" in again.out
    assert "1 launches were there" in again.out
    with Store.open(measured / "other.sqlite", read_only=True) as store:
        after = exchange.everything(store)
    assert after.launches == before.launches
    assert after.proofs == before.proofs
    assert after.campaigns == before.campaigns
    assert cnnbench("show", "--all").status == 0


def test_a_launch_that_was_changed_on_its_way_is_refused_and_nothing_is_taken(
    measured: Path, cnnbench: Command
) -> None:
    with Store.open(measured / "runs.sqlite", read_only=True) as store:
        known = exchange.everything(store)
    (launch,) = known.launches
    faster = replace(launch.windows[-1], seconds=launch.windows[-1].seconds / 2)
    changed = replace(launch, windows=(*launch.windows[:-1], faster))
    new = replace(launch, id="new")
    exchange.write(measured / "changed.jsonl", replace(known, launches=(new, changed)))
    done = cnnbench("import", measured / "changed.jsonl")
    assert done.status == 2
    assert f"launch {launch.id} is known, and is another one here" in done.line
    with Store.open(measured / "runs.sqlite", read_only=True) as store:
        assert exchange.everything(store) == known


def test_what_another_machine_measured_stands_beside_what_this_one_did(
    measured: Path, cnnbench: Command
) -> None:
    with Store.open(measured / "runs.sqlite", read_only=True) as store:
        known = exchange.everything(store)
    (origin,) = known.campaigns.values()
    theirs = replace(origin, machine={**origin.machine, "machine_id": "theirs"})
    launch = replace(known.launches[0], id="l", campaign="c", machine=theirs.machine)
    recorded = replace(known, campaigns={"c": theirs}, launches=(launch,))
    exchange.write(measured / "theirs.jsonl", recorded)
    cnnbench("import", measured / "theirs.jsonl")
    results = json.loads(cnnbench("show", "--all", "--json", "-").out)["results"]
    assert {*results[0]["launches"], *results[1]["launches"]} == {known.launches[0].id, "l"}


def test_two_stores_come_to_have_the_same(measured: Path, cnnbench: Command) -> None:
    first = cnnbench("sync", "other.sqlite")
    assert "1 launches and 0 proofs given to other.sqlite, 0 launches" in first.out
    again = cnnbench("sync", "runs.sqlite", "--store", "other.sqlite")
    assert "0 launches and 0 proofs given to runs.sqlite, 0 launches" in again.out
    with (
        Store.open(measured / "runs.sqlite", read_only=True) as one,
        Store.open(measured / "other.sqlite", read_only=True) as other,
    ):
        assert exchange.everything(one) == exchange.everything(other)


def test_a_server_that_does_not_answer_is_one_line(measured: Path, cnnbench: Command) -> None:
    done = cnnbench("sync", f"postgresql://ann:hunter2@/runs?host={measured}")
    assert done.status == 2
    assert "the store postgresql:///runs failed: " in done.line
    assert "hunter2" not in done.line


def test_a_teams_store_is_measured_into_shown_and_reported(
    measured: Path, cnnbench: Command, postgresql: Server
) -> None:
    team = postgresql.new()
    cnnbench("sync", team)
    assert cnnbench("run", "mine.toml", "--fresh", "--store", team).status == 0
    (result,) = json.loads(cnnbench("show", "--all", "--store", team, "--json", "-").out)["results"]
    with Store.open(team, read_only=True) as store:
        (synced, direct) = store.launches()
    assert result["launches"] == [direct.id]
    assert synced.windows
    done = cnnbench("report", "--store", team, "--output", measured / "page")
    assert done.status == 0
    assert "machines" in sections((measured / "page" / "index.html").read_text())


def test_an_import_does_not_resume_what_was_cut_off_elsewhere(
    measured: Path, cnnbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    cnnbench("export", "--format", "launches", "--output", measured / "all.jsonl")
    monkeypatch.setenv("CNNBENCH_STORE", str(measured / "other.sqlite"))
    cnnbench("import", measured / "all.jsonl")
    assert cnnbench("run", "mine.toml").status == 0
    with Store.open(measured / "other.sqlite", read_only=True) as store:
        assert len(store.campaigns()) == len(store.launches()) == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--format", "cvs"], "did you mean csv"),
        (["--format", "parquet"], "give --output a file"),
        (["--format", "mlflow"], "the URI of an MLflow server"),
        (["--format", "csv", "--output", "no/such/x.csv"], "give --output a file in a folder"),
        (["--format", "csv", "--stack", "keras3-jax"], "nothing like that was measured"),
    ],
)
def test_a_wrong_export_is_one_line(
    measured: Path, cnnbench: Command, arguments: list[str], told: str
) -> None:
    done = cnnbench("export", *arguments)
    assert done.status == 2
    assert told in done.line
    assert measured.exists()


def test_a_frame_has_what_the_table_has(measured: Path, cnnbench: Command) -> None:
    polars = pytest.importorskip("polars")
    cnnbench("export", "--format", "parquet", "--output", measured / "out.parquet")
    frame = package.load(measured / "runs.sqlite")
    assert polars.read_parquet(measured / "out.parquet").equals(frame)
    assert frame["stack"].to_list() == ["null"]
    windows = package.load(measured / "runs.sqlite", windows=True)
    assert windows["role"].to_list()[0] == "first step"
    assert package.load(measured / "runs.sqlite", library="pandas").shape == frame.shape


@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_results_become_runs_of_mlflow_each_once(measured: Path, cnnbench: Command) -> None:
    pytest.importorskip("mlflow")
    from mlflow.tracking import MlflowClient

    uri = f"sqlite:///{measured / 'tracked.sqlite'}"
    told = [cnnbench("export", "--format", "mlflow", "--output", uri).out for _ in range(2)]
    assert told[0].startswith("1 runs are new")
    assert told[1].startswith("0 runs are new")
    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("cnnbench")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    (result,) = json.loads(cnnbench("show", "--json", "-").out)["results"]
    assert run.data.metrics["images_per_second"] == result["images_per_second"]["point"]
    assert run.data.params["stack"] == "null"
    assert run.data.tags["verdict"] == "noisy"
    assert run.info.status == "FINISHED"


def test_a_library_that_is_not_known_is_one_line(measured: Path) -> None:
    with pytest.raises(package.errors.UsageError, match="unknown library 'numpy'"):
        package.load(measured / "runs.sqlite", library="numpy")


def test_the_json_of_run_and_history_is_as_their_schemas_say(
    measured: Path, cnnbench: Command
) -> None:
    check("run", json.loads(cnnbench("show", "--json", "-").out))
    cnnbench("history", "--json", measured / "out.json")
    check("history", json.loads((measured / "out.json").read_text()))


def test_a_schema_is_printed_and_an_unknown_one_is_one_line(cnnbench: Command) -> None:
    assert json.loads(cnnbench("schema", "compare").out) == schema("compare")
    assert "did you mean compare" in cnnbench("schema", "comparison").line
