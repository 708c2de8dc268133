"""A series of numbers as a line of blocks, or of ASCII where a stream knows no blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII = "_.,-=+*#"


def sparkline(values: Sequence[float], encoding: str | None = "utf-8") -> str:
    """A sign for each value, the lowest and the highest of the signs for the least and the most.

    Values that are all equal are in the middle.

    Args:
        values: Finite, in order.
        encoding: Of the stream that it is for; None if that is not known.
    """
    signs = BLOCKS if _knows(BLOCKS, encoding) else ASCII
    if not values:
        return ""
    low, high = min(values), max(values)
    if low == high:
        return signs[len(signs) // 2] * len(values)
    return "".join(signs[round((v - low) / (high - low) * (len(signs) - 1))] for v in values)


def _knows(text: str, encoding: str | None) -> bool:
    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
