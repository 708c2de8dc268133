"""The talk about what a machine can do at best, replayed from a transcript."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cnnbench.diagnosing import gauged
from cnnbench.link.conversation import Conversation
from tests.blank import LAUNCH
from tests.verification.test_referee import ScriptedLine

if TYPE_CHECKING:
    from pathlib import Path


def test_a_machine_is_asked_in_the_precision_of_the_case(tmp_path: Path) -> None:
    line = ScriptedLine(tmp_path, "gauge")
    case = replace(LAUNCH.case, precision="bfloat16", threads=2)

    told = gauged(Conversation(line, 1.0), case)

    assert line.script == []
    assert told.peaks["float32"]["convolution"] == 1e11
    assert told.refused == {"bfloat16": "no such kernel"}
