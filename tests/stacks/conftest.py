"""A guest whose sources a test may change, and a suite of one launch."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from cnnbench.link import bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

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
