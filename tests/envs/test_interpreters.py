"""Which interpreter is found, and what is said where none is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from cnnbench.envs import interpreters

if TYPE_CHECKING:
    from pathlib import Path

    from tests.envs.conftest import FakeUv


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_uv: FakeUv) -> Path:
    """A machine with an empty PATH, no pyenv, and a uv that has nothing."""
    fake_uv()
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return tmp_path


def pretend(path: Path, version: str, name: str = "cpython") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {name} {version} {path}\n")
    path.chmod(0o755)
    return path


def test_nothing_is_found_where_nothing_is(bare: Path) -> None:
    assert bare.exists()
    assert interpreters.find("3.5") is None


def test_the_host_python_serves_where_path_has_none(bare: Path) -> None:
    assert bare.exists()
    assert interpreters.find("{}.{}".format(*sys.version_info[:2])) is not None


def test_a_python_on_path_is_found_by_either_name(bare: Path) -> None:
    exact = pretend(bare / "bin" / "python3.5", "3.5")
    general = pretend(bare / "bin" / "python3", "3.4")

    assert interpreters.find("3.5") == exact
    assert interpreters.find("3.4") == general


def test_a_shim_that_does_not_start_is_skipped(bare: Path) -> None:
    shim = bare / "bin" / "python3.5"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    real = pretend(bare / "pyenv" / "versions" / "3.5.2" / "bin" / "python", "3.5")

    assert interpreters.find("3.5") == real


def test_a_python_that_lies_about_its_version_is_skipped(bare: Path) -> None:
    pretend(bare / "bin" / "python3.5", "3.4")

    assert interpreters.find("3.5") is None


def test_pypy_is_skipped(bare: Path) -> None:
    pretend(bare / "bin" / "python3.5", "3.5", name="pypy")

    assert interpreters.find("3.5") is None


def test_the_newest_patch_of_pyenv_is_taken(bare: Path) -> None:
    for patch in ("3.5.9", "3.5.10", "3.5.2"):
        pretend(bare / "pyenv" / "versions" / patch / "bin" / "python", "3.5")

    found = interpreters.find("3.5")

    assert found is not None
    assert found.parent.parent.name == "3.5.10"


@pytest.mark.parametrize(
    ("version", "command"),
    [("3.6", "pyenv install 3.6.15"), ("3.8", "uv python install 3.8")],
)
def test_the_remedy_is_one_that_works_for_the_version(version: str, command: str) -> None:
    assert interpreters.remedy(version) == f"no Python {version} found; install one: {command}"
