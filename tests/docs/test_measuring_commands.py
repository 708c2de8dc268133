"""Commands of the documentation that measure: each as it stands there, on real stacks.

Each runs until something real is stored, then has Ctrl-C: a whole measurement takes minutes to
hours, and how one ends is what other tests show.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cnnbench import folders
from cnnbench.envs import cache, stack
from cnnbench.errors import StoreError
from cnnbench.store.database import Store
from tests.docs.documented import COMMANDS, block
from tests.probe.test_datasets_read import batches
from tests.stacks.conftest import _half_the_cores_each
from tests.stacks.here import available
from tests.stacks.small import MODEL, write_photographs

__all__ = ["_half_the_cores_each"]
pytestmark = pytest.mark.stacks

MEASURING = ("run", "compare", "gate", "tune", "diagnose", "verify", "bisect")
ALONE = ("run", "tune", "verify")  # of these, what measures without an option
ELSEWHERE = {
    "--executor ray": "needs a cluster, which other tests have",
    "keras3-tensorflow@": "builds three environments from a network",
    "resnet50 --dataset synthetic-256": "takes minutes; resnet20_cifar is measured so, too",
}
# Measured to its end, with a failure, without a verdict, interrupted; or ended by itself, when
# Ctrl-C met a Python that listens no more.
STORED = (0, 1, 3, 130, -signal.SIGINT)


def measures(line: str) -> bool:
    command, *options = line.split()[1:]
    return command in MEASURING and (command in ALONE or len(options) > 1)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A user's folder: models in a repository, photographs, a suite, environments, CIFAR-10."""
    for name, text in {
        "net.py": MODEL,
        "bench/net.py": MODEL,
        "my_net.py": block("own.md", "def build("),
        "my_suite.toml": block("own.md", "about ="),
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    write_photographs(tmp_path / "photographs")
    for name, content in batches().items():
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_bytes(content)
    _repository(tmp_path)
    return tmp_path


def _repository(folder: Path) -> None:
    """Three commits: v1.0; main, which origin has too; and HEAD, beyond it."""

    def git(*words: str) -> None:
        author = ("-c", "user.name=n", "-c", "user.email=e@example")
        subprocess.run(["git", *author, *words], cwd=folder, check=True, capture_output=True)

    git("init", "--initial-branch", "main")
    for step in ("v1.0", "main", "mine"):
        for name in ("net.py", "bench/net.py"):
            (folder / name).write_text(f"{MODEL}# {step}\n")
        git("add", "net.py", "bench/net.py")
        git("commit", "--message", step)
        if step == "v1.0":
            git("tag", step)
        if step == "main":
            git("update-ref", "refs/remotes/origin/main", "HEAD")
            git("checkout", "-b", "mine")


@pytest.fixture
def variables(desk: Path) -> dict[str, str]:
    """What a shell of the user's has set, cnnbench on its path."""
    available("keras3-jax")
    interpreter = cache.build(stack.load("keras3-jax"), print)
    for name in ("env", "old", "new"):
        (desk / name).symlink_to(interpreter.parents[1])
    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "CNNBENCH_STORE": str(desk / "runs.sqlite"),
        "CNNBENCH_CACHE_DIR": str(folders.cache()),
        "CNNBENCH_DATA_DIR": str(desk / "data"),
        "BASE_REF": "main",
        "HEAD_SHA": "HEAD",
    }


def has_measured(store: Path) -> bool:
    """Whether a window or a proof is stored."""
    try:
        with Store.open(store, read_only=True) as opened:
            launches = opened.launches(complete=False)
            return any(launch.windows for launch in launches) or bool(opened.proofs())
    except StoreError:
        return False  # not there yet


@pytest.mark.parametrize("line", [line for line in COMMANDS if measures(line)])
def test_a_command_that_measures_does_so_on_real_stacks(
    line: str, desk: Path, variables: dict[str, str]
) -> None:
    for words, reason in ELSEWHERE.items():
        if words in line:
            pytest.skip(reason)
    here = line.replace("~", ".")  # the real home stays: interpreters are there
    with (desk / "told").open("w+") as told:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {here}"],
            cwd=desk,
            env=variables,
            stdout=told,
            stderr=told,
        )
        try:
            while process.poll() is None and not has_measured(desk / "runs.sqlite"):
                time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            process.wait(timeout=600)
        finally:
            process.kill()
    assert process.returncode in STORED, (desk / "told").read_text()
    assert "Traceback" not in (desk / "told").read_text()
    assert has_measured(desk / "runs.sqlite"), (desk / "told").read_text()
