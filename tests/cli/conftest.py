"""The command line, called as its entry point is, with folders of its own."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pytest

from cnnbench import cli

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MINE = """
about = "One launch of the null stack"
budget = "quick"
[axes]
stack = ["null"]
method = ["fit_generator"]
[limits]
launches = [1, 1]
silence_seconds = 20.0
"""


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    status: int | str | None
    out: str
    err: str

    @property
    def line(self) -> str:
        """The only line on standard error."""
        (line,) = self.err.splitlines()
        return line


class Command(Protocol):
    def __call__(self, *arguments: str | Path) -> Outcome: ...


class Start(Protocol):
    def __call__(self, *arguments: str | Path, **variables: str) -> subprocess.Popen[str]: ...


class OwnFolders(Protocol):
    def __call__(self, folder: Path, patch: pytest.MonkeyPatch) -> None: ...


def _own_folders(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("HOME", str(folder))
    patch.setenv("CNNBENCH_STORE", str(folder / "runs.sqlite"))
    patch.setenv("CNNBENCH_CACHE_DIR", str(folder / "cache"))
    for name in ("CNNBENCH_DATA_DIR", "KERAS_BACKEND"):
        patch.delenv(name, raising=False)
    patch.chdir(folder)
    (folder / "mine.toml").write_text(MINE)


@pytest.fixture(scope="session", autouse=True)
def _kept_signals() -> Iterator[None]:
    """The command sets a handler of SIGTERM."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(autouse=True)
def _drawn_alike() -> None:
    """Seeds of launches, and with them the noise of the null stack, are those of every run."""
    random.seed(20)


@pytest.fixture(scope="session")
def own_folders() -> OwnFolders:
    """Lets nothing of the user's be read or written; puts the suite `mine.toml` into a folder."""
    return _own_folders


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, where the suite `mine.toml` is."""
    _own_folders(tmp_path, monkeypatch)
    return tmp_path


@pytest.fixture
def cnnbench(
    folder: Path,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """Runs a command in this process; what is not told in one line is raised."""

    def command(*arguments: str | Path) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["cnnbench", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            cli.main()
        return Outcome(left.value.code or 0, *capsys.readouterr())

    return command


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Starts a command as a process of its own, which is ended with the test."""
    begun: list[subprocess.Popen[str]] = []

    def command(*arguments: str | Path, **variables: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "cnnbench", *map(str, arguments)],
            cwd=folder,
            env=os.environ | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        return process

    yield command
    for process in begun:
        process.kill()
        process.communicate()
