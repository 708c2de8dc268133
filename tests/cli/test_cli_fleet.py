"""A fleet for real: a Ray cluster of several nodes, all of them this machine; the null stack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.scripts import benchmark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Command

SERVERS = benchmark("servers")

pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own

SLOWER = """
from probe.models import simple_cnn

compile = simple_cnn.compile


def build(keras, shape, classes):
    model = simple_cnn.build(keras, shape, classes)
    step = model._step
    model._step = lambda images: step(images * 1.5)
    return model
"""


class Run:
    """The command line in a process of its own, as Ray would have it."""

    def __init__(self, folder: Path, address: str) -> None:
        self._folder, self._address = folder, address

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command on the cluster."""
        store = ["--store", str(self._folder / "runs.sqlite")]
        ray = ["--executor", "ray", "--address", self._address]
        command = [sys.executable, "-m", "cnnbench", *arguments, *store, *ray]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=self._folder, check=False
        )


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CNNBENCH_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        with SERVERS.nodes(3, {"little.one": 1}) as found:
            yield found


@pytest.fixture
def run(cluster: Any, tmp_path: Path) -> Run:
    return Run(tmp_path, cluster.address)


def test_a_campaign_on_three_nodes_measures_each_case_as_often_as_was_asked_for(run: Run) -> None:
    axes = ["--stack", "null", "--batch-size", "8", "--batch-size", "16", "--launches", "2"]
    done = run("run", *axes, "--json", "-")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [result["images_per_second"]["n"] for result in told["results"]] == [2, 2]
    for result in told["results"]:
        assert "1 host" in result["labels"], "three nodes that are one machine are one host"
        assert result["facts"]["node"]


def test_the_user_s_own_model_travels_and_a_comparison_says_what_one_machine_says(
    run: Run, tmp_path: Path
) -> None:
    slower = tmp_path / "slower.py"
    slower.write_text(SLOWER)
    arms = ["--arm", "name=plain", "--arm", f"name=slower,model={slower}"]
    common = ["--stack", "null", "--method", "train_on_batch", "--budget", "quick", "--json", "-"]
    there = run("compare", *arms, *common)
    local = [sys.executable, "-m", "cnnbench", "compare", *arms, *common]
    here = subprocess.run(
        [*local, "--store", "here.sqlite"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert there.returncode == here.returncode == 0, there.stderr + here.stderr
    (ours,), (theirs,) = (json.loads(one.stdout)["comparisons"] for one in (there, here))
    assert ours["verdict"] == theirs["verdict"] == "slower"


def test_what_is_told_of_a_worker_that_died_is_not_in_the_json(
    cluster: Any, tmp_path: Path
) -> None:
    axes = ["--stack", "null", "--launches", "3", "--store", str(tmp_path / "runs.sqlite")]
    ray = ["--executor", "ray", "--address", cluster.address, "--json", "-"]
    command = [sys.executable, "-m", "cnnbench", "run", *axes, *ray]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        while running.poll() is None and not (found := SERVERS.workers()):
            time.sleep(0.05)
        found[0].kill()
        out, err = running.communicate()
    assert running.returncode == 0, err
    (result,) = json.loads(out)["results"]
    assert result["images_per_second"]["n"] == 3


def test_nodes_are_chosen_by_the_resource_that_says_their_instance_type(run: Run) -> None:
    one = ["--stack", "null", "--launches", "1", "--json", "-"]
    done = run("run", *one, "--instance-type", "little.one")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["machine"]["instance_type"] == "little.one"
    none = run("run", *one, "--instance-type", "large.one")
    assert none.returncode == 2
    assert none.stderr.splitlines()[-1] == (
        "cnnbench: the Ray cluster has no node with resource large.one that can be measured on; "
        "see what it has: ray status"
    )


def test_what_cannot_be_asked_of_a_fleet_is_refused_in_one_line(
    run: Run, cnnbench: Command
) -> None:
    fewer = run("run", "--stack", "null", "--fewer-devices")
    assert fewer.returncode == 2
    assert "--fewer-devices counts those of this machine" in fewer.stderr
    alone = cnnbench("run", "--stack", "null", "--address", "127.0.0.1:1")
    assert alone.status == 2
    assert "--address is of a Ray cluster; add --executor ray" in alone.line
    other = cnnbench("run", "--stack", "null", "--executor", "rya")
    assert "unknown executor 'rya'; did you mean ray?" in other.line


def test_what_takes_long_to_import_is_not_imported_unless_it_is_asked_for() -> None:
    script = (
        "import sys; from cnnbench.cli.commands import PLACES, Late; list(Late(PLACES).values());"
        " print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    slow = {"ray", "ruptures", "scipy", "altair", "pandas", "polars", "mlflow", "psycopg"}
    assert not slow & set(done.stdout.split())


def test_without_ray_one_line_says_how_to_get_it() -> None:
    script = (
        "import sys; sys.modules['ray'] = None; from cnnbench.cli import main;"
        " sys.argv = ['cnnbench', 'run', '--stack', 'null', '--executor', 'ray']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "--executor ray needs Ray: pip install 'cnnbench[fleet]'" in done.stderr


def test_nothing_is_lost_or_counted_twice_whatever_dies(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    if SERVERS.postgresql_programs() is None:
        pytest.skip("no PostgreSQL here: initdb is not installed (Debian: postgresql)")
    monkeypatch.setenv("CNNBENCH_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    kills = int(os.environ.get("CNNBENCH_TEST_KILLS", "8"))
    *_, scene = benchmark("faults").killed(kills, seed=3)
    assert scene.faults == []
    assert scene.completed >= 1
    assert scene.killed.total() == kills
