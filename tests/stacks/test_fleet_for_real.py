"""A real stack on the nodes of a Ray cluster: built there, proven there, measured there."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.scripts import benchmark

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.stacks, pytest.mark.filterwarnings("ignore")]  # the latter are Ray's

SERVERS = benchmark("servers")


def test_training_on_nodes_is_proven_and_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    axes = ["--stack", "native-torch", "--stack", "keras3-torch", "--launches", "1"]
    store = ["--store", str(tmp_path / "runs.sqlite"), "--json", "-"]
    with SERVERS.nodes(2) as nodes:
        ray = ["--executor", "ray", "--address", nodes.address]
        command = [sys.executable, "-m", "cnnbench", "run", *axes, *store, *ray]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for result in json.loads(done.stdout)["results"]:
        assert result["proof"], done.stderr
        assert result["images_per_second"]["point"] > 0
        assert result["facts"]["node"]
