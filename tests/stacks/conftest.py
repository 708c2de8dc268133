"""A guest whose sources a test may change, and a suite of one launch."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from cnnbench.link import bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set[int]()

TINY = """
about = "one launch, few windows"
budget = "quick"

[limits]
launches = [1, 1]
windows = [2, 2]
warmup_seconds = 0.0
warmup_windows = 1
window_seconds = 0.05
disturbance = 1.0
"""


@pytest.fixture(scope="session", autouse=True)
def _half_the_cores_each() -> Iterator[None]:
    """Frameworks that share cores wait for each other in circles, and take eight times as long."""
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        number = int(worker.removeprefix("gw"))
        _keep_to({core for at, core in enumerate(sorted(CORES)) if at % 2 == number % 2})
    yield
    _keep_to(CORES)


@pytest.fixture
def all_cores() -> Iterator[None]:
    """Every core of the machine, for a test that needs more than its worker has."""
    own = os.sched_getaffinity(0) if CORES else CORES
    _keep_to(CORES)
    yield
    _keep_to(own)


def _keep_to(cores: set[int]) -> None:
    """Have this process and its children run on some cores; on none where that cannot be said."""
    if cores:
        os.sched_setaffinity(0, cores)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A suite that measures each case once, briefly."""
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


@pytest.fixture
def change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Puts another text in the place of one in a file of the guest; `{}` stands for the old."""
    copy = tmp_path / "probe"
    shutil.copytree(bundle.SOURCES, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(bundle, "SOURCES", copy)

    def put(file: str, old: str, new: str) -> None:
        text = (copy / file).read_text()
        assert old in text, f"{file} is not what it was: change this test too"
        (copy / file).write_text(text.replace(old, new.replace("{}", old)))
        bundle.digest.cache_clear()

    bundle.digest.cache_clear()
    yield put
    bundle.digest.cache_clear()


@pytest.fixture
def shallow(change: Callable[..., None]) -> Callable[[], None]:
    """Leaves ResNet-20 a layer of each kind, 8 of them, for a proof that takes half the time."""

    def put() -> None:
        change("models/resnet20_cifar.py", "blocks=3", "blocks=1")
        change("models/resnet20_cifar.py", "274442", "78666")
        change("native/resnet20_cifar.py", "classes, 3,", "classes, 1,")

    return put
