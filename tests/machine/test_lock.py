"""One measurement at a time on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock, Timeout

from cnnbench.errors import CnnbenchError
from cnnbench.machine import lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLD = """
import sys
from pathlib import Path
from cnnbench.machine.lock import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "measuring.lock"


@pytest.fixture
def other(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its standard input ends."""
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_free_lock_is_had_and_had_again_afterwards(path: Path) -> None:
    for _ in range(2):
        with lock.exclusive(path, wait=False):
            assert lock.holder(path) == os.getpid()


def test_a_held_lock_names_its_holder_to_who_does_not_wait(
    path: Path, other: subprocess.Popen[str]
) -> None:
    said = f"waiting for process {other.pid} that is measuring"
    with pytest.raises(lock.Busy, match=said), lock.exclusive(path, wait=False):
        pytest.fail("not reached")


def test_a_held_lock_is_waited_for_until_its_holder_ends(
    path: Path, other: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    acquire = FileLock.acquire
    tries: list[Any] = []

    def acquire_while_held(self: FileLock, **options: Any) -> object:
        tries.append(options)
        with pytest.raises(Timeout):
            acquire(self, timeout=0)
        assert other.stdin is not None
        other.stdin.close()
        return acquire(self, **options)

    monkeypatch.setattr(lock, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(FileLock, "acquire", acquire_while_held)
    with lock.exclusive(path):
        assert other.wait(10) == 0
        assert lock.holder(path) == os.getpid()
    assert len(tries) == 1


def test_the_lock_of_a_killed_holder_is_free(path: Path, other: subprocess.Popen[str]) -> None:
    other.kill()
    other.wait(10)
    with lock.exclusive(path, wait=False):
        pass


def test_two_threads_never_hold_it_together(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "POLL_SECONDS", 0.001)
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(20):
            with lock.exclusive(path):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == [1] * 60


def test_an_error_inside_frees_the_lock_and_passes_through(path: Path) -> None:
    with pytest.raises(OSError, match="inside"), lock.exclusive(path, wait=False):
        raise OSError("inside")
    with lock.exclusive(path, wait=False):
        pass


@pytest.mark.usefixtures("other")
def test_a_holder_that_left_no_pid_is_another_process(path: Path) -> None:
    path.with_suffix(".pid").write_text("")
    said = "waiting for another process that is measuring"
    with pytest.raises(lock.Busy, match=said), lock.exclusive(path, wait=False):
        pytest.fail("not reached")


def test_a_folder_that_cannot_be_made_is_one_line_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(CnnbenchError, match="choose a cache folder") as error,
        lock.exclusive(tmp_path / "file" / "measuring.lock"),
    ):
        pytest.fail("not reached")
    assert "\n" not in str(error.value)


def test_polling_is_gentle() -> None:
    assert lock.POLL_SECONDS >= 0.2
