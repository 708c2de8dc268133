"""Peak memory of a GPU, of the fullest used: what is taken, needed or not.

PyTorch and MXNet take what they need; TensorFlow and JAX take most of a card as they start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnbench.record import Launch

UNIT, BETTER = "bytes", "lower"


def of(launch: Launch) -> float | None:
    """Of a launch on GPUs whose driver tells."""
    value = launch.facts.get("gpu_peak_memory_bytes")
    return float(value) if isinstance(value, int | float) else None
