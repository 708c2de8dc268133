"""What a launch is good for: where it is steady, and whether anything disturbed it."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from cnnbench import plan
from cnnbench.disturbance import disturbances
from cnnbench.record import STEADY, WARM_UP
from cnnbench.stats.steady import NO_STEADY_STATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cnnbench.case import Budget
    from cnnbench.record import Launch

    Value = Callable[[Launch], float | None]

UNPROVEN = "unproven"
PROVABLE = 10  # windows, below which nothing is proven of a launch's steadiness


class Judgement(NamedTuple):
    """A launch as it may be used.

    Attributes:
        launch: Its windows before the steady state are called warm-up, so that no mean has them;
            all are left as they are if there is none.
        kind: A class of `stats.steady`, or `unproven` for a launch of few windows.
        outliers: Windows that are far off their neighbours; they count.
        disturbances: Why it does not count; empty if it does.
    """

    launch: Launch
    kind: str
    outliers: int
    disturbances: tuple[str, ...]

    @property
    def counts(self) -> bool:
        """Whether its speed is one: nothing disturbed it, and it became steady."""
        return not self.disturbances and self.kind != NO_STEADY_STATE


def judge(launch: Launch, budget: Budget) -> Judgement:
    """Judge a launch that did not fail, by what matters to a budget."""
    steady = launch.steady
    fewest = min(budget.windows[0], len(steady))
    kind, start, outliers = plan.judged(steady, budget, fewest=fewest)
    if kind == NO_STEADY_STATE:
        start = 0  # what does not count may still be told
    elif len(steady) < PROVABLE:
        kind, start = UNPROVEN, 0
    early = {window.index for window in steady[:start]}
    windows = tuple(
        replace(window, role=WARM_UP) if window.role == STEADY and window.index in early else window
        for window in launch.windows
    )
    return Judgement(
        launch=replace(launch, windows=windows) if early else launch,
        kind=kind,
        outliers=len(outliers),
        disturbances=disturbances(launch.facts, budget),
    )


def counting(judgements: Iterable[Judgement]) -> list[Launch]:
    """The launches that count, as they may be used."""
    return [judgement.launch for judgement in judgements if judgement.counts]


def measured(launches: Iterable[Launch], budget: Budget, value: Value) -> list[dict[str, float]]:
    """Logarithms of a value by arm, of each block, of the launches that count.

    Args:
        launches: Of arms that met in blocks; the pilot block counts for nothing.
        budget: That they were measured with.
        value: Of a launch that counts; None or 0 where it has none.
    """
    blocks: dict[int, dict[str, float]] = defaultdict(dict)
    for one in launches:
        if one.failure is None and one.block:
            goal = one.case.until is not None
            for launch in [one] if goal else counting([judge(one, budget)]):
                if found := value(launch):
                    blocks[one.block][one.arm] = math.log(found)
    return [block for _, block in sorted(blocks.items())]
