"""A stack: what its TOML file says, and whether its lock says the same."""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cnnbench import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parent.parent / "stacks"
HOST = "host"

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_EXTRAS = r"(?:\[[A-Za-z0-9._, -]+\])?"
_LOCKED = re.compile(rf"^({_NAME}){_EXTRAS}==([^\s;\\]+)", re.MULTILINE)
_ADDRESS = re.compile(r"://|^\s*(?:-[if]\b|--(?:extra-|default-)?index|--find-links)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A pinned set of Python, Keras and backend package.

    Attributes:
        name: The TOML file's name without its ending, or `local@<digest>`.
        about: One line for people.
        python: `3.6`, or `host` for the interpreter that runs cnnbench.
        backend: `tensorflow`, `jax`, `torch`, `mxnet` or `null`.
        package: The distribution that holds the backend, as the tables name it.
        devices: What it can compute on: `cpu`, `gpu`.
        packages: Exact version by requirement name, extras included.
        variables: Environment of the guest.
        torch_backend: The build of PyTorch that uv must choose, where it matters.
        cuda: The CUDA version that a GPU stack was built for.
        lock: Text of the lock; empty if there is none.
        fingerprint: Twelve hexadecimal digits of the TOML and lock text.
    """

    name: str
    about: str
    python: str
    backend: str
    package: str
    devices: tuple[str, ...]
    packages: Mapping[str, str]
    variables: Mapping[str, str]
    torch_backend: str | None
    cuda: str | None
    lock: str
    fingerprint: str


class _Definition(BaseModel):
    """What a stack's TOML file may hold."""

    model_config = ConfigDict(extra="forbid")

    about: Annotated[str, Field(min_length=1, pattern=r"^[^\n]*$")]
    python: Annotated[str, Field(pattern=rf"^(3\.\d+|{HOST})$")]
    backend: Literal["tensorflow", "mxnet", "jax", "torch", "native", "null"]
    package: str
    devices: Annotated[tuple[Literal["cpu", "gpu"], ...], Field(min_length=1)]
    packages: dict[
        Annotated[str, Field(pattern=rf"^{_NAME}{_EXTRAS}$")],
        Annotated[str, Field(pattern=r"^\d[A-Za-z0-9.+!_-]*$")],
    ]
    variables: dict[str, str] = {}
    torch_backend: str | None = None
    cuda: Annotated[str, Field(pattern=r"^\d+\.\d+$")] | None = None


def names() -> list[str]:
    """The stacks that are described, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str) -> Stack:
    """Read a stack's TOML file and lock.

    Raises:
        UsageError: There is no such stack, or its TOML file is wrong; names file and field.
    """
    if name not in names():
        raise errors.unknown("stack", name, names())
    text = (FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    lock = _read(FOLDER / f"{name}.lock")
    fingerprint = hashlib.sha256(f"{text}\0{lock}".encode()).hexdigest()[:12]
    fields = _define(f"{name}.toml", text).model_dump()
    return Stack(name=name, lock=lock, fingerprint=fingerprint, **fields)


def check_lock(stack: Stack) -> None:
    """Prove that the lock pins what the TOML file pins, and names no index.

    Raises:
        StackError: The lock is missing, holds an address, or differs from the TOML file.
    """
    if stack.python == HOST:
        return
    if fault := _fault(stack):
        raise errors.StackError(f"{fault}; run: cnnbench stacks lock {stack.name}")


def locked(lock: str) -> dict[str, str]:
    """The version of each distribution that a lock pins, by its normal name."""
    return {normal(name): version for name, version in _LOCKED.findall(lock)}


def normal(name: str) -> str:
    """A distribution's name without extras, as the packaging standard (PEP 503) compares it."""
    return re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower()


def _define(file: str, text: str) -> _Definition:
    try:
        return _Definition.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise errors.UsageError(f"{file}: not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise errors.UsageError(f"{file}: {field}: {first['msg']}") from error


def _fault(stack: Stack) -> str | None:
    if not stack.lock:
        return f"stack {stack.name} has no lock"
    if _ADDRESS.search(stack.lock):
        return f"the lock of {stack.name} names an index or an address"
    pinned = locked(stack.lock)
    for name, version in stack.packages.items():
        found = pinned.get(normal(name))
        if found is None or _plain(found) != _plain(version):
            return (
                f"the lock of {stack.name} differs from the TOML: "
                f"{normal(name)} is {found or 'not locked'}, pinned {version}"
            )
    return None


def _plain(version: str) -> str:
    """A version without trailing zeros: uv locks the release `2.10.0` for the pin `2.10`."""
    return re.sub(r"(?:\.0)+(?=\+|$)", "", version)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
