"""How long to measure: all rules of warm-up, window length, and when enough is enough.

Pure. What a launch is asked next follows from the windows that it has given, and whether a case
needs another launch from the speeds of those it had.
"""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, NamedTuple

from cnnbench.case import Budget
from cnnbench.record import FIRST_STEP, PILOT, STEADY, WARM_UP, Window
from cnnbench.stats.interval import relative_half_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnbench.record import Launch

BUDGETS = {
    "quick": Budget(
        precision=0.10,
        launches=(3, 4),
        warmup_seconds=1.0,
        warmup_windows=2,
        windows=(5, 10),
        window_seconds=0.5,
        case_seconds=45.0,
    ),
    "standard": Budget(
        precision=0.03,
        launches=(3, 10),
        warmup_seconds=3.0,
        warmup_windows=3,
        windows=(10, 30),
        window_seconds=0.5,
        case_seconds=1200.0,
    ),
    "strict": Budget(
        precision=0.01,
        launches=(5, 30),
        warmup_seconds=5.0,
        warmup_windows=3,
        windows=(20, 60),
        window_seconds=1.0,
        case_seconds=3600.0,
        exclusive=True,
    ),
}

LONG_STEP_SECONDS = 5.0
LONG_STEP_WINDOWS = 3
FENCES_IN_A_WINDOW = 200
PILOT_GROWTH = 8
REPAIRS = 5  # warm-up windows more, at most, until windows are long enough


class Request(NamedTuple):
    """The next window of a launch."""

    role: str
    steps: int


def next_window(windows: Sequence[Window], budget: Budget) -> Request | None:
    """What to ask of a launch that has given these windows; None if that is enough.

    First one step alone, which compiles; then pilot windows that grow until the time of a step is
    known; then warm-up, which is discarded; then the windows that count.
    """
    if not windows:
        return Request(FIRST_STEP, 1)
    last = windows[-1]
    if last.role in (FIRST_STEP, PILOT) and not _is_pilot_long_enough(last, budget):
        return Request(PILOT, _pilot_steps(last, budget))
    steps = last.steps
    if last.role == PILOT or (last.role == WARM_UP and _is_brief(last, budget)):
        steps = _window_steps(last, budget)
    if not _is_warm(windows, budget):
        return Request(WARM_UP, steps)
    if not _is_enough([w for w in windows if w.role == STEADY], budget):
        return Request(STEADY, steps)
    return None


def launch_seconds(step_seconds: float, budget: Budget) -> float:
    """What a launch trains for, in seconds, if every step takes `step_seconds`."""
    windows: list[Window] = []
    while (request := next_window(windows, budget)) is not None:
        windows.append(
            Window(
                index=len(windows),
                role=request.role,
                steps=request.steps,
                images=request.steps,
                seconds=request.steps * step_seconds,
                started=0.0,
            )
        )
    return sum(window.seconds for window in windows)


def launches_foreseen(seconds: float, budget: Budget) -> int:
    """Launches of a case, at least, if each takes so many seconds."""
    return min(budget.launches[0], max(1, math.ceil(budget.case_seconds / max(seconds, 1e-9))))


def is_short(windows: Sequence[Window]) -> bool:
    """Whether windows are single steps so long that few of them had to do."""
    return any(w.role == STEADY and _is_long_step(w) for w in windows)


def speed(launch: Launch) -> float | None:
    """Images per second over the steady windows of a launch: a ratio of sums."""
    seconds = sum(window.seconds for window in launch.steady)
    images = sum(window.images for window in launch.steady)
    return images / seconds if seconds > 0 else None


def needs_launch(speeds: Sequence[float], spent_seconds: float, budget: Budget) -> bool:
    """Whether a case with these launches should get another.

    Args:
        speeds: Images per second of each launch.
        spent_seconds: On this case so far.
        budget: What was asked for.
    """
    fewest, most = budget.launches
    if len(speeds) >= most or (speeds and spent_seconds >= budget.case_seconds):
        return False
    return len(speeds) < fewest or not is_precise(speeds, budget)


def is_precise(speeds: Sequence[float], budget: Budget) -> bool:
    """Whether the interval across launches is as narrow as the budget asks."""
    width = relative_half_width(speeds, budget.confidence)
    return width is not None and width <= budget.precision


def _is_long_step(window: Window) -> bool:
    return window.seconds / window.steps > LONG_STEP_SECONDS


def _is_pilot_long_enough(window: Window, budget: Budget) -> bool:
    if window.role == FIRST_STEP:
        return False
    return window.seconds >= budget.window_seconds / 2


def _pilot_steps(last: Window, budget: Budget) -> int:
    if last.role == FIRST_STEP:
        return 1  # the first step was slow for reasons of its own
    wanted = last.steps * budget.window_seconds / max(last.seconds, 1e-9)
    return max(last.steps + 1, min(math.ceil(wanted), last.steps * PILOT_GROWTH))


def _window_steps(window: Window, budget: Budget) -> int:
    """As many steps as the shortest window needs, and a tenth more for windows that are faster."""
    return math.ceil(1.1 * _shortest(window, budget) / (window.seconds / window.steps))


def _is_warm(windows: Sequence[Window], budget: Budget) -> bool:
    if _is_long_step(windows[-1]) or windows[-1].role == STEADY:
        return True  # of a long step, the pilot was the warm-up
    warm = [w for w in windows if w.role == WARM_UP]
    spent = sum(w.seconds for w in warm)
    if len(warm) < budget.warmup_windows or spent < budget.warmup_seconds:
        return False
    return not _is_brief(windows[-1], budget) or len(warm) >= budget.warmup_windows + REPAIRS


def _is_brief(window: Window, budget: Budget) -> bool:
    """Whether a window is shorter than one may be."""
    return window.seconds < _shortest(window, budget)


def _shortest(window: Window, budget: Budget) -> float:
    """Seconds of the shortest window; a fence may be 1/200 of it at most."""
    return max(budget.window_seconds, FENCES_IN_A_WINDOW * window.fence)


def _is_enough(steady: Sequence[Window], budget: Budget) -> bool:
    if not steady:
        return False
    if _is_long_step(steady[-1]):
        return len(steady) >= LONG_STEP_WINDOWS
    fewest, most = budget.windows
    if len(steady) >= most:
        return True
    if len(steady) < max(fewest, 2):  # a single window has no spread
        return False
    speeds = [w.images / w.seconds for w in steady]
    error = statistics.stdev(speeds) / math.sqrt(len(speeds)) / statistics.mean(speeds)
    # A launch need not be known better than a quarter of what the case must be.
    return error <= budget.precision / 4
