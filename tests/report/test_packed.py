"""What a page carries of launches and windows is what was measured."""

from __future__ import annotations

import base64
import json
import math
import zlib
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cnnbench.plan import BUDGETS
from cnnbench.record import STEADY, Failure, Launch, Window
from cnnbench.report.page import packed
from cnnbench.report.page.material import Material
from cnnbench.store.exchange import Origin, Recorded
from tests.blank import LAUNCH

SECONDS = st.floats(1e-4, 1e4)
WINDOWS = st.lists(
    st.builds(
        Window,
        index=st.just(0),
        role=st.sampled_from(["first step", "pilot", STEADY]),
        steps=st.integers(1, 1000),
        images=st.integers(1, 100_000),
        seconds=SECONDS,
        started=st.just(0.0),
    ),
    max_size=30,
)


def launch(number: int, windows: list[Window], failure: Failure | None = None) -> Launch:
    timed = tuple(replace(window, index=index) for index, window in enumerate(windows))
    return replace(LAUNCH, id=f"l{number}", number=number, windows=timed, failure=failure)


def material(*launches: Launch) -> Material:
    origin = Origin(suite="s", budget=BUDGETS["quick"], machine={})
    return Material(recorded=Recorded(campaigns={"c": origin}, launches=launches))


def spread(runs: list[list[Any]]) -> list[Any]:
    return [value for value, count in runs for _ in range(count)]


@given(launches=st.lists(WINDOWS, min_size=1, max_size=4))
def test_every_window_comes_back(launches: list[list[Window]]) -> None:
    found, times = packed.launches(
        material(*(launch(number, windows) for number, windows in enumerate(launches, 1)))
    )
    own = [one for result in found for one in result]
    half = len(times) // 2
    assert half == sum(map(len, launches))
    at = 0
    for told, windows in zip(own, launches, strict=True):
        assert spread(told["steps"]) == [window.steps for window in windows]
        assert spread(told["images"]) == [window.images for window in windows]
        for window in windows:
            share = (times[at] * 256 + times[half + at]) / packed.STEPS
            seconds = math.exp(told["low"] + share * (told["high"] - told["low"]))
            assert math.isclose(
                seconds, window.seconds, rel_tol=(told["high"] - told["low"]) / packed.STEPS + 1e-9
            )
            at += 1


def test_a_window_of_a_launch_that_spans_a_factor_of_ten_is_rounded_as_is_said() -> None:
    assert math.log(10) / packed.STEPS / 2 < 0.00004


def test_a_launch_that_failed_says_why_and_one_that_counts_says_nothing() -> None:
    failure = Failure(stage="build", kind="error", message="ValueError: no")
    windows = [Window(index=0, role=STEADY, steps=1, images=100, seconds=1.0, started=0.0)] * 12
    broken, _ = packed.launches(material(launch(1, [], failure)))
    fine, _ = packed.launches(material(launch(1, windows)))
    assert broken[0][0]["why"] == "build: ValueError: no"
    assert broken[0][0]["speed"] is None
    assert fine[0][0]["why"] == ""
    assert fine[0][0]["speed"] == 100.0


@given(value=st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=10))
def test_packed_json_comes_back(value: Any) -> None:
    assert json.loads(zlib.decompress(base64.b64decode(packed.text(value)))) == value
