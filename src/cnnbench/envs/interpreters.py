"""Python interpreters on this machine: on PATH, of pyenv, of uv."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cnnbench.envs import sources, uv_tool

if TYPE_CHECKING:
    from collections.abc import Iterator

_ASK = "import sys; print(sys.implementation.name, '%d.%d' % sys.version_info[:2], sys.executable)"
# uv offers nothing older than 3.8; these are the last releases.
_LAST_OF_PYENV = {"3.6": "3.6.15", "3.7": "3.7.17"}


def find(version: str) -> Path | None:
    """The first CPython of a version, such as `3.6`, that really starts.

    PATH goes first, then the host's own, pyenv's newest patch release, then what uv has installed.
    """
    for candidate in _candidates(version):
        if (answer := ask(candidate)) and answer[0] == version:
            return answer[1]
    return None


def remedy(version: str) -> str:
    """What to do where no interpreter of a version is found, in one line."""
    if version in _LAST_OF_PYENV:
        command = f"pyenv install {_LAST_OF_PYENV[version]}"
    else:
        command = f"uv python install {version}"
    return f"no Python {version} found; install one: {command}"


@functools.cache  # a list of stacks asks for the same few versions again and again
def ask(python: Path) -> tuple[str, Path] | None:
    """Start an interpreter; its version as `3.6` and its own path, or None if it is no CPython."""
    try:
        done = subprocess.run(  # noqa: S603 - a candidate must be started to know what it is
            [python, "-I", "-c", _ASK],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = done.stdout.strip().split(" ", 2)
    if done.returncode or len(words) < len(("name", "version", "path")) or words[0] != "cpython":
        return None
    return words[1], Path(words[2])


def _candidates(version: str) -> Iterator[Path]:
    for name in (f"python{version}", "python3", "python"):
        for folder in os.environ.get("PATH", "").split(os.pathsep):
            if folder and (found := shutil.which(name, path=folder)):
                yield Path(found)
    yield Path(sys.executable)
    yield from _of_pyenv(version)
    yield from _of_uv(version)


def _of_pyenv(version: str) -> Iterator[Path]:
    root = Path(os.environ.get("PYENV_ROOT") or Path("~/.pyenv").expanduser())
    patches = (root / "versions").glob(f"{version}.*/bin/python")
    yield from sorted(patches, key=lambda path: _numbers(path.parent.parent.name), reverse=True)


def _of_uv(version: str) -> Iterator[Path]:
    arguments = ["python", "find", "--system", "--managed-python", "--no-project", version]
    done = subprocess.run(  # noqa: S603 - the arguments are ours
        [uv_tool.binary(), *arguments],
        capture_output=True,
        text=True,
        env=sources.environment(os.environ),
        cwd=tempfile.gettempdir(),
        check=False,
    )
    if done.returncode == 0:
        yield Path(done.stdout.strip())


def _numbers(name: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", name)]
