"""An environment that the user already has: recorded rather than pinned."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cnnbench.case import digest
from cnnbench.envs.stack import Stack, normal
from cnnbench.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

OLDEST = (3, 6)

# Reads the metadata files themselves: 3.6 and 3.7 have no importlib.metadata, and environments
# made by uv have no pkg_resources. The first on the path wins, as in an import.
_DESCRIBE = r"""
import glob, io, json, os, sys
found = {}
for folder in sys.path:
    for path in glob.glob(os.path.join(folder, "*.dist-info", "METADATA")) + glob.glob(
        os.path.join(folder, "*.egg-info", "PKG-INFO")) + glob.glob(
        os.path.join(folder, "*.egg-info")):
        if os.path.isfile(path):
            with io.open(path, encoding="utf-8", errors="replace") as file:
                lines = [line.split(": ", 1) for line in file.read().split("\n\n")[0].split("\n")]
            fields = dict(line for line in lines if len(line) == 2)
            if "Name" in fields and "Version" in fields:
                found.setdefault(fields["Name"].strip(), fields["Version"].strip())
print(json.dumps({"python": list(sys.version_info[:3]), "packages": found}))
"""

PLAIN = "native"  # PyTorch without Keras

# The distributions that hold each backend.
_BACKENDS = {
    "tensorflow": r"tensorflow(-(cpu|gpu|intel|macos|rocm|aarch64|cpu-aws))?|intel-tensorflow"
    r"|tf-nightly(-(cpu|gpu))?",
    "jax": r"jax",
    "torch": r"torch",
    PLAIN: r"torch",
    "mxnet": r"mxnet(-(mkl|native|cu\d+(-?mkl)?))?",
}


def describe(python: Path) -> Stack:
    """The environment of an interpreter, as a stack named `local@<digest>`.

    Its fingerprint is that of the interpreter's version, all that is installed, and the backend:
    KERAS_BACKEND of this process, else the only one that is installed for its Keras. PyTorch
    without Keras is a backend of its own, as in the stack `native-torch`.

    Raises:
        StackError: It is no Python 3.6 or newer, has neither Keras nor PyTorch, or no single
            backend.
    """
    answer = _ask(python)
    version, packages = answer["python"], answer["packages"]
    if tuple(version) < OLDEST:
        raise StackError(_too_old(python))
    packages = {normal(name): packages[name] for name in sorted(packages, key=normal)}
    backend = _choose(python, _installed(python, packages), os.environ.get("KERAS_BACKEND", ""))
    fingerprint = _fingerprint(backend, version, packages)
    return Stack(
        name=_name(fingerprint),
        about="the user's own environment, recorded rather than pinned",
        python=f"{version[0]}.{version[1]}",
        backend=backend,
        package=_package(backend, packages) or backend,
        devices=("cpu", "gpu"),
        packages=packages,
        variables={},
        torch_backend=None,
        cuda=None,
        lock="",
        fingerprint=fingerprint,
    )


def plain(stack: Stack) -> Stack | None:
    """The same environment as plain PyTorch; None without PyTorch."""
    if stack.backend == PLAIN:
        return stack
    if _package(PLAIN, stack.packages) is None:
        return None
    version = [int(part) for part in stack.python.split(".")]
    fingerprint = _fingerprint(PLAIN, version, stack.packages)
    return replace(
        stack,
        name=_name(fingerprint),
        backend=PLAIN,
        package="torch",
        fingerprint=fingerprint,
    )


def _name(fingerprint: str) -> str:
    return f"local@{fingerprint[:8]}"


def _fingerprint(backend: str, version: Sequence[int], packages: Mapping[str, str]) -> str:
    """One environment may hold several backends, whose speeds are not each other's."""
    return digest({"backend": backend, "python": version, "packages": packages})


def _ask(python: Path) -> dict[str, Any]:
    try:
        done = subprocess.run(  # noqa: S603 - the user named it
            [python, "-I", "-c", _DESCRIBE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            check=False,
        )
        if "Unknown option: -I" in done.stderr:
            raise StackError(_too_old(python))
        answer: dict[str, Any] = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise StackError(
            f"{python} is not a Python that starts; give --python the path of an interpreter, "
            "such as venv/bin/python"
        ) from error
    return answer


def _too_old(python: Path) -> str:
    return f"{python} is older than Python {OLDEST[0]}.{OLDEST[1]}; give --python a newer one"


def _installed(python: Path, packages: Mapping[str, str]) -> list[str]:
    """The installed backends that the installed Keras can use."""
    usable = _usable(packages)
    if not usable and _package(PLAIN, packages):
        return [PLAIN]
    if not usable:
        raise StackError(
            f"{python} has neither Keras nor PyTorch; install them there, or another backend of "
            "Keras: keras tensorflow-cpu"
        )
    found = [backend for backend in usable if _package(backend, packages)]
    if not found:
        raise StackError(
            f"{python} has Keras but no backend; install one there: {' or '.join(usable)}"
        )
    return found


def _usable(packages: Mapping[str, str]) -> tuple[str, ...]:
    if "keras-mxnet" in packages:
        return ("mxnet", "tensorflow")
    if "keras" not in packages:
        return ()
    major = packages["keras"].partition(".")[0]
    return ("tensorflow",) if major in ("1", "2") else ("tensorflow", "jax", "torch")


def _choose(python: Path, installed: list[str], wanted: str) -> str:
    if wanted and wanted not in installed:
        raise StackError(
            f"KERAS_BACKEND={wanted}, but {python} has {' and '.join(installed)} for its Keras; "
            f"set KERAS_BACKEND={installed[0]}"
        )
    if not wanted and len(installed) > 1:
        raise StackError(
            f"{python} has {' and '.join(installed)}; set KERAS_BACKEND={installed[0]} or another"
        )
    return wanted or installed[0]


def _package(backend: str, packages: Mapping[str, str]) -> str | None:
    pattern = re.compile(_BACKENDS[backend])
    return next((name for name in packages if pattern.fullmatch(name)), None)
