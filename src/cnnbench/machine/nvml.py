"""NVML, the library by which an NVIDIA driver is asked; what a card does not support is None."""

from __future__ import annotations

import functools
import operator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pynvml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Bits of nvml.h's clocks event reasons. The first, an idle card, slows nothing down.
REASONS = {
    0x02: "clock setting",
    0x04: "power cap",
    0x08: "hardware slowdown",
    0x10: "sync boost",
    0x20: "heat (driver)",
    0x40: "heat (hardware)",
    0x80: "power brake",
    0x100: "display clocks",
}


@contextmanager
def driver() -> Iterator[None]:
    """The driver, open while the block runs; blocks may be nested.

    Raises:
        pynvml.NVMLError: There is none, or it is not loaded.
    """
    pynvml.nvmlInit()
    try:
        yield
    finally:
        pynvml.nvmlShutdown()


def ask(function: str, *arguments: Any) -> Any:
    """What a function of NVML gives, or None if card, driver or bindings do not know it."""
    try:
        return getattr(pynvml, function)(*arguments)
    except (pynvml.NVMLError, AttributeError):
        return None


def handle(index: int) -> Any:
    """The card with an index, for `ask`; None if it is gone."""
    return ask("nvmlDeviceGetHandleByIndex", index)


def thousandths(function: str, *arguments: Any) -> float | None:
    """Of watts or joules, where NVML counts thousandths."""
    value = ask(function, *arguments)
    return None if value is None else value / 1000


def throttle_reasons(card: Any) -> int | None:
    """Bits of `REASONS` that hold now."""
    bits: int | None = ask("nvmlDeviceGetCurrentClocksEventReasons", card)
    if bits is None:  # drivers before 535 know it by its older name
        bits = ask("nvmlDeviceGetCurrentClocksThrottleReasons", card)
    return bits


def reason_words(bits: int | None) -> str | None:
    """The reasons as words, like `power cap, heat (driver)`; `none` if clocks are free."""
    if bits is None:
        return None
    return ", ".join(word for bit, word in REASONS.items() if bits & bit) or "none"


def union(masks: Iterable[int | None]) -> int | None:
    """The reasons that hold in any of several masks; None if none was told."""
    known = [mask for mask in masks if mask is not None]
    return functools.reduce(operator.or_, known) if known else None
