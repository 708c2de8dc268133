"""Waiting for programs that are not their turn."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from cnnbench.machine import idle

if TYPE_CHECKING:
    from collections.abc import Iterator

SPIN = "print('on', flush=True)\nwhile True: pass"
SLEEP = "import time\nprint('on', flush=True)\ntime.sleep(60)"


@pytest.fixture
def program(request: pytest.FixtureRequest) -> Iterator[int]:
    """A program that has begun to do what it is for."""
    command = [sys.executable, "-c", request.param]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        yield process.pid
        process.kill()


@pytest.mark.parametrize("program", [SLEEP], indirect=True)
def test_a_program_that_sleeps_is_idle_at_once(program: int) -> None:
    begun = time.monotonic()
    assert idle.wait_until_idle([program])
    assert time.monotonic() - begun < idle.PATIENCE_SECONDS


@pytest.mark.parametrize("program", [SPIN], indirect=True)
def test_a_program_that_spins_is_waited_for_and_then_told(
    program: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle, "PATIENCE_SECONDS", 0.2)
    assert not idle.wait_until_idle([program])


@pytest.mark.parametrize("program", [SPIN, SLEEP], indirect=True)
def test_without_a_look_at_threads_cpu_time_tells_the_same(
    program: int, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(idle, "PROC", idle.PROC / "not here")
    monkeypatch.setattr(idle, "PATIENCE_SECONDS", 2.0)
    monkeypatch.setattr(idle, "TICKS_SECONDS", 0.2)  # of which a busy machine leaves a part
    spins = request.node.callspec.params["program"] == SPIN
    assert idle.wait_until_idle([program]) is not spins


def test_nobody_and_the_dead_are_idle() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert idle.wait_until_idle([])
    assert idle.wait_until_idle([process.pid])
