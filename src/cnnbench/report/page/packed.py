"""Launches and windows as a page carries them: JSON and 12 bits a window, both compressed.

The time of a window is kept as a logarithm between the shortest and the longest of those in a row
that have its role, in 4,095 steps: where they differ by a tenth, it is rounded to 0.0012 %. Numbers
with a point have six significant digits, starts are in whole seconds; everything else is exact.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnbench.plan import speed
from cnnbench.report.document import finite

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cnnbench.record import Launch
    from cnnbench.report.page.material import Material

    Numbers = np.ndarray[Any, np.dtype[np.uint16]]

STEPS = 4095
DIGITS = 6
SHORTEST = 1e-9  # second: a clock that stood still has no logarithm


def launches(material: Material) -> tuple[list[list[dict[str, Any]]], bytes]:
    """The launches of each result, and the times of all their windows in the same order.

    The bytes are the high 8 of all 12 bits and then the low 4, two windows a byte, the first in its
    high half: what is alike compresses well together.
    """
    times: list[Numbers] = []
    found = []
    for result in material.results:
        own = []
        for launch in map(material.launches.__getitem__, result.launches):
            used, why = _used(launch, material)
            ranges = []
            for _, windows in groupby(used.windows, key=lambda window: window.role):
                seconds = np.array([max(window.seconds, SHORTEST) for window in windows])
                low, high = _rounded(seconds.min()), _rounded(seconds.max())
                ranges.append([low, high] if len(seconds) > 1 else [low])
                times.append(_quantised(seconds, low, high))
            own.append(_launch(used, why) | {"ranges": ranges})
        found.append(own)
    return found, _bytes(np.concatenate(times) if times else np.empty(0, dtype=np.uint16))


def columns(found: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """Launches by what is told of them, and how many each result has: alike stands together."""
    launches = [launch for own in found for launch in own]
    names = launches[0] if launches else ()
    return {
        "counts": [len(own) for own in found],
        "columns": {name: [launch[name] for launch in launches] for name in names},
    }


def text(value: Any) -> str:
    """A JSON value in base64 of zlib; numbers with a point have six significant digits."""
    return binary(json.dumps(_short(value), allow_nan=False, separators=(",", ":")).encode())


def _short(value: Any) -> Any:
    match value:
        case float():
            return _rounded(value)
        case dict():
            return {key: _short(one) for key, one in value.items()}
        case list() | tuple():
            return [_short(one) for one in value]
    return value


def binary(value: bytes) -> str:
    """Bytes in base64 of zlib."""
    return base64.b64encode(zlib.compress(value, 9)).decode()


def _used(launch: Launch, material: Material) -> tuple[Launch, str]:
    """A launch with the windows that count as they do, and why it does not, if so."""
    if launch.failure is not None:
        return launch, f"{launch.failure.stage}: {launch.failure.message}"[:500]
    judged = material.judgements[launch.id]
    why = ", ".join(judged.disturbances) or ("" if judged.counts else judged.kind)
    return judged.launch, why


def _launch(launch: Launch, why: str) -> dict[str, Any]:
    return {
        "id": launch.id,
        "number": launch.number,
        "started": launch.started_at[:19],
        "seed": launch.seed,
        "speed": speed(launch),
        "why": why,
        "stages": finite(launch.stages),
        "memory": launch.facts.get("peak_memory_bytes"),
        "roles": _runs(window.role for window in launch.windows),
        "steps": _runs(window.steps for window in launch.windows),
        "images": _runs(window.images for window in launch.windows),
    }


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _quantised(seconds: np.ndarray[Any, np.dtype[np.float64]], low: float, high: float) -> Numbers:
    if high <= low:
        return np.zeros(len(seconds), dtype=np.uint16)
    shares = np.log(seconds / low) / math.log(high / low)
    found: Numbers = np.rint(np.clip(shares, 0, 1) * STEPS).astype(np.uint16)
    return found


def _bytes(numbers: Numbers) -> bytes:
    """Numbers of 12 bits in two planes."""
    low = np.append(numbers & 15, [0] * (len(numbers) % 2)).astype(np.uint8)
    return (numbers >> 4).astype(np.uint8).tobytes() + (low[::2] << 4 | low[1::2]).tobytes()


def _runs(values: Iterable[Any]) -> list[list[Any]]:
    """Values and how often each stands in a row."""
    return [[value, len(list(group))] for value, group in groupby(values)]
