"""Where a training step's time goes, from experiments that each leave a part of it out. Pure.

Experiments form a chain: the case as it is, then without reading, without Keras' loop, without
waiting for each step, without moving batches. What two neighbours differ by is what the part costs
that the second leaves out, so that all parts sum to the whole by construction. What is left, on
batches that the device has, is split by half the batch: a step of b images takes f + c b seconds,
of which f is of each step (dispatch, Python, the update of weights) and c b of its images.

All is in seconds a step, a difference in each block of fresh processes, with Student's t over
blocks. Parts that overlap in the case as it is cost less there than alone; then the chain says so,
for it compares whole trainings. A part may come out below zero, by noise, or where leaving it out
costs more than it does.

Source: Mohan et al., "Analyzing and Mitigating Data Stalls in DNN Training", VLDB 2021 (stalls by
differences between trainings); Amdahl, AFIPS 1967; Williams, Waterman & Patterson, "Roofline",
CACM 2009.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from cnnbench import catalog, judge, recipes
from cnnbench.case import Arm
from cnnbench.forecast import FLOP_OF_A_MAC
from cnnbench.stats.interval import Interval, arithmetic, geometric

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType

    from cnnbench.case import Budget, Case
    from cnnbench.record import Facts, Launch

SUITE = "diagnose"  # the name of campaigns that diagnose
CONFIDENCE = 0.95
AS_IS = "as is"
CACHED, WAITED, STEPPED, RESIDENT, LOADER = "cached", "waited", "stepped", "resident", "loader"
UNWATCHED, HALF_BATCH, HALF_CPUS = "unwatched", "half the batch", "half the CPUs"
SEVERAL_STEPS = "steps_per_execution"

# How facts of peaks are named: `peak matmul float32`, in FLOP/s; bytes per second of a copy.
PEAK, COPY = "peak ", "peak copy"

WATCHED = ("fit_batch_callback", "fit_progress_bar")

CALLBACKS, INPUT, LOOP, WAITING = "callbacks", "input", "loop", "waiting"
TRANSFER, EACH_STEP, COMPUTE, REST = "transfer", "each step", "compute", "all else"


class Link(NamedTuple):
    """An experiment of the chain, and the part that it leaves out besides those before it."""

    arm: str
    part: str


class Part(NamedTuple):
    """A part of a training step.

    Attributes:
        name: Its own, or those of several that could not be told apart.
        seconds: Of a step.
        share: Of the step's time.
        ceiling: How many times as fast training would be if the part took no time.
    """

    name: str
    seconds: Interval
    share: Interval
    ceiling: Interval


class Effect(NamedTuple):
    """What another way to train gives, as measured.

    Attributes:
        name: Of the arm.
        ratio: Its images/s over those of the case as it is.
        ceiling: What follows for a remedy, at most; None where it is the remedy itself.
    """

    name: str
    ratio: Interval
    ceiling: Interval | None


class Peaks(NamedTuple):
    """What this machine can do at best.

    Attributes:
        operations: FLOP/s by precision and kind (`matmul`, `convolution`).
        bytes_per_second: Of a copy in memory, read and written.
    """

    operations: Mapping[str, Mapping[str, float]]
    bytes_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What is known of a case's step.

    Attributes:
        case: As it is.
        speed: Images per second; None where it could not be measured.
        blocks: That tell of the parts.
        parts: In the order of the chain.
        effects: Of other ways to train.
        flops: Of one image, forward and backward; None where nothing could count them.
        peaks: Of this machine; None where they could not be measured.
        failures: Why an experiment, or the peaks, could not be measured.
    """

    case: Case
    speed: Interval | None
    blocks: int
    parts: tuple[Part, ...]
    effects: tuple[Effect, ...]
    flops: float | None
    peaks: Peaks | None
    failures: Mapping[str, str] = field(default_factory=dict)

    @property
    def achieved(self) -> float | None:
        """FLOP/s of the training as it is."""
        return self.flops * self.speed.point if self.flops and self.speed else None


def chain(case: Case) -> tuple[Link, ...]:
    """The experiments that take a case apart, in order."""
    links = []
    if case.method in WATCHED:
        links.append(Link(UNWATCHED, CALLBACKS))
    if not getattr(_method(case), "FROM_START", False):  # else it cuts batches out of arrays
        links.append(Link(CACHED, INPUT))
    if case.method == "train_on_batch":
        links += [Link(WAITED, LOOP), Link(STEPPED, WAITING)]
    else:
        links.append(Link(STEPPED, LOOP))
    return (*links, Link(RESIDENT, TRANSFER))


def arms(case: Case, backend: str, cpus: int) -> list[Arm]:
    """All that is to be measured of a case, itself first.

    Args:
        case: As it is.
        backend: Of its stack.
        cpus: That it uses.
    """
    found = {AS_IS: case}
    for link in chain(case):
        found[link.arm] = replace(case, experiment=link.arm)
    if UNWATCHED in found:
        found[UNWATCHED] = replace(case, method="fit")
    if case.batch_size > 1:
        half = replace(case, batch_size=case.batch_size // 2)
        found[HALF_BATCH] = replace(half, experiment=RESIDENT)
    if not _method(case).IN_MEMORY and backend != "null":  # whose virtual clock does not read
        found[LOADER] = replace(case, experiment=LOADER)
    if cpus > 1 and case.device == "cpu":
        found[HALF_CPUS] = replace(case, threads=cpus // 2)
    several = replace(case, recipes=tuple(sorted({*case.recipes, SEVERAL_STEPS})))
    if several != case and recipes.refusal(several, backend) is None:
        found[SEVERAL_STEPS] = several
    return [Arm(name=name, case=one) for name, one in found.items()]


def peak_facts(peaks: Peaks) -> dict[str, float]:
    """Peaks as facts of the launches that are held against them."""
    operations = {
        f"{PEAK}{kind} {precision}": value
        for precision, kinds in peaks.operations.items()
        for kind, value in kinds.items()
    }
    return operations | {COPY: peaks.bytes_per_second}


def peaks_of(facts: Facts) -> Peaks | None:
    """The inverse of `peak_facts`; None where a launch has none."""
    copy = facts.get(COPY)
    if not isinstance(copy, int | float):
        return None
    operations: dict[str, dict[str, float]] = {}
    for name, value in facts.items():
        if name.startswith(PEAK) and name != COPY and isinstance(value, int | float):
            kind, precision = name.removeprefix(PEAK).split()
            operations.setdefault(precision, {})[kind] = float(value)
    return Peaks(operations, float(copy))


def concluded(
    case: Case, launches: Sequence[Launch], budget: Budget, unmeasured: Mapping[str, str]
) -> Diagnosis:
    """What launches say.

    Args:
        case: As it is.
        launches: Of it and of experiments, in blocks.
        budget: That they were measured with.
        unmeasured: Why something else could not be measured.
    """
    failures = {one.arm: one.failure.message for one in launches if one.failure}
    counted = (one.facts.get("macs") for one in launches)
    return diagnosed(
        case,
        judge.measured(launches, budget, catalog.module("metrics", "images_per_second").of),
        macs=next((int(macs) for macs in counted if isinstance(macs, int)), None),
        peaks=next((found for one in launches if (found := peaks_of(one.facts))), None),
        failures=failures | dict(unmeasured),
    )


def diagnosed(
    case: Case,
    blocks: Sequence[Mapping[str, float]],
    *,
    macs: int | None = None,
    peaks: Peaks | None = None,
    failures: Mapping[str, str] | None = None,
) -> Diagnosis:
    """What blocks say.

    Args:
        case: As it is.
        blocks: Logarithms of images per second by arm, of each block.
        macs: Multiply-accumulates forward of one image, if they were counted.
        peaks: Of this machine, if they were measured.
        failures: Why an arm could not be measured.
    """
    speeds = [math.exp(block[AS_IS]) for block in blocks if AS_IS in block]
    parts, count = _parts(case, blocks)
    return Diagnosis(
        case=case,
        speed=geometric(speeds, CONFIDENCE) if speeds else None,
        blocks=count,
        parts=parts,
        effects=tuple(_effects(blocks)),
        flops=None if macs is None else float(FLOP_OF_A_MAC * macs),
        peaks=peaks,
        failures=dict(failures or {}),
    )


def _method(case: Case) -> ModuleType:
    return catalog.module("methods", case.method)


def _parts(case: Case, blocks: Sequence[Mapping[str, float]]) -> tuple[tuple[Part, ...], int]:
    """The parts of a step, and in how many blocks all that they need was measured."""
    measured = {name for block in blocks for name in block}
    links = [link for link in chain(case) if link.arm in measured]
    needed = {AS_IS, *(link.arm for link in links)}
    is_split = {RESIDENT, HALF_BATCH} <= measured
    needed |= {HALF_BATCH} if is_split else set()
    whole = [
        {name: _step_seconds(case, name, block[name]) for name in needed}
        for block in blocks
        if needed <= block.keys()
    ]
    if not whole:
        return (), 0
    costs: dict[str, list[float]] = {}
    before, names = AS_IS, list[str]()
    for link in chain(case):
        names.append(link.part)
        if link.arm in measured:
            costs[", ".join(names)] = [step[before] - step[link.arm] for step in whole]
            before, names = link.arm, []
    if is_split:
        of_images = [_of_images(case, step[RESIDENT], step[HALF_BATCH]) for step in whole]
        costs[EACH_STEP] = [s[RESIDENT] - c for s, c in zip(whole, of_images, strict=True)]
        costs[COMPUTE] = of_images
    else:
        costs[", ".join([*names, REST])] = [step[before] for step in whole]
    totals = [step[AS_IS] for step in whole]
    return tuple(_part(name, cost, totals) for name, cost in costs.items()), len(whole)


def _step_seconds(case: Case, arm: str, log_speed: float) -> float:
    """Seconds of a step of an arm that did so many images in a second."""
    images = case.batch_size // 2 if arm == HALF_BATCH else case.batch_size
    return images / math.exp(log_speed)


def _of_images(case: Case, whole: float, half: float) -> float:
    """Seconds that the images of a step take: all that a smaller batch takes less."""
    fewer = case.batch_size - case.batch_size // 2
    return (whole - half) * case.batch_size / fewer


def _part(name: str, costs: Sequence[float], totals: Sequence[float]) -> Part:
    shares = [cost / total for cost, total in zip(costs, totals, strict=True)]
    return Part(
        name=name,
        seconds=arithmetic(costs, CONFIDENCE),
        share=arithmetic(shares, CONFIDENCE),
        ceiling=_without(arithmetic(shares, CONFIDENCE)),
    )


def _without(share: Interval) -> Interval:
    """How many times as fast it is without a share of its time; infinitely, without all."""

    def times(value: float | None) -> float | None:
        if value is None:
            return None
        return 1 / (1 - value) if value < 1 else math.inf

    point = times(share.point)
    assert point is not None  # noqa: S101
    return Interval(point, times(share.low), times(share.high))


def _effects(blocks: Sequence[Mapping[str, float]]) -> list[Effect]:
    """What other ways to train give."""
    found = []
    for name in (LOADER, SEVERAL_STEPS, HALF_CPUS):
        ratios = [math.exp(b[name] - b[AS_IS]) for b in blocks if {name, AS_IS} <= b.keys()]
        if not ratios:
            continue
        ceiling = None
        if name == LOADER:
            ceiling = geometric(ratios, CONFIDENCE)
        if name == HALF_CPUS:
            # By Amdahl's law: doubling saves half of what halving cost.
            saved = [(1 / ratio - 1) / 2 for ratio in ratios]
            ceiling = _without(arithmetic(saved, CONFIDENCE))
        found.append(Effect(name, geometric(ratios, CONFIDENCE), ceiling))
    return found
