"""What a canary showed, as findings. Pure.

Where conditions are like those that `doctor.py` looks at, so are the thresholds: about 1 %.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cnnbench.fitness import START_SECONDS
from cnnbench.machine.doctor import Finding
from cnnbench.stats.variance import MOST_GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnbench.fitness import Fitness, Reach

QUIET = 0.01
WINDOWS = 10  # of a launch, over which their noise is averaged
FEW = 8  # processes
BRIEF_MINUTES = 0.9
LONGER = "cnnbench doctor --canary 90"
WIDE = 0.05  # between the fastest process and the slowest
HOUR_MINUTES = 90.0


def findings(found: Fitness, foreign: float | None, steal: float | None) -> Iterator[Finding]:
    """The findings.

    Args:
        found: Of the canary.
        foreign: Share of the CPUs' time that other programs took meanwhile; None if unknown.
        steal: Share of it that the hypervisor kept; None if unknown.
    """
    yield from _others(foreign, steal)
    yield _spread(found)
    yield _drift(found)
    for name, reach in found.reach.items():
        yield _run(name, reach)
        yield _compare(name, reach)


def _others(foreign: float | None, steal: float | None) -> Iterator[Finding]:
    told = ((foreign, "other programs"), (steal, "the hypervisor"))
    parts = [f"{who} took {_percent(share, 1)}" for share, who in told if share is not None]
    if not parts:
        return
    what = f"during the canary {' and '.join(parts)} of the CPUs' time"
    if max(foreign or 0.0, steal or 0.0) < QUIET:
        yield Finding("ok", what)
    else:
        advice = "its noise is theirs too: stop what else runs (see: top), then ask again"
        yield Finding("warning", what, advice)


def _spread(found: Fitness) -> Finding:
    what = (
        f"{found.processes} processes in {found.minutes:.1f} min: windows of"
        f" {found.window_seconds:.2g} s vary by {_percent(found.within, 2)} in a process"
        f" (standard deviation), processes by {_percent(found.between, 2)} beyond that,"
        f" a window against its neighbour by {_percent(found.paired, 2)}"
    )
    if found.processes < FEW:
        return Finding("note", what, f"so few tell little of how processes differ: {LONGER}")
    if math.hypot(found.between, found.within / math.sqrt(WINDOWS)) < QUIET:
        return Finding("ok", what)
    return Finding("note", what, "arms that take turns feel less of it: cnnbench compare")


def _drift(found: Fitness) -> Finding:
    drift = found.drift
    apart = f"the fastest process is {_percent(found.range, 1)} faster than the slowest"
    if found.minutes < BRIEF_MINUTES:
        return Finding("note", f"{apart}; drift takes minutes to be seen", f"ask with {LONGER}")
    what = (
        f"drift {_signed(drift.per_minute)} a minute"
        f" ({_signed(drift.low)} to {_signed(drift.high)}); {apart}"
    )
    goes_on = (drift.low > 0 or drift.high < 0) and abs(drift.per_minute) >= QUIET
    if not goes_on and found.range < WIDE:
        return Finding("ok", what)
    return Finding("note", what, "a longer canary tells whether it goes on: --canary 600")


def _run(name: str, reach: Reach) -> Finding:
    what = (
        f"run --budget {name}: fewest launches give ±{_percent(reach.half_width, 1)};"
        f" ±{_percent(reach.precision, 0)} takes {_many(reach.launches)} launches,"
        f" {_time(reach.run_minutes, reach.launches)} a case"
        f" (a launch taken to start in {START_SECONDS:.0f} s)"
    )
    if reach.launches <= reach.most_launches:
        return Finding("ok", what)
    advice = f"it stops at {reach.most_launches}: expect a wider interval, or compare instead"
    return Finding("note", what, advice)


def _compare(name: str, reach: Reach) -> Finding:
    what = (
        f"compare --budget {name}: a difference of {_percent(reach.margin, 0)} takes at least"
        f" {_many(reach.blocks)} blocks of two arms, {_time(reach.compare_minutes, reach.blocks)}"
    )
    if reach.blocks <= reach.most_blocks:
        return Finding("ok", what)
    advice = f"it stops at {reach.most_blocks}: take a larger --margin, or a quieter machine"
    return Finding("note", what, advice)


def _percent(share: float, digits: int) -> str:
    return f"{100 * share:.{digits}f} %"


def _signed(share: float) -> str:
    return f"{100 * share:+.2f} %"


def _many(count: int) -> str:
    return "thousands of" if count >= MOST_GROUPS else str(count)


def _time(minutes: float, count: int) -> str:
    if count >= MOST_GROUPS:
        return "days"
    return f"{minutes:.1f} min" if minutes < HOUR_MINUTES else f"{minutes / 60:.1f} h"
