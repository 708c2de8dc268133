"""Threads that read ahead, a batch each; Pillow decodes."""

from typing import Any, Iterator

from . import _ahead


def stream(feed: Any, first: int, threads: int) -> Iterator[Any]:
    """Read in threads, as many as the launch has CPUs."""
    return _ahead.by_threads(feed.read, first, threads)
