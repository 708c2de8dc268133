"""The command as a process: interrupted, killed, beside another, into a pipe, in an old locale."""

from __future__ import annotations

import json
import os
import select
import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from cnnbench.store.database import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Command, Start

# The second guest that builds tells its process id through a pipe and hangs; all others train.
MODEL = """
import os, time
HERE = os.path.dirname(os.path.abspath(__file__))
def build(keras, shape, classes):
    with open(os.path.join(HERE, "builds"), "a") as file:
        file.write("x")
    if os.path.getsize(os.path.join(HERE, "builds")) == 2:
        with open(os.path.join(HERE, "pipe"), "w") as pipe:
            pipe.write("%d\\n" % os.getpid())
        time.sleep(600)
    x = keras.layers.Input(shape=shape)
    return keras.models.Model(x, keras.layers.Dense(classes)(keras.layers.Flatten()(x)))
"""
RUN = ("run", "mine.toml", "--model", "waits.py", "--launches", "2")


class Pipe:
    """Hears of a guest that hangs."""

    def __init__(self, folder: Path) -> None:
        (folder / "waits.py").write_text(MODEL)
        os.mkfifo(folder / "pipe")
        self._file = os.open(folder / "pipe", os.O_RDWR | os.O_NONBLOCK)

    def guest(self) -> psutil.Process:
        ready, _, _ = select.select([self._file], [], [], 60)
        assert ready, "no guest came so far"
        return psutil.Process(int(os.read(self._file, 100)))

    def close(self) -> None:
        os.close(self._file)


@pytest.fixture
def pipe(folder: Path) -> Iterator[Pipe]:
    opened = Pipe(folder)
    yield opened
    opened.close()


def test_ctrl_c_prints_what_there_is_ends_the_guest_and_the_same_command_goes_on(
    start: Start, cnnbench: Command, pipe: Pipe, folder: Path
) -> None:
    host = start(*RUN)
    guest = pipe.guest()
    host.send_signal(signal.SIGINT)
    out, err = host.communicate(timeout=30)
    assert host.returncode == 130
    assert "1 launch gives no interval" in out
    assert err.splitlines()[-1] == "interrupted; the same command goes on from here"
    assert "Traceback" not in err
    guest.wait(timeout=2)

    done = cnnbench(*RUN, "--json", "-")
    (result,) = json.loads(done.out)["results"]
    assert len(result["launches"]) == 2
    assert (folder / "builds").read_text() == "xxx"  # one kept, one lost, one more
    with Store.open(folder / "runs.sqlite", read_only=True) as store:
        assert len(store.campaigns()) == 1


def test_kill_9_leaves_no_guest_and_loses_one_launch_at_most(
    start: Start, cnnbench: Command, pipe: Pipe
) -> None:
    host = start(*RUN)
    guest = pipe.guest()
    host.kill()
    guest.wait(timeout=2)
    host.wait()
    (shown,) = json.loads(cnnbench("show", "--json", "-").out)["results"]
    assert len(shown["launches"]) == 1

    done = cnnbench(*RUN, "--json", "-")
    assert "going on after 1 launch" in done.err
    (result,) = json.loads(done.out)["results"]
    assert result["launches"][0] == shown["launches"][0]
    assert len(result["launches"]) == 2

    anew = cnnbench(*RUN, "--fresh", "--json", "-")
    (fresh,) = json.loads(anew.out)["results"]
    assert not set(fresh["launches"]) & set(result["launches"])


def test_two_runs_at_once_on_one_store_both_end_with_results(start: Start, folder: Path) -> None:
    both = [start("run", "mine.toml", "--json", f"{name}.json") for name in ("a", "b")]
    for process in both:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    found = [json.loads((folder / f"{name}.json").read_text())["results"] for name in ("a", "b")]
    assert all(result["images_per_second"]["point"] > 0 for (result,) in found)
    assert found[0][0]["launches"] != found[1][0]["launches"]


def test_a_locale_without_our_signs_stops_nothing(start: Start, cnnbench: Command) -> None:
    old = {"LC_ALL": "C", "PYTHONUTF8": "0"}
    measured = start("run", "mine.toml", "--launches", "2", PYTHONIOENCODING="ascii", **old)
    out, err = measured.communicate(timeout=60)
    assert measured.returncode == 0, err
    assert "Speed (images/s)" in out

    cnnbench("run", "mine.toml", "--device", "gpu")
    shown = start("show", PYTHONIOENCODING="iso8859-5", **old)  # has no middle dot
    out, err = shown.communicate(timeout=30)
    assert (shown.returncode, err) == (0, "")
    assert "null \\xb7 simple_cnn" in out


def test_a_closed_pipe_ends_the_command_in_silence(start: Start, cnnbench: Command) -> None:
    cnnbench("run", "mine.toml", "--device", "gpu")
    shown = start("show")
    assert shown.stdout
    assert shown.stderr
    shown.stdout.close()
    assert shown.stderr.read() == ""
    assert shown.wait() in {0, 1}
