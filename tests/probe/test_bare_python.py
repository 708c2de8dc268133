"""The guest on the oldest Python that a stack has, without any package."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cnnbench.envs import interpreters
from cnnbench.link import bundle, environment
from cnnbench.link.conversation import Conversation
from cnnbench.link.process import Process
from cnnbench.probe import wire

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST = "3.6"
FOLDER = Path(__file__).parent
UNITTESTS = sorted(
    path.stem for path in FOLDER.glob("test_*.py") if "import unittest\n" in path.read_text()
)


@pytest.fixture(scope="module")
def bare() -> Path:
    """A Python 3.6."""
    found = interpreters.find(OLDEST)
    if found is None:
        pytest.skip(f"the guest is NOT tested on its oldest Python: {interpreters.remedy(OLDEST)}")
    return found


@pytest.fixture
def conversation(bare: Path, tmp_path: Path) -> Iterator[Conversation]:
    """With the real guest, started as a launch starts it."""
    variables = environment.variables(
        home=tmp_path, backend="null", device="cpu", threads=1, stack={}
    )
    command = [str(bare), "-I", "-B", str(bundle.build(tmp_path))]
    with Process(command, variables, tmp_path, tmp_path / "log") as process:
        yield Conversation(process, 20.0)
        if process._popen.poll() is None:  # so that no test waits for a guest that is not done
            process._popen.kill()


def boot(**changes: Any) -> wire.Boot:
    case = {
        "stack": "null",
        "model": "simple-cnn",
        "dataset": "synthetic-32",
        "method": "fit",
        "data_format": "channels_last",
        "batch_size": 32,
        "precision": "float32",
        "device": "cpu",
        "augment": False,
        "threads": 1,
        "devices": 1,
    }
    order = wire.Boot(
        version=wire.VERSION,
        case=case,
        backend="null",
        seed=1,
        threads=1,
        data=None,
        model_file=None,
        dataset_file=None,
        proof=None,
        ordered=False,
    )
    return order._replace(**changes)


def test_the_guests_own_tests_pass_on_it(bare: Path) -> None:
    assert "test_guest" in UNITTESTS

    done = subprocess.run(
        [bare, "-B", "-m", "unittest", *UNITTESTS],
        cwd=FOLDER,
        env={"LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "\nOK" in done.stderr


def test_the_guest_boots_on_it_and_tells_what_is_missing(conversation: Conversation) -> None:
    conversation.tell(boot())

    said = list(conversation.until(wire.Built))

    assert said[:1] == [wire.Stage("import")]
    assert said[1].facts["backend"] == "null"
    assert said[1].facts["threads"] == 1
    if isinstance(said[-1], wire.Failed):  # as it should on a Python without packages
        assert said[-1][:2] == ("data", "error")
        assert said[-1].message == "ModuleNotFoundError: No module named 'numpy'"
    else:
        assert said[-1].parameters == 1250858


def test_the_guest_refuses_a_newer_host_on_it(conversation: Conversation) -> None:
    conversation.tell(boot(version=wire.VERSION + 1))

    assert conversation.hear().stage == "boot"
