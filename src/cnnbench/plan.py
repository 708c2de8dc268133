"""How long a launch lasts: all rules of warm-up, window length, and when it has windows enough.

Pure. What a launch is asked next follows from the windows that it has given.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from cnnbench.case import Budget
from cnnbench.record import FIRST_STEP, PILOT, STEADY, WARM_UP, Window
from cnnbench.stats.steady import NO_STEADY_STATE, Steadiness, steadiness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnbench.record import Launch

BUDGETS = {
    "quick": Budget(
        precision=0.10,
        launches=(5, 20),
        warmup_seconds=1.0,
        warmup_windows=2,
        windows=(10, 20),
        window_seconds=0.5,
        case_seconds=90.0,
        margin=0.05,
        blocks=(4, 8),
        disturbance=0.10,
    ),
    "standard": Budget(
        precision=0.03,
        launches=(5, 20),
        warmup_seconds=2.0,
        warmup_windows=3,
        windows=(10, 40),
        window_seconds=0.5,
        case_seconds=1200.0,
        margin=0.02,
        blocks=(5, 20),
        disturbance=0.05,
    ),
    "strict": Budget(
        precision=0.01,
        launches=(6, 40),
        warmup_seconds=5.0,
        warmup_windows=3,
        windows=(20, 60),
        window_seconds=1.0,
        case_seconds=3600.0,
        exclusive=True,
        margin=0.01,
        blocks=(6, 40),
        disturbance=0.02,
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


def next_window(
    windows: Sequence[Window], budget: Budget, wanted: int | None = None
) -> Request | None:
    """What to ask of a launch that has given these windows; None if that is enough.

    First one step alone, which compiles; then pilot windows that grow until the time of a step is
    known; then warm-up, which is discarded; then the windows that may count.

    Args:
        windows: In order.
        budget: What was asked for.
        wanted: Windows that may count; without, the fewest of the budget. Once they are there and
            show no steady state, as many more are asked for.
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
    if not _is_enough([w for w in windows if w.role == STEADY], budget, wanted):
        return Request(STEADY, steps)
    return None


def role(asked: str, window: Window, before: Sequence[Window], batch: int) -> str:
    """What a window is good for: what it was asked for, or warm-up if something began in it.

    The last batch of a pass may be smaller than the others. XLA compiles for each size of batch,
    which took 11 s of a window of half a second where that was seen first; nobody pays it again.

    Args:
        asked: The role that it was asked for.
        window: That was given.
        before: Those before it.
        batch: Images in a step of all devices.
    """
    begins = _has_small_batch(window, batch) and not any(_has_small_batch(w, batch) for w in before)
    return WARM_UP if asked == STEADY and begins else asked


def judged(steady: Sequence[Window], budget: Budget, *, fewest: int = 1) -> Steadiness:
    """Where the windows that may count are steady, by what matters to the budget.

    Args:
        steady: The windows, in order.
        budget: What was asked for.
        fewest: Windows that must be steady.
    """
    return steadiness(log_speeds(steady), math.log1p(budget.precision), fewest)


def log_speeds(windows: Sequence[Window]) -> list[float]:
    """The logarithm of each window's images per second."""
    return [math.log(max(w.images, 1) / max(w.seconds, 1e-9)) for w in windows]


def launch_seconds(step_seconds: float, budget: Budget, wanted: int | None = None) -> float:
    """What a launch trains for, in seconds, if every step takes `step_seconds`.

    Args:
        step_seconds: Of each.
        budget: How long to measure.
        wanted: Windows that may count; without, the fewest of the budget.
    """
    windows: list[Window] = []
    while (request := next_window(windows, budget, wanted)) is not None:
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
    in_time = max(1, math.ceil(budget.case_seconds / max(seconds, 1e-9)))
    return min(budget.launches[0], in_time)


def is_short(windows: Sequence[Window]) -> bool:
    """Whether windows are single steps so long that few of them had to do."""
    return any(w.role == STEADY and _is_long_step(w) for w in windows)


def speed(launch: Launch) -> float | None:
    """Images per second over the steady windows of a launch: a ratio of sums."""
    seconds = sum(window.seconds for window in launch.steady)
    images = sum(window.images for window in launch.steady)
    return images / seconds if seconds > 0 else None


def _has_small_batch(window: Window, batch: int) -> bool:
    return window.images < window.steps * batch


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


def _is_enough(steady: Sequence[Window], budget: Budget, wanted: int | None) -> bool:
    if not steady:
        return False
    if _is_long_step(steady[-1]):
        return len(steady) >= LONG_STEP_WINDOWS
    wanted = wanted or budget.windows[0]
    if len(steady) < wanted:
        return False
    if len(steady) >= 2 * wanted:
        return True
    fewest = min(wanted, budget.windows[0])
    return judged(steady[:wanted], budget, fewest=fewest).kind != NO_STEADY_STATE
