"""How long launches will take, said before they begin: from earlier ones, else from arithmetic."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from cnnbench import catalog, plan, stopping
from cnnbench.probe.backends import _null_keras as shapes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cnnbench.case import Budget, Case
    from cnnbench.record import Facts, Launch

# A training step is one pass forward and about two back, of a multiply and an addition each.
FLOP_OF_A_MAC = 6

# What the slower stacks reach on a CPU core of these years; a guess, and told as one.
FLOP_PER_SECOND_OF_A_CPU = 15e9
SECONDS_TO_BEGIN = 15.0


def launch_seconds(
    case: Case, budget: Budget, earlier: Sequence[Launch], machine: Facts
) -> float | None:
    """Seconds that a launch of a case will take, about.

    Args:
        case: What is to be measured.
        budget: For how long.
        earlier: Launches of the same case on this machine.
        machine: Facts of this host.

    Returns:
        None where nothing is known: the user's own model or data, or a GPU that never ran it.
    """
    if case.until is not None:
        return _median_seconds(earlier)
    steps = [w.seconds / w.steps for launch in earlier for w in launch.steady]
    if not steps:
        guessed = _guessed_step(case, machine)
        return guessed and SECONDS_TO_BEGIN + plan.launch_seconds(guessed, budget)
    begin = statistics.median(sum(launch.stages.values()) for launch in earlier if launch.steady)
    wanted = stopping.windows_wanted(earlier, budget)
    return begin + plan.launch_seconds(statistics.median(steps), budget, wanted)


def macs(case: Case) -> int | None:
    """Multiply-accumulates forward for one image of a case; None for the user's own files."""
    if case.model not in catalog.names("models") or case.dataset not in catalog.names("datasets"):
        return None
    dataset = catalog.module("datasets", case.dataset)
    keras = shapes.Keras("channels_last", "float32", lambda _: None)
    model = catalog.module("models", case.model).build(keras, dataset.SHAPE, dataset.CLASSES)
    return int(model.count_macs())


def left(known: Mapping[Case, float | None], done: Mapping[Case, int], budget: Budget) -> float:
    """Seconds until all is measured, at least, of the cases whose length is known.

    Args:
        known: Seconds of a launch of each open case.
        done: Launches that a case has already; none if it is not named.
        budget: Of the campaign.
    """
    lengths = {case: seconds for case, seconds in known.items() if seconds is not None}
    return sum(
        seconds * max(1, plan.launches_foreseen(seconds, budget) - done.get(case, 0))
        for case, seconds in lengths.items()
    )


def _median_seconds(launches: Sequence[Launch]) -> float | None:
    """What launches took that trained to a goal, evaluation left out; None if there are none."""
    took = [
        sum(launch.stages.values()) + sum(window.seconds for window in launch.windows)
        for launch in launches
        if launch.failure is None
    ]
    return statistics.median(took) if took else None


def _guessed_step(case: Case, machine: Facts) -> float | None:
    """Seconds of a training step by arithmetic, on a CPU."""
    work, cpus = macs(case), case.threads or machine.get("cpus_usable")
    if work is None or case.device != "cpu" or not isinstance(cpus, int):
        return None
    return work * FLOP_OF_A_MAC * case.global_batch / (cpus * FLOP_PER_SECOND_OF_A_CPU)
