"""Where a stack's packages come from: pip's settings, in uv's words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from cnnbench.envs.stack import normal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cnnbench.envs.stack import Stack

_FROM_PIP = {
    "PIP_INDEX_URL": "UV_INDEX_URL",
    "PIP_EXTRA_INDEX_URL": "UV_EXTRA_INDEX_URL",
    "PIP_TRUSTED_HOST": "UV_INSECURE_HOST",
    "PIP_CERT": "SSL_CERT_FILE",
}


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for uv: the caller's, with pip's index settings under uv's names.

    Variables rather than arguments: an index URL may hold a password, and everybody on the
    machine can see arguments. Variables of uv's own are kept.
    """
    env = {name: value for name, value in environ.items() if not name.startswith("PYTHON")}
    for pip_name, uv_name in _FROM_PIP.items():
        if environ.get(pip_name):
            env.setdefault(uv_name, environ[pip_name])
    return env | {"UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never"}


def options(stack: Stack, environ: Mapping[str, str]) -> list[str]:
    """Options of uv that say where a stack's packages come from, the index apart."""
    places = [_absolute(place) for place in environ.get("PIP_FIND_LINKS", "").split()]
    given = [option for place in places for option in ("--find-links", place)]
    if stack.torch_backend and not any(_has_wheel(stack, place) for place in places):
        given += ["--torch-backend", stack.torch_backend]
    return given


def exact(requirements: str) -> str:
    """Requirements that take no local version which they do not name.

    `torch==2.13.0` would also take `2.13.0+cpu` from a folder of wheels, and a GPU stack would
    then compute on the CPU; `===` compares the text.
    """
    return re.sub(r"^([^\s=]+)==(?!=)", r"\1===", requirements, flags=re.MULTILINE)


def _absolute(place: str) -> str:
    """A folder made absolute, for uv runs elsewhere; a URL as it is."""
    return place if "://" in place else str(Path(place).expanduser().absolute())


def _has_wheel(stack: Stack, place: str) -> bool:
    """Whether a folder has the wheel of a local version (`+cpu`), which no public index has."""
    folder = Path(place.removeprefix("file://"))
    pins = ((normal(name).replace("-", "_"), pin) for name, pin in stack.packages.items())
    return any(any(folder.glob(f"{name}-{pin}-*.whl")) for name, pin in pins if "+" in pin)
