"""A stack at another version of its backend, by a uv that is a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cnnbench.envs import locking, stack, versions
from cnnbench.errors import StackError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cnnbench.envs.stack import Stack


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What was resolved; of JAX there is 0.8.3 and 0.10.1."""
    monkeypatch.setenv("CNNBENCH_CACHE_DIR", str(tmp_path))
    found: list[str] = []

    def resolved(made: Stack, pins: Mapping[str, str], more: Sequence[str]) -> str:
        (wanted,) = more
        found.append(wanted)
        version = {"jax==0.8.*": "0.8.3", "jax==0.10.*": "0.10.1"}.get(wanted)
        if version is None:
            raise StackError(f"cannot lock {made.name}: there is no {wanted}")
        return "".join(f"{name}=={pin}\n" for name, pin in {**pins, "jax": version}.items())

    monkeypatch.setattr(locking, "resolved", resolved)
    return found


def test_all_but_the_backend_is_as_the_stack_s_file_says() -> None:
    base, made = stack.load("keras3-jax"), versions.load("keras3-jax@0.8")
    assert made.packages == {**base.packages, "jax": "0.8.3"}
    assert (made.python, made.variables, made.devices) == (
        base.python,
        base.variables,
        base.devices,
    )
    assert made.name == "keras3-jax@0.8"
    assert made.fingerprint != base.fingerprint
    stack.check_lock(made)


def test_a_version_is_resolved_once_and_stays_what_it_was(asked: list[str]) -> None:
    assert versions.load("keras3-jax@0.8") == versions.load("keras3-jax@0.8")
    assert asked == ["jax==0.8.*"]


def test_a_name_without_a_version_is_the_stack_as_it_is(asked: list[str]) -> None:
    assert versions.load("keras3-jax") == stack.load("keras3-jax")
    assert versions.expanded("keras3-jax", print) == ["keras3-jax"]
    assert asked == []


def test_a_range_leaves_out_what_cannot_be_had_and_says_so() -> None:
    said: list[str] = []
    found = versions.expanded("keras3-jax@0.8..0.10", said.append)
    assert found == ["keras3-jax@0.8", "keras3-jax@0.10"]
    assert said == [
        "keras3-jax@0.9 is left out: cannot lock keras3-jax@0.9: there is no jax==0.9.*"
    ]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("keras3-jax@latest", "'latest' is no version; it is keras3-jax@"),
        ("null@1", "stack null installs nothing: it has no versions"),
        ("keras3-jx@1", "unknown stack 'keras3-jx'; did you mean keras3-jax"),
        ("keras3-jax@0.8..1.2", "a range is of versions that differ in their last number"),
        ("keras3-jax@0.20..0.22", "nothing of that range can be had"),
    ],
)
def test_what_is_no_version_is_refused_in_one_line(name: str, line: str) -> None:
    def loaded() -> list[Stack]:
        return [versions.load(one) for one in versions.expanded(name, lambda _: None)]

    with pytest.raises(UsageError, match=line):
        loaded()
