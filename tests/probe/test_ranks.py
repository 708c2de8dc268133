"""Ranks: several processes that the host sees as one guest; here on the null backend."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from cnnbench import probe
from cnnbench.link import environment
from cnnbench.link.conversation import Conversation
from cnnbench.link.process import Process
from cnnbench.probe import ranks, wire

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 30.0  # far more than any of these needs
GUEST = """
import sys
sys.path.insert(0, {folder!r})
from probe.__main__ import main
from probe.backends import null
null.RANKS = True
main()
"""
MODEL = """
import os
RANK = int(os.environ.get("CNNBENCH_RANK", "0"))

def build(keras, shape, classes):
    image = keras.layers.Input(shape=shape)
    model = keras.models.Model(inputs=image, outputs=keras.layers.Flatten()(image))
    train = model.train_on_batch
    def step(x, y):
        {step}
        return train(x, y)
    model.train_on_batch = step
    return model
"""


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., Process]:
    """Starts a guest of so many ranks, with a model whose steps begin with a line of code."""

    def run(step: str = "pass", devices: int = 2) -> Process:
        guest = tmp_path / "guest.py"
        guest.write_text(GUEST.format(folder=str(Path(probe.__file__).parents[1])))
        model = tmp_path / "own_model.py"
        model.write_text(MODEL.format(step=step))
        variables = environment.variables(
            home=tmp_path, backend="null", device="cpu", threads=1, stack={}
        )
        command = [sys.executable, "-I", "-B", str(guest)]
        process = Process(command, variables, tmp_path, tmp_path / "log")
        Conversation(process, PATIENCE).tell(boot(model, devices))
        return process

    return run


def boot(model: Path, devices: int) -> wire.Boot:
    case: dict[str, Any] = {
        "dataset": "synthetic-32",
        "method": "train_on_batch",
        "data_format": "channels_last",
        "batch_size": 4,
        "precision": "float32",
        "device": "cpu",
        "augment": False,
        "devices": devices,
    }
    return wire.Boot(wire.VERSION, case, "null", 1, 1, None, str(model), None, None, ordered=False)


def life(process: Process, *steps: int) -> list[Any]:
    """What the host hears, up to the end or a failure."""
    conversation = Conversation(process, PATIENCE)
    said = list(conversation.until(wire.Compiled))
    asked = [(wire.Measure(count), wire.Window) for count in steps]
    for request, answer in [*asked, (wire.Finish(), wire.Finished)]:
        if isinstance(said[-1], wire.Failed):
            break
        conversation.tell(request)
        said += conversation.until(answer)
    return said


def others(process: Process) -> list[psutil.Process]:
    return psutil.Process(process.pid).children()


def test_ranks_are_heard_as_one_guest(start: Any) -> None:
    with start(devices=3) as process:
        said = life(process, 1, 5)
    kinds = [type(message).__name__ for message in said]

    assert [kind for kind in kinds if kind != "Stage"] == [
        *("Booted", "Loaded", "Built", "Compiled", "Window", "Window", "Finished")
    ], said[-1]
    assert kinds.count("Stage") == 5
    assert [m.images for m in said if isinstance(m, wire.Window)] == [12, 60]
    assert process._popen.returncode == 0


def test_each_rank_trains_on_its_own_part_of_a_batch(start: Any, tmp_path: Path) -> None:
    see = f"open({str(tmp_path / 'seen')!r} + str(RANK), 'ab').write(x.tobytes())"
    with start(see) as process:
        life(process, 2)
    first, second = ((tmp_path / f"seen{rank}").read_bytes() for rank in range(2))

    assert len(first) == len(second) == 2 * 4 * 32 * 32 * 3 * 4
    assert first != second


def test_the_loss_is_the_mean_over_ranks(start: Any) -> None:
    with start("return [float(RANK), 0.0]", devices=3) as process:
        said = life(process, 1)

    assert [m.loss for m in said if isinstance(m, wire.Window)] == [1.0]


def test_memory_is_the_sum_over_ranks() -> None:
    said = [wire.Finished({"peak_memory_bytes": n, "convolutions_in": "none"}) for n in (3, 4)]

    assert ranks._together(said).facts == {"peak_memory_bytes": 7, "convolutions_in": "none"}


@pytest.mark.parametrize(
    ("step", "stage", "reason"),
    [
        ("RANK and os.kill(os.getpid(), 9)", "training", "device 1 was killed by signal 9"),
        ("RANK and os._exit(7)", "training", "device 1 ended with status 7"),
        ("if RANK: raise ValueError('no more')", "training", "ValueError: no more"),
        ("if not RANK: raise ValueError('of the first')", "training", "ValueError: of the first"),
    ],
)
def test_a_rank_that_goes_ends_the_launch_with_its_reason(
    start: Any, step: str, stage: str, reason: str
) -> None:
    with start(step) as process:
        failed = life(process, 1)[-1]

    assert isinstance(failed, wire.Failed)
    assert failed.stage == stage
    assert reason in failed.message


def test_a_rank_that_dies_is_the_cause_of_what_fails_in_the_first(start: Any) -> None:
    step = "RANK and os.kill(os.getpid(), 9); raise ConnectionError('peer is gone')"
    with start(step) as process:
        failed = life(process, 1)[-1]

    assert failed.message == "the process of device 1 was killed by signal 9"


def test_the_other_ranks_go_when_the_first_is_killed(start: Any) -> None:
    with contextlib.ExitStack() as stack:
        process = stack.enter_context(start("while True: pass", devices=3))
        conversation = Conversation(process, PATIENCE)
        list(conversation.until(wire.Compiled))
        conversation.tell(wire.Measure(1))
        rest = others(process)
        assert len(rest) == 2

        psutil.Process(process.pid).kill()

        deadline = time.monotonic() + PATIENCE
        while any(_lives(other) for other in rest) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not any(_lives(other) for other in rest)


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
