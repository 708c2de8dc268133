"""A folder of tiny stacks, an empty cache, and a uv that does what a test says."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

import pytest
import uv

from cnnbench.envs import stack as stacks

if TYPE_CHECKING:
    from pathlib import Path

Replace = tuple[str, str]

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"

TOML = f"""
about = "a stack for tests"
python = "{HERE}"
backend = "torch"
package = "torch"
devices = ["cpu"]

[packages]
keras = "3.1.0"
torch = "2.0.0"
"""
LOCK = "keras==3.1.0 \\\n    --hash=sha256:00\ntorch==2.0.0 \\\n    --hash=sha256:11\n"

_UV = """#!/bin/sh
for last; do :; done
echo "$@" >> '{log}'
case "$1" in
venv) mkdir -p "$last/bin" "$last/lib" && ln -s '{python}' "$last/bin/python" ;;
pip) {pip} ;;
*) exit 2 ;;
esac
"""


class Describe(Protocol):
    """Writes a stack's files, with one piece of text replaced in each."""

    def __call__(
        self, name: str = ..., *, toml: Replace = ..., lock: Replace | None = ...
    ) -> stacks.Stack:
        """And reads them back; no lock is written for None."""


class FakeUv(Protocol):
    """Puts a shell command in the place of `uv pip`."""

    def __call__(self, pip: str = ..., python: str = ...) -> Path:
        """And gives the log of its calls."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of stacks; the cache is empty."""
    place = tmp_path / "stacks"
    place.mkdir()
    monkeypatch.setattr(stacks, "FOLDER", place)
    monkeypatch.setenv("CNNBENCH_CACHE_DIR", str(tmp_path / "cache"))
    return place


@pytest.fixture
def describe(folder: Path) -> Describe:
    def write(
        name: str = "tiny", *, toml: Replace = ("", ""), lock: Replace | None = ("", "")
    ) -> stacks.Stack:
        (folder / f"{name}.toml").write_text(TOML.replace(*toml))
        if lock is not None:
            (folder / f"{name}.lock").write_text(LOCK.replace(*lock))
        return stacks.load(name)

    return write


@pytest.fixture
def fake_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeUv:
    def write(pip: str = "exit 0", python: str = sys.executable) -> Path:
        script, log = tmp_path / "uv", tmp_path / "uv.log"
        script.write_text(_UV.format(log=log, python=python, pip=pip))
        script.chmod(0o755)
        monkeypatch.setattr(uv, "find_uv_bin", lambda: str(script))
        return log

    return write
