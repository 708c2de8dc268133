"""Whether a stack did the work that it is credited with, and no other."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from cnnbench.probe.proof import LOSS_SCALE
from cnnbench.verification.checks import TRAINABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cnnbench.probe.wire import Described, Window

COMPILED = ("tensorflow", "jax")  # backends whose step is one program, traced once
UNFINISHED_SHARE, UNFINISHED_SECONDS = 0.2, 0.005


def faults(
    described: Described,
    windows: Sequence[Window],
    seen: Mapping[str, Any],
    facts: Mapping[str, Any],
) -> Iterator[str]:
    """What is wrong with the work of a stack, in one line each.

    Args:
        described: The reference's model.
        windows: What the guest told of each.
        seen: What was counted after each.
        facts: What ran.
    """
    if facts["macs"] != described.macs:
        yield f"a forward pass multiplies {facts['macs']:,} times, not {described.macs:,}"
    shapes = [list(shape) for _, shape in described.weights]
    if (found := _shapes(seen)) != shapes:
        yield f"the weights have other shapes than the {len(shapes)} of the reference: {found}"
    trainable = sum(kind in TRAINABLE for kind, _ in described.weights)
    if (trained := sum(name.startswith("velocity/1/") for name in seen)) != trainable:
        yield f"{trained} weights are trained, not {trainable}"
    if wide := sorted({str(a.dtype) for a in _weights(seen)} - {"float32"}):
        yield f"weights are kept in {', '.join(wide)}, not float32"
    for number, window in enumerate(windows, 1):
        yield from _miscounted(window, window.steps * described.batch, seen, number)
    last = len(windows) - 1  # of those of one step; the first two may trace
    if facts["backend"] in COMPILED and _gain(seen, "calls", last) > 0:
        yield "the step is not compiled: Python calls the model in each"
    yield from _unfinished(windows, seen)


def left_out(seen: Mapping[str, Any]) -> int | None:
    """The first step that float16 left out, for its gradients overflowed; None if none was."""
    scales = [LOSS_SCALE]
    while f"scale/{len(scales)}/0" in seen:
        scales.append(float(seen[f"scale/{len(scales)}/0"]))
    return next((n for n in range(1, len(scales)) if scales[n] < scales[n - 1]), None)


def _miscounted(window: Window, images: int, seen: Mapping[str, Any], number: int) -> Iterator[str]:
    """What a window tells, or did, of its images otherwise than they are."""
    if window.images != images:
        yield f"{window.steps} steps are told as {window.images} images, not {images}"
    if number == 1:
        return  # Keras builds its metrics by a pass of its own before the first step
    if (passes := _gain(seen, "passes", number)) != window.steps:
        yield f"{window.steps} steps went forward {passes} times"
    if (found := _gain(seen, "images", number)) != images:
        yield f"{window.steps} steps went forward with {found} images, not {images}"


def _unfinished(windows: Sequence[Window], seen: Mapping[str, Any]) -> Iterator[str]:
    """Work that was still going on when a window was closed."""
    left = [float(seen[f"unfinished_seconds/{n}"]) for n in range(2, len(windows) + 1)]
    took = median(window.seconds for window in windows[1:])
    if median(left) > max(UNFINISHED_SECONDS, UNFINISHED_SHARE * took):
        yield f"a window of {took:.3f} s was closed {median(left):.3f} s before its work was done"


def _gain(seen: Mapping[str, Any], name: str, number: int) -> int:
    """By how much a count grew in a window, from 2 on."""
    return int(seen[f"{name}/{number}"]) - int(seen[f"{name}/{number - 1}"])


def _shapes(seen: Mapping[str, Any]) -> list[list[int]]:
    """Of all weights after the first step, in Keras' order."""
    count = sum(name.startswith("weights/1/") for name in seen)
    return [list(seen[f"weights/1/{number}"].shape) for number in range(count)]


def _weights(seen: Mapping[str, Any]) -> Iterator[Any]:
    return (array for name, array in seen.items() if name.startswith("weights/"))
