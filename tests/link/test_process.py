"""Guests that misbehave, as real processes: each is understood, and none survives."""

from __future__ import annotations

import json
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from cnnbench.errors import ProbeError
from cnnbench.link import process as process_module
from cnnbench.link.conversation import Conversation
from cnnbench.link.process import LONGEST_LINE, Process
from cnnbench.probe import wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE = 20.0  # far more than any of these needs
SOON = 0.2


@pytest.fixture
def run(tmp_path: Path) -> Callable[[str], Process]:
    """Starts a Python program in a guest's place."""

    def start(program: str) -> Process:
        arguments = [sys.executable, "-I", "-S", "-c", program]
        return Process(arguments, {}, tmp_path, tmp_path / "log")

    return start


def failure(process: Process, seconds: float = PATIENCE) -> ProbeError:
    """What is told of a guest that does not say what it must."""
    with pytest.raises(ProbeError) as caught, process:
        Conversation(process, seconds).hear()
    assert "\n" not in str(caught.value)
    assert process._popen.returncode is not None
    return caught.value


@pytest.mark.parametrize("text", ["Using MXNet backend", "", "{}", "\\xff\\xfe", "[" * 9999])
def test_a_line_that_is_no_message_is_garbage(run: Callable[[str], Process], text: str) -> None:
    error = failure(run(f"import sys; sys.stdout.buffer.write(b'{text}' + b'\\n')"))

    assert error.kind == "garbage"
    assert len(str(error)) < 500


def test_a_line_without_end_is_garbage(run: Callable[[str], Process]) -> None:
    error = failure(run("while True: print('x' * 65536, end='', flush=True)"))

    assert error.kind == "garbage"
    assert "without end" in str(error)


def test_a_line_just_short_enough_is_read_whole(run: Callable[[str], Process]) -> None:
    with run(f"print('x' * {LONGEST_LINE - 1})\nprint('next')") as process:
        assert len(process.read(PATIENCE)) == LONGEST_LINE - 1
        assert process.read(PATIENCE) == "next"


def test_a_line_that_comes_in_pieces_is_put_together(run: Callable[[str], Process]) -> None:
    program = "import os; os.write(1, b'on'); input(); os.write(1, 'é\\ntwo\\n'.encode())"
    with run(program) as process:
        process.write("go on")
        assert [process.read(PATIENCE), process.read(PATIENCE)] == ["oné", "two"]


def test_silence_ends_at_the_deadline_and_so_does_the_whole_group(
    run: Callable[[str], Process],
    tmp_path: Path,
    eventually: Callable[..., bool],
    is_gone: Callable[[int], bool],
) -> None:
    program = (
        "import subprocess, sys, time\n"
        "sleep = [sys.executable, '-I', '-S', '-c', 'import time; time.sleep(60)']\n"
        "child = subprocess.Popen(sleep)\n"
        "open('child', 'w').write(str(child.pid) + '\\n')\n"
        "time.sleep(60)"
    )
    process = run(program)
    note = tmp_path / "child"
    assert eventually(lambda: note.exists() and note.read_text().endswith("\n"), PATIENCE)
    child = int(note.read_text())
    assert not is_gone(child)
    begun = time.monotonic()

    error = failure(process, SOON)

    assert error.kind == "silent"
    assert SOON <= time.monotonic() - begun < SOON + 5
    assert eventually(lambda: is_gone(child))


def test_a_part_of_a_line_does_not_put_off_the_deadline(run: Callable[[str], Process]) -> None:
    program = "import time\nwhile True: print('.', end='', flush=True); time.sleep(0.01)"
    begun = time.monotonic()

    assert failure(run(program), SOON).kind == "silent"
    assert time.monotonic() - begun < SOON + 5


def test_a_guest_that_is_killed_is_told_by_its_signal(run: Callable[[str], Process]) -> None:
    error = failure(run("import os; os.kill(os.getpid(), 9)"))

    assert (error.kind, str(error)) == ("killed", "the guest was killed by SIGKILL")


@pytest.mark.skipif(not hasattr(signal, "SIGRTMIN"), reason="needs real-time signals")
def test_a_signal_without_a_name_is_told_by_its_number(run: Callable[[str], Process]) -> None:
    error = failure(run("import os, signal; os.kill(os.getpid(), signal.SIGRTMIN + 1)"))

    assert (error.kind, str(error)) == (
        "killed",
        f"the guest was killed by signal {signal.SIGRTMIN + 1}",
    )


def test_a_guest_that_ends_early_is_told_by_its_status(run: Callable[[str], Process]) -> None:
    error = failure(run("raise SystemExit(3)"))

    assert (error.kind, str(error)) == ("died", "the guest ended early with status 3")


def test_a_message_to_a_guest_that_is_gone_tells_how_it_ended(
    run: Callable[[str], Process],
) -> None:
    with run("raise SystemExit(4)") as process:
        process._popen.wait()
        with pytest.raises(ProbeError, match="status 4") as caught:
            Conversation(process, PATIENCE).tell(wire.Finish())
    assert caught.value.kind == "died"


def test_a_guest_that_closes_its_output_and_stays_is_ended(
    run: Callable[[str], Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "GRACE_SECONDS", SOON)

    error = failure(run("import os, time; os.close(1); time.sleep(60)"))

    assert (error.kind, str(error)) == ("died", "the guest closed its output and hangs")


def test_a_guest_that_does_not_leave_when_all_is_said_is_ended(
    run: Callable[[str], Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "GRACE_SECONDS", SOON)

    with run("import time; print('done', flush=True); time.sleep(60)") as process:
        assert process.read(PATIENCE) == "done"

    assert process._popen.returncode == -9


def test_a_python_that_cannot_be_started_died(tmp_path: Path) -> None:
    with pytest.raises(ProbeError, match=r"cannot start .*: No such file") as caught:
        Process([str(tmp_path / "python")], {}, tmp_path, tmp_path / "log")
    assert caught.value.kind == "died"


def test_an_interrupted_host_takes_the_guest_along(run: Callable[[str], Process]) -> None:
    process = run("import time; time.sleep(60)")
    with pytest.raises(KeyboardInterrupt), process:
        raise KeyboardInterrupt

    assert process._popen.returncode == -9


def test_only_the_given_variables_reach_the_guest(tmp_path: Path) -> None:
    program = "import json, os; print(json.dumps(dict(os.environ)))"
    arguments = [sys.executable, "-I", "-S", "-c", program]
    with Process(arguments, {"LC_ALL": "C", "MINE": "1"}, tmp_path, tmp_path / "log") as process:
        assert json.loads(process.read(PATIENCE)) == {"LC_ALL": "C", "MINE": "1"}
