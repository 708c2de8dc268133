"""Threads that read ahead; libjpeg-turbo decodes and OpenCV resizes photographs.

Where a photograph has twice the size that is wanted, or more, it is decoded at a half, a quarter or
an eighth of it, which libjpeg-turbo does faster than the whole. What is left, a factor below two,
is resized as Pillow does, near enough: its triangle filter of r pixels is a blur of variance
(r^2 - 1) / 6 and then linear interpolation. What simplejpeg does not know (PNG, CMYK) is Pillow's.
"""

import functools
import math
from typing import Any, Iterator, Tuple

from ..datasets import _folders
from ..faults import Unsupported
from . import _ahead

HALVES = 2  # the least factor to decode at; others take longer than the whole
LEAST_BLUR = 0.1  # standard deviation in pixels, below which a blur changes nothing


def stream(feed: Any, first: int, threads: int) -> Iterator[Any]:
    """Read in threads, as many as the launch has CPUs."""
    try:
        import cv2
        import simplejpeg  # noqa: F401
    except ImportError:
        raise Unsupported("simplejpeg or OpenCV is missing; take --loader threads") from None
    if not feed.has_files:
        raise Unsupported("turbo decodes photographs; take --loader threads for this data set")
    cv2.setNumThreads(1)  # the threads that read are enough
    return _ahead.by_threads(functools.partial(feed.read, decode=decode), first, threads)


def decode(path: str, relative: str, shape: Tuple[int, int, int]) -> Any:
    """One photograph as uint8 of that shape."""
    import simplejpeg

    height, width, _ = shape
    try:
        with open(path, "rb") as file:
            pixels = simplejpeg.decode_jpeg(
                file.read(), min_height=height, min_width=width, min_factor=HALVES
            )
    except (OSError, ValueError):
        return _folders.pillow(path, relative, shape)
    return resized(pixels, height, width)


def resized(pixels: Any, height: int, width: int) -> Any:
    """An image at another size: uint8 (height, width, 3)."""
    import cv2

    rows, columns, _ = pixels.shape
    down, across = _blur(rows / height), _blur(columns / width)
    if max(down, across) > LEAST_BLUR:
        size = (3, 3) if max(down, across) < 1 else (0, 0)  # 0: as many pixels as it takes
        pixels = cv2.GaussianBlur(
            pixels, size, sigmaX=max(across, LEAST_BLUR), sigmaY=max(down, LEAST_BLUR)
        )
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)


def _blur(ratio: float) -> float:
    """Standard deviation that makes linear interpolation the filter of a shrinking."""
    return math.sqrt(max(ratio**2 - 1, 0.0) / 6)
