"""The real guest, started as a launch starts it, with a user's model and no framework."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from cnnbench.errors import ProbeError
from cnnbench.link import bundle, environment
from cnnbench.link.conversation import Conversation
from cnnbench.link.process import Process
from cnnbench.probe import wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE = 20.0  # far more than any of these needs

MODEL = """
import ctypes, os, sys, time

def build(keras, shape, classes):
    image = keras.layers.Input(shape=shape)
    x = keras.layers.Dense(classes)(keras.layers.Flatten()(image))
    model = keras.models.Model(inputs=image, outputs=x)
    {body}
    return model
"""


class StartGuest(Protocol):
    def __call__(self, body: str = "pass") -> Process:
        """Start a guest and boot it with a model whose `build` runs these lines."""


def boot(model: Path) -> wire.Boot:
    case: dict[str, Any] = {
        "stack": "null",
        "model": "own",
        "dataset": "synthetic-32",
        "method": "train_on_batch",
        "data_format": "channels_last",
        "batch_size": 32,
        "precision": "float32",
        "device": "cpu",
        "augment": False,
        "threads": 1,
        "devices": 1,
    }
    return wire.Boot(
        version=wire.VERSION,
        case=case,
        backend="null",
        seed=1,
        threads=1,
        data=None,
        model_file=str(model),
        dataset_file=None,
        proof=None,
        ordered=False,
    )


def command(folder: Path) -> list[str]:
    return [sys.executable, "-I", "-B", str(bundle.build(folder))]


def variables(folder: Path) -> dict[str, str]:
    return environment.variables(home=folder, backend="null", device="cpu", threads=1, stack={})


def write_model(folder: Path, body: str) -> Path:
    path = folder / "own_model.py"
    path.write_text(MODEL.format(body="\n    ".join(body.strip().splitlines())))
    return path


@pytest.fixture
def start_guest(tmp_path: Path) -> StartGuest:
    """Starts guests in `tmp_path`, whose standard error is in its file `log`."""

    def start(body: str = "pass") -> Process:
        process = Process(command(tmp_path), variables(tmp_path), tmp_path, tmp_path / "log")
        Conversation(process, PATIENCE).tell(boot(write_model(tmp_path, body)))
        return process

    return start


def whole_life(process: Process, *steps: int) -> list[Any]:
    """Everything that a guest says that is asked for windows of so many steps."""
    conversation = Conversation(process, PATIENCE)
    said = list(conversation.until(wire.Compiled))
    assert isinstance(said[-1], wire.Compiled), said[-1].traceback
    for count in steps:
        conversation.tell(wire.Measure(count))
        said += conversation.until(wire.Window)
    conversation.tell(wire.Finish())
    return [*said, *conversation.until(wire.Finished)]


def test_a_guest_lives_a_whole_case_and_ends_well(start_guest: StartGuest) -> None:
    with start_guest() as process:
        said = whole_life(process, 1, 312, 1)

    windows = [message for message in said if isinstance(message, wire.Window)]
    assert [window.images for window in windows] == [32, 9968, 32]  # 312 x 32 + 16 are a pass
    assert isinstance(said[-1], wire.Finished)
    assert process._popen.returncode == 0


NOISE = r"""
print("noise of Python")
sys.stdout.write("noise of stdout\n")
os.write(1, b"noise of a descriptor\n")
libc = ctypes.CDLL(None)
libc.puts(b"noise of C")
libc.fflush(None)
os.system("echo noise of a child")
assert sys.stdin.read() == ""
"""


def test_noise_on_the_standard_output_lands_in_the_log(
    start_guest: StartGuest, tmp_path: Path
) -> None:
    with start_guest(NOISE) as process:
        said = whole_life(process, 1, 2)

    assert isinstance(said[-1], wire.Finished), said[-1]
    log = (tmp_path / "log").read_text()
    for source in ("Python", "stdout", "a descriptor", "C", "a child"):
        assert f"noise of {source}\n" in log


def test_a_model_that_kills_its_process_is_told_by_the_signal(start_guest: StartGuest) -> None:
    with pytest.raises(ProbeError) as caught, start_guest("os.kill(os.getpid(), 11)") as process:
        whole_life(process)
    assert (caught.value.kind, str(caught.value)) == ("killed", "the guest was killed by SIGSEGV")


def test_a_model_that_exits_is_told_by_the_status(start_guest: StartGuest) -> None:
    with pytest.raises(ProbeError) as caught, start_guest("sys.exit(5)") as process:
        whole_life(process)
    assert (caught.value.kind, str(caught.value)) == (
        "died",
        "the guest ended early with status 5",
    )


HOST = """
import json, sys, time
from pathlib import Path
from cnnbench.link.process import Process
folder, command, variables, lines = json.loads(sys.argv[1])
process = Process(command, variables, Path(folder), Path(folder, "log"))
for line in lines:
    process.write(line)
print(process.pid, flush=True)
time.sleep(60)
"""
ENDLESS = """
def step(x, y):
    open("in_step", "w").close()
    while True: pass
model.train_on_batch = step
"""


def test_a_guest_leaves_in_the_midst_of_a_step_when_its_host_is_killed(
    tmp_path: Path, eventually: Callable[..., bool], is_gone: Callable[[int], bool]
) -> None:
    lines = [
        wire.encode(boot(write_model(tmp_path, ENDLESS))),
        wire.encode(wire.Measure(1)),
    ]
    order = json.dumps([str(tmp_path), command(tmp_path), variables(tmp_path), lines])
    with subprocess.Popen([sys.executable, "-c", HOST, order], stdout=subprocess.PIPE) as host:
        assert host.stdout
        guest = int(host.stdout.readline())
        try:
            assert eventually((tmp_path / "in_step").exists, PATIENCE), (
                tmp_path / "log"
            ).read_text()
            assert not is_gone(guest)

            host.kill()

            assert eventually(lambda: is_gone(guest))
        finally:
            host.kill()
            if not is_gone(guest):
                os.kill(guest, signal.SIGKILL)
