"""What changes on the cards of a launch from minute to minute; see conditions.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pynvml

from cnnbench.machine import nvml
from cnnbench.machine.gpu import GRAPHICS, MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cnnbench.machine.gpu import Gpu
    from cnnbench.record import Scalar

CORE = 0  # temperature sensor of nvml.h


def gpu_conditions(cards: Sequence[Gpu]) -> dict[str, Scalar]:
    """The conditions now, of all cards together; None stands for what they do not tell.

    `gpu_celsius` is of the hottest card, `gpu_watts` of all, the clocks are of the slowest, and
    `gpu_throttle_reasons` are of any.
    """
    if not cards:
        return {}
    try:
        with nvml.driver():
            handles = [nvml.handle(card.index) for card in cards]
            return _of(handles)
    except pynvml.NVMLError:
        return _of([])


def _of(handles: Sequence[Any]) -> dict[str, Scalar]:
    reasons = [nvml.throttle_reasons(card) for card in handles]
    watts = _known(nvml.thousandths("nvmlDeviceGetPowerUsage", card) for card in handles)
    return {
        "gpu_celsius": max(_asked("nvmlDeviceGetTemperature", handles, CORE), default=None),
        "gpu_watts": sum(watts) if watts and len(watts) == len(handles) else None,
        "gpu_mhz": min(_asked("nvmlDeviceGetClockInfo", handles, GRAPHICS), default=None),
        "gpu_memory_mhz": min(_asked("nvmlDeviceGetClockInfo", handles, MEMORY), default=None),
        "gpu_throttle_reasons": nvml.reason_words(nvml.union(reasons)),
    }


def _asked(function: str, handles: Sequence[Any], *arguments: int) -> list[Any]:
    return _known(nvml.ask(function, card, *arguments) for card in handles)


def _known(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if value is not None]
