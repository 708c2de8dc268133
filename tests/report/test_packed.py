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
    total = sum(map(len, launches))
    assert len(times) == total + (total + 1) // 2
    at = 0
    for told, windows in zip(own, launches, strict=True):
        assert spread(told["steps"]) == [window.steps for window in windows]
        assert spread(told["images"]) == [window.images for window in windows]
        ranges = [
            bounds
            for bounds, (_, n) in zip(told["ranges"], told["roles"], strict=True)
            for _ in range(n)
        ]
        for window, bounds in zip(windows, ranges, strict=True):
            low, high = bounds[0], bounds[-1]
            pair = times[total + at // 2]
            number = times[at] * 16 + (pair & 15 if at % 2 else pair >> 4)
            seconds = low * (high / low) ** (number / packed.STEPS)
            rounded = math.log(high / low) / packed.STEPS + 2 * 10 ** (1 - packed.DIGITS)
            assert math.isclose(seconds, window.seconds, rel_tol=rounded)
            at += 1


def test_windows_that_differ_by_a_tenth_are_rounded_as_is_said() -> None:
    assert math.log(1.1) / packed.STEPS / 2 < 0.000012


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
