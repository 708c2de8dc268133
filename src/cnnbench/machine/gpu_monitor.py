"""What a launch takes of its cards: memory, energy, and what slowed them down meanwhile.

A thread asks the driver a few times a second. It never ends or fails a launch: what the driver
stops telling is not recorded.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnbench.machine import nvml

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from cnnbench.machine.gpu import Gpu
    from cnnbench.record import Scalar

PERIOD_SECONDS = 0.2
# To wait for a driver that hangs, at the beginning and at the end.
PATIENCE_SECONDS = 2.0
# Windows shorter than this many periods together have no energy of their own.
FEWEST_PERIODS = 10

COUNTER, SAMPLES = "counter", "power samples"
PROCESS, CARD = "process", "card"


@dataclass(frozen=True, slots=True)
class Sample:
    """One card at one time; None where the driver does not tell.

    Attributes:
        time: Monotonic seconds.
        joules: Of the card's own counter.
        watts: Drawn now.
        card_bytes: Memory in use, whoever uses it.
        process_bytes: Memory that the launch's processes use.
        reasons: Bits of what holds the clocks down.
    """

    time: float
    joules: float | None
    watts: float | None
    card_bytes: int | None
    process_bytes: int | None
    reasons: int | None


class Monitor:
    """Watches cards while its block runs.

    Args:
        cards: Those of the launch; without any, nothing is watched.
        period: Seconds between two samples.
    """

    def __init__(self, cards: Sequence[Gpu], period: float = PERIOD_SECONDS) -> None:
        self._cards = cards
        self._period = period
        self._samples: list[list[Sample]] = [[] for _ in cards]
        self._windows: list[tuple[float, float]] = []
        self._group: int | None = None
        self._begun, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        if self._cards:
            self._thread.start()
            self._begun.wait(PATIENCE_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._cards:
            self._thread.join(PATIENCE_SECONDS)

    def follow(self, group: int) -> None:
        """Count the memory of this process group from now on."""
        self._group = group

    def window(self, seconds: float) -> None:
        """A window that counts ended just now; it took so many seconds."""
        now = time.monotonic()
        last = self._windows[-1][1] if self._windows else now - seconds
        self._windows.append((max(last, now - seconds), now))

    def facts(self) -> dict[str, Scalar]:
        """What was seen, after the block; {} without cards.

        `gpu_peak_memory_bytes` is of the fullest card: of the launch's processes, or, as
        `gpu_memory_source` says then, what the card had in use beyond what it had before.
        Energy is of all cards, what they draw when idle included, from their counters or by
        `gpu_energy_source` from power samples; `gpu_steady_joules` is that of the windows that
        count.
        """
        if not self._cards:
            return {}
        seen = [list(samples) for samples in self._samples]
        memory, memory_source = _peak(seen)
        curves = [_curve(samples) for samples in seen]
        known = [curve for curve in curves if curve is not None]
        whole = known if len(known) == len(curves) else []
        return {
            "gpu_samples": min(len(samples) for samples in seen),
            "gpu_peak_memory_bytes": memory,
            "gpu_memory_source": memory_source,
            "gpu_energy_joules": sum(curve.total for curve in whole) if whole else None,
            "gpu_energy_source": _one_source(whole),
            "gpu_steady_joules": self._steady(whole),
            "gpu_throttle_reasons": nvml.reason_words(
                nvml.union(sample.reasons for samples in seen for sample in samples)
            ),
        }

    def _steady(self, curves: Sequence[_Curve]) -> float | None:
        if not curves or sum(e - b for b, e in self._windows) < FEWEST_PERIODS * self._period:
            return None
        return sum(curve.between(begin, end) for curve in curves for begin, end in self._windows)

    def _watch(self) -> None:
        # A driver may vanish in ways that no binding foresees; the launch must not notice.
        with contextlib.suppress(Exception), nvml.driver():
            handles = [nvml.handle(card.index) for card in self._cards]
            while True:
                ended = self._over.is_set()  # so that the last sample is taken after the end
                for samples, handle in zip(self._samples, handles, strict=True):
                    samples.append(_sample(handle, self._group))
                self._begun.set()
                if ended:
                    break
                self._over.wait(self._period)
        self._begun.set()


@dataclass(frozen=True, slots=True)
class _Curve:
    """The energy that a card had taken at each time."""

    source: str
    times: list[float]
    joules: list[float]

    @property
    def total(self) -> float:
        return self.joules[-1] - self.joules[0]

    def between(self, begin: float, end: float) -> float:
        at_begin, at_end = np.interp([begin, end], self.times, self.joules)
        return float(at_end - at_begin)


def _curve(samples: Sequence[Sample]) -> _Curve | None:
    """By the counter, else by the trapezoids of power; None unless known from begin to end."""
    if _is_whole([sample.joules for sample in samples]):
        counted = [(s.time, s.joules) for s in samples if s.joules is not None]
        return _Curve(COUNTER, [time for time, _ in counted], [joules for _, joules in counted])
    if not _is_whole([sample.watts for sample in samples]):
        return None
    drawn = [(s.time, s.watts) for s in samples if s.watts is not None]
    joules = [0.0]
    for (before, watts), (now, more_watts) in pairwise(drawn):
        joules.append(joules[-1] + (watts + more_watts) / 2 * (now - before))
    return _Curve(SAMPLES, [time for time, _ in drawn], joules)


def _is_whole(values: Sequence[float | None]) -> bool:
    return len(values) > 1 and values[0] is not None and values[-1] is not None


def _one_source(curves: Sequence[_Curve]) -> str | None:
    sources = {curve.source for curve in curves}
    return SAMPLES if SAMPLES in sources else COUNTER if sources else None


def _peak(seen: Sequence[Sequence[Sample]]) -> tuple[int | None, str | None]:
    """The peak memory of the fullest card, and whose memory was counted."""
    by_process = [s.process_bytes for samples in seen for s in samples if s.process_bytes]
    if by_process:
        return max(by_process), PROCESS
    risen = [_risen(samples) for samples in seen]
    known = [value for value in risen if value is not None]
    return (max(known), CARD) if known else (None, None)


def _risen(samples: Sequence[Sample]) -> int | None:
    known = [sample.card_bytes for sample in samples if sample.card_bytes is not None]
    return max(known) - known[0] if len(known) > 1 else None


def _sample(handle: Any, group: int | None) -> Sample:
    memory = nvml.ask("nvmlDeviceGetMemoryInfo", handle)
    return Sample(
        time=time.monotonic(),
        joules=nvml.thousandths("nvmlDeviceGetTotalEnergyConsumption", handle),
        watts=nvml.thousandths("nvmlDeviceGetPowerUsage", handle),
        card_bytes=None if memory is None else int(memory.used),
        process_bytes=_of_group(handle, group),
        reasons=nvml.throttle_reasons(handle),
    )


def _of_group(handle: Any, group: int | None) -> int | None:
    """Memory of a process group; None if the driver names none of its processes, or no memory."""
    if group is None:
        return None
    found = nvml.ask("nvmlDeviceGetComputeRunningProcesses", handle) or []
    own = [one.usedGpuMemory for one in found if _group_of(one.pid) == group]
    return sum(own) if own and None not in own else None


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except OSError:
        return None
