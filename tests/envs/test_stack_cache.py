"""Building, finding and removing stacks, with a uv that costs nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cnnbench.envs import cache, interpreters, stack
from cnnbench.errors import StackError
from cnnbench.machine import gpu

if TYPE_CHECKING:
    from tests.envs.conftest import Describe, FakeUv


def silent(_: str) -> None:
    pass


def in_cache(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "cache" / "stacks").iterdir() if path.is_dir())


def test_a_built_stack_is_found_and_not_built_again(describe: Describe, fake_uv: FakeUv) -> None:
    tiny, log = describe(), fake_uv()
    assert cache.python_of(tiny) is None

    python = cache.build(tiny, silent)

    assert cache.python_of(tiny) == python == cache.build(tiny, silent)
    assert interpreters.ask(python) is not None
    assert len(log.read_text().splitlines()) == 2


def test_progress_is_told(describe: Describe, fake_uv: FakeUv) -> None:
    fake_uv("echo Resolved 2 packages in 1ms >&2; echo ' + keras==3.1.0' >&2")
    told: list[str] = []

    cache.build(describe(), told.append)

    assert [line.split()[0] for line in told] == ["installing", "Resolved", "compiling"]


def test_bytecode_is_compiled_and_a_file_that_does_not_compile_fails_nothing(
    describe: Describe, fake_uv: FakeUv
) -> None:
    lib = '"$(dirname "$last")/lib"'
    fake_uv(f"echo 'x = 1' > {lib}/good.py; echo 'print x' > {lib}/bad.py")

    python = cache.build(describe(), silent)

    compiled = [path.name for path in (python.parent.parent / "lib").rglob("*.pyc")]
    assert [name.split(".")[0] for name in compiled] == ["good"]


def test_another_fingerprint_is_another_folder(
    describe: Describe, fake_uv: FakeUv, tmp_path: Path
) -> None:
    fake_uv()
    first = cache.build(describe(), silent)

    second = cache.build(describe(toml=("about", "# changed\nabout")), silent)

    assert first != second
    assert len(in_cache(tmp_path)) == 2


def test_the_second_of_two_builds_waits_and_finds_it_ready(
    describe: Describe, fake_uv: FakeUv, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    tiny, log, at_work = describe(), fake_uv(f"cat '{gate}'"), threading.Event()
    first = threading.Thread(target=cache.build, args=(tiny, lambda _: at_work.set()))
    first.start()
    assert at_work.wait(30)

    told: list[str] = []

    def open_gate(line: str) -> None:
        told.append(line)
        gate.write_text("")

    cache.build(tiny, open_gate)
    first.join()

    assert told == ["waiting: another process is at work on tiny"]
    assert [line.split()[0] for line in log.read_text().splitlines()].count("venv") == 1


def test_a_killed_build_leaves_nothing_that_looks_ready_and_its_leftovers_go(
    describe: Describe, fake_uv: FakeUv, tmp_path: Path
) -> None:
    tiny = describe()
    fake_uv("kill -9 $PPID")
    program = (
        "import sys, pathlib, uv; from cnnbench.envs import cache, stack;"
        "stack.FOLDER = pathlib.Path(sys.argv[1]); uv.find_uv_bin = lambda: sys.argv[2];"
        "cache.build(stack.load('tiny'), print)"
    )
    command = [sys.executable, "-c", program, str(stack.FOLDER), str(tmp_path / "uv")]

    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)

    assert done.returncode == -signal.SIGKILL
    assert cache.python_of(tiny) is None
    assert [name[0] for name in in_cache(tmp_path)] == ["."]
    fake_uv()
    cache.build(tiny, silent)
    assert in_cache(tmp_path) == [f"tiny-{tiny.fingerprint}"]


def test_a_stack_whose_interpreter_is_gone_is_built_anew(
    describe: Describe, fake_uv: FakeUv
) -> None:
    tiny = describe()
    fake_uv()
    python = cache.build(tiny, silent)
    python.unlink()
    python.symlink_to("/nonexistent/python")

    assert cache.python_of(tiny) is None
    assert cache.build(tiny, silent).exists()


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        (
            "error: Failed to fetch jax\n  cause: wrong hash",
            "cannot build tiny: Failed to fetch jax: wrong hash; then run: ",
        ),
        (
            "  \u00d7 No solution found:\n  ╰─▶ Because there is no jax==9",
            "cannot build tiny: No solution found: Because there is no jax==9; then run: ",
        ),
        (
            "error: Request failed\n  cause: error sending request for url (http://u:pw@127.0.0.1/s)",
            "the package index 127.0.0.1 does not answer; check the network",
        ),
        ("error: no wheel at http://u:secret@127.0.0.1/s", "http://***@127.0.0.1/s; then run: "),
        ("error: x\n  cause: No space left on device (os error 28)", "no space left in "),
        ("", "cannot build tiny: uv said nothing; then run: "),
    ],
)
def test_a_failed_build_is_one_line_and_leaves_nothing(
    describe: Describe, fake_uv: FakeUv, tmp_path: Path, stderr: str, said: str
) -> None:
    (tmp_path / "said").write_text(stderr)
    fake_uv(f"cat '{tmp_path / 'said'}' >&2; exit 2")

    with pytest.raises(StackError) as caught:
        cache.build(describe(), silent)

    assert said in str(caught.value)
    assert str(caught.value).endswith("then run: cnnbench stacks build tiny")
    assert "\n" not in str(caught.value)
    assert in_cache(tmp_path) == []


def test_an_environment_that_does_not_start_is_never_ready(
    describe: Describe, fake_uv: FakeUv, tmp_path: Path
) -> None:
    fake_uv(python="/bin/false")

    with pytest.raises(StackError, match="does not start"):
        cache.build(describe(), silent)

    assert in_cache(tmp_path) == []


def test_a_cache_that_cannot_be_written_is_one_line(
    describe: Describe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CNNBENCH_CACHE_DIR", str(tmp_path / "file"))

    with pytest.raises(StackError, match=r"Not a directory.*set CNNBENCH_CACHE_DIR"):
        cache.build(describe(), silent)


def test_removing_frees_all_fingerprints_of_the_name_and_no_other_name(
    describe: Describe, fake_uv: FakeUv, tmp_path: Path
) -> None:
    fake_uv('echo 12345 > "$(dirname "$last")/lib/data"')
    cache.build(describe(), silent)
    tiny = describe(toml=("about", "# changed\nabout"))
    cache.build(tiny, silent)
    other = describe("tiny-gpu")
    cache.build(other, silent)

    assert cache.remove(tiny) > 0
    assert in_cache(tmp_path) == [f"tiny-gpu-{other.fingerprint}"]
    assert cache.remove(tiny) == 0


def test_removing_from_a_cache_that_is_not_there_frees_nothing(describe: Describe) -> None:
    assert cache.remove(describe()) == 0


def test_files_that_uv_also_keeps_are_not_counted_as_freed(
    describe: Describe, fake_uv: FakeUv, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(b"x" * 1_000_000)
    fake_uv(f'ln \'{kept}\' "$(dirname "$last")/lib/kept"')
    tiny = describe()
    cache.build(tiny, silent)

    assert 0 < cache.remove(tiny) < 100_000


def test_a_stack_that_can_run_here_has_no_reason_against_it(
    describe: Describe, fake_uv: FakeUv
) -> None:
    fake_uv("exit 1")

    assert cache.unsupported(describe()) is None


def test_a_missing_interpreter_makes_a_stack_unsupported_with_the_remedy(
    describe: Describe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreters, "find", lambda _: None)
    tiny, remedy = describe(), interpreters.remedy("3.11")

    assert cache.unsupported(tiny) == interpreters.remedy(tiny.python)
    assert remedy.endswith("uv python install 3.11")
    with pytest.raises(StackError, match="no Python"):
        cache.build(tiny, silent)


def test_a_lock_that_differs_makes_a_stack_unsupported(describe: Describe) -> None:
    reason = cache.unsupported(describe(lock=None))

    assert reason is not None
    assert reason.endswith("run: cnnbench stacks lock tiny")


def test_a_gpu_stack_is_unsupported_where_no_driver_answers(
    describe: Describe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "why_none", lambda: "no NVIDIA driver is installed; install one")
    toml = ('["cpu"]', '["gpu"]\ncuda = "12.0"')

    reason = cache.unsupported(describe(toml=toml))

    assert reason is not None
    assert reason.startswith("no NVIDIA driver is installed")


def test_the_null_stack_is_always_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    null = stack.load("null")

    assert cache.unsupported(null) is None
    assert cache.build(null, silent) == cache.python_of(null) == Path(sys.executable)
