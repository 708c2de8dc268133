"""Work that was not done, or not asked for, is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnnbench.probe.wire import Described, Window
from cnnbench.verification.audit import faults, left_out

DESCRIBED = Described(
    weights=[["kernel", [3]]],
    shape=[8, 8, 3],
    classes=10,
    batch=4,
    macs=1000,
    optimizer="adam",
    settings={},
)
FACTS = {"macs": 1000, "backend": "tensorflow"}
STEPS = (1, 1, 1, 2)


def windows() -> list[Window]:
    return [
        Window(steps=n, images=4 * n, seconds=0.1 * n, started=0.0, fence=0.0, loss=1.0)
        for n in STEPS
    ]


def seen(**changed: Any) -> dict[str, Any]:
    """What an honest guest counts; Keras goes forward once more before the first step."""
    found: dict[str, Any] = {
        "weights/1/0": np.zeros(3, np.float32),
        "velocity/1/0": np.zeros(3, np.float32),
    }
    for number in range(1, len(STEPS) + 1):
        steps = sum(STEPS[:number])
        found |= {
            f"passes/{number}": steps + 1,
            f"images/{number}": 4 * steps + 4,
            f"calls/{number}": 2,
            f"unfinished_seconds/{number}": 0.0,
        }
    return found | changed


def told(counted: dict[str, Any], facts: dict[str, Any] = FACTS) -> list[str]:
    return list(faults(DESCRIBED, windows(), counted, facts))


def test_a_step_that_float16_left_out_is_known_by_the_scale_that_fell() -> None:
    kept, fallen = np.float32(1024), np.float32(512)
    assert left_out(seen()) is None
    assert left_out({"scale/1/0": kept, "scale/2/0": kept}) is None
    assert left_out({"scale/1/0": kept, "scale/2/0": fallen}) == 2
    assert left_out({"scale/1/0": fallen, "scale/2/0": fallen}) == 1


def test_honest_work_has_no_fault() -> None:
    assert told(seen()) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"passes/3": 6}, "1 steps went forward 3 times"),
        ({"images/4": 23}, "2 steps went forward with 7 images, not 8"),
        ({"calls/3": 3, "calls/4": 4}, "not compiled"),
        ({f"unfinished_seconds/{n}": 0.06 for n in (2, 3, 4)}, "before its work was done"),
        ({"weights/1/0": np.zeros(3, np.float16)}, "weights are kept in float16"),
        ({"weights/1/0": np.zeros(4, np.float32)}, "other shapes than the 1 of the reference"),
        ({"velocity/1/1": np.zeros(3, np.float32)}, "2 weights are trained, not 1"),
    ],
)
def test_a_fault_is_named(changed: dict[str, Any], words: str) -> None:
    assert any(words in fault for fault in told(seen(**changed)))


def test_one_slow_reading_is_no_fault() -> None:
    assert told(seen(**{"unfinished_seconds/3": 5.0})) == []


def test_fewer_multiplications_than_the_model_has_are_a_fault() -> None:
    assert any("500 times, not 1,000" in fault for fault in told(seen(), {**FACTS, "macs": 500}))


def test_python_may_call_the_model_in_each_step_where_nothing_is_compiled() -> None:
    eager = seen(**{f"calls/{n}": n for n in (1, 2, 3, 4)})
    assert told(eager, {**FACTS, "backend": "torch"}) == []
