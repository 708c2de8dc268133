"""Launches and windows as a page carries them: JSON and 16 bits a window, both compressed.

The time of a window is kept as a logarithm between the shortest and the longest of its launch, in
65,535 steps: a launch whose windows differ by a factor of ten is rounded to 0.004 %. Everything
else is exact.
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
    from collections.abc import Iterable, Sequence

    from cnnbench.record import Launch
    from cnnbench.report.page.material import Material

STEPS = 65535


def launches(material: Material) -> tuple[list[list[dict[str, Any]]], bytes]:
    """The launches of each result, and the times of all their windows in the same order.

    The bytes are the high halves of all 16-bit numbers and then the low ones, for the former are
    alike and compress well.
    """
    times: list[np.ndarray[Any, np.dtype[np.uint16]]] = []
    found = []
    for result in material.results:
        own = []
        for launch in map(material.launches.__getitem__, result.launches):
            seconds = [window.seconds for window in launch.windows]
            low, high = _range(seconds)
            own.append(_launch(launch, material) | {"low": low, "high": high})
            times.append(_quantised(seconds, low, high))
        found.append(own)
    whole = np.concatenate(times) if times else np.empty(0, dtype=np.uint16)
    return found, (whole >> 8).astype(np.uint8).tobytes() + (whole & 255).astype(np.uint8).tobytes()


def text(value: Any) -> str:
    """A JSON value in base64 of zlib."""
    return binary(json.dumps(value, allow_nan=False, separators=(",", ":")).encode())


def binary(value: bytes) -> str:
    """Bytes in base64 of zlib."""
    return base64.b64encode(zlib.compress(value, 9)).decode()


def _launch(launch: Launch, material: Material) -> dict[str, Any]:
    used, why = launch, ""
    if launch.failure is None:
        judged = material.judgements[launch.id]
        used = judged.launch
        why = ", ".join(judged.disturbances) or ("" if judged.counts else judged.kind)
    else:
        why = f"{launch.failure.stage}: {launch.failure.message}"[:500]
    return {
        "id": launch.id,
        "number": launch.number,
        "started": launch.started_at,
        "seed": launch.seed,
        "speed": speed(used) if used.windows else None,
        "why": why,
        "stages": finite(launch.stages),
        "memory": launch.facts.get("peak_memory_bytes"),
        "roles": _runs(window.role for window in used.windows),
        "steps": _runs(window.steps for window in used.windows),
        "images": _runs(window.images for window in used.windows),
    }


def _range(seconds: Sequence[float]) -> tuple[float, float]:
    """Logarithms of the shortest and the longest time."""
    if not seconds:
        return 0.0, 0.0
    return math.log(max(min(seconds), 1e-9)), math.log(max(*seconds, 1e-9))


def _quantised(
    seconds: Sequence[float], low: float, high: float
) -> np.ndarray[Any, np.dtype[np.uint16]]:
    if high == low:
        return np.zeros(len(seconds), dtype=np.uint16)
    logs = np.log(np.maximum(np.asarray(seconds, dtype=float), 1e-9))
    found: np.ndarray[Any, np.dtype[np.uint16]] = np.rint((logs - low) / (high - low) * STEPS)
    return found.astype(np.uint16)


def _runs(values: Iterable[Any]) -> list[list[Any]]:
    """Values and how often each stands in a row."""
    return [[value, len(list(group))] for value, group in groupby(values)]
