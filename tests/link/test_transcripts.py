"""Whole conversations, one story a file: what the host says to a guest, and what becomes of it.

A line of a transcript is what the `host` says, what the `guest` says (text if it is no JSON), or,
at the end, what the launch `becomes`; in the order in which the host writes and reads. A change of
the protocol changes these files.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cnnbench import launch, redact
from cnnbench.case import Budget, Case
from cnnbench.envs import stack
from cnnbench.machine import conditions
from cnnbench.prepare import Ready
from cnnbench.probe import wire
from cnnbench.record import Launch

if TYPE_CHECKING:
    from cnnbench import events

STORIES = sorted(Path(__file__).parent.glob("transcripts/*.jsonl"))
CASE = Case(
    stack="null", model="simple-cnn", dataset="synthetic-32", method="fit", batch_size=32, threads=1
)
BUDGET = Budget(
    precision=0.1,
    launches=(1, 1),
    warmup_seconds=0.0,
    warmup_windows=1,
    windows=(2, 2),
    window_seconds=0.05,
    case_seconds=60.0,
)


class ScriptedLine:
    """A guest that says what stands in a transcript, if it is told what stands there."""

    pid = 0

    def __init__(self, script: list[dict[str, Any]]) -> None:
        self.left = script

    def write(self, line: str) -> None:
        assert self.left.pop(0) == {"host": json.loads(line)}

    def read(self, seconds: float) -> str:
        assert seconds == BUDGET.silence_seconds
        assert self.left, "the host waits for more than the transcript has"
        said = self.left.pop(0)
        assert set(said) == {"guest"}, f"the host waits, but should say {said}"
        text = said["guest"]
        return text if isinstance(text, str) else json.dumps(text)


def told(story: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in story.read_text().splitlines()]


def replayed(line: ScriptedLine, monkeypatch: pytest.MonkeyPatch) -> tuple[Launch, list[Any]]:
    """The launch that comes of it, and the events on the way."""
    monkeypatch.setattr(launch, "start", lambda *_: contextlib.nullcontext(line))
    monkeypatch.setattr(conditions, "conditions", lambda *_: {})
    monkeypatch.setattr(redact, "here", lambda: redact.Identity(home="", user="", host=""))
    case = replace(CASE, **line.left[0]["host"]["case"])
    ready = Ready(
        case=case,
        stack=stack.load("null"),
        python=Path("python"),
        data=None,
        model_file=None,
        dataset_file=None,
    )
    head = Launch(
        id="launch",
        campaign="campaign",
        case=case,
        number=1,
        seed=7,
        stack_fingerprint="",
        probe_digest="",
        started_at="2018-05-01T12:00:00Z",
        machine={},
    )
    seen: list[events.Event] = []
    living = launch.live(ready, head, BUDGET)
    while True:
        try:
            seen.append(next(living))
        except StopIteration as stop:
            return stop.value, seen


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.stem)
def test_a_conversation_becomes_what_its_transcript_says(
    story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    *script, end = told(story)
    line = ScriptedLine(script)

    ended, _ = replayed(line, monkeypatch)

    assert line.left == [], "the host left before the end"
    failure = None if ended.failure is None else asdict(ended.failure)
    if failure is not None:
        assert failure.pop("log_tail") == ""
    assert {
        "stages": ended.stages,
        "facts": ended.facts,
        "windows": [asdict(window) for window in ended.windows],
        "failure": failure,
    } == end["becomes"]


def test_stages_and_windows_are_told_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    ok = Path(__file__).parent / "transcripts" / "ok.jsonl"

    ended, seen = replayed(ScriptedLine(told(ok)[:-1]), monkeypatch)

    stages = [event.stage for event in seen if type(event).__name__ == "StageEntered"]
    windows = [event.window for event in seen if type(event).__name__ == "WindowTimed"]
    assert stages[:4] == ["import", "data", "build", "compile"]
    assert stages[4:] == ["first step", "training"]
    assert tuple(windows) == ended.windows


def test_the_transcripts_speak_every_message_in_full() -> None:
    spoken: dict[str, set[str]] = {}
    proofs = (Path(__file__).parents[1] / "verification" / "transcripts").glob("*.jsonl")
    for story in (*STORIES, *proofs):
        for line in told(story):
            message = line.get("host", line.get("guest"))
            if isinstance(message, dict) and message["type"] in wire.MESSAGES:
                spoken.setdefault(message["type"], set(message) - {"type"})

    assert spoken == {name: set(kind._fields) for name, kind in wire.MESSAGES.items()}


def test_a_transcript_of_today_is_of_this_version() -> None:
    for story in STORIES:
        assert told(story)[0]["host"]["version"] == wire.VERSION
