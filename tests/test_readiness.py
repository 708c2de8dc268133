"""Where plain PyTorch comes from: our stack of it, or an environment of the user's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cnnbench.envs import cache, stack
from cnnbench.prepare import NotReady, Own, Ready
from cnnbench.readiness import plain_pytorch
from tests.blank import LAUNCH

if TYPE_CHECKING:
    from collections.abc import Mapping

PYTHON = Path("/somewhere/bin/python")


def own(backend: str, packages: Mapping[str, str]) -> Own:
    """An environment of the user's."""
    given = replace(
        stack.load("native-torch"), name="local@12345678", backend=backend, packages=packages
    )
    return Own(environments={given.name: (given, PYTHON)})


def made(known: Own) -> Ready | NotReady:
    """What plain PyTorch turned out to be."""
    making = plain_pytorch(LAUNCH.case, known)
    while True:
        try:
            next(making)
        except StopIteration as stop:
            found: Ready | NotReady = stop.value
            return found


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "unsupported", lambda _: "no Python 3.11 found")


@pytest.mark.usefixtures("offline")
def test_where_ours_cannot_be_built_the_users_pytorch_is_taken_without_keras() -> None:
    found = made(own("jax", {"keras": "3.15.1", "jax": "0.11.2", "torch": "2.11.0"}))

    assert isinstance(found, Ready)
    assert (found.stack.backend, found.python) == ("native", PYTHON)
    assert (found.case.precision, found.case.recipes) == ("float32", ())


@pytest.mark.usefixtures("offline")
def test_without_any_pytorch_the_reason_is_why_ours_could_not_be_built() -> None:
    found = made(own("jax", {"keras": "3.15.1", "jax": "0.11.2"}))

    assert isinstance(found, NotReady)
    assert found.failure.message == "no Python 3.11 found"


def test_ours_is_taken_where_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "unsupported", lambda _: "")
    monkeypatch.setattr(cache, "build", lambda *_: Path("/ours/bin/python"))
    found = made(own("torch", {"keras": "3.15.1", "torch": "2.11.0"}))

    assert isinstance(found, Ready)
    assert found.stack.name == "native-torch"
