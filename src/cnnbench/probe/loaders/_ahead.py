"""Reads ahead, by threads: decoders let go of Python's lock while they work."""

import collections
import itertools
from concurrent import futures
from typing import Any, Callable, Iterator


def by_threads(read: Callable[[int], Any], first: int, threads: int) -> Iterator[Any]:
    """What `read` gives for each number from `first` on, in order.

    Args:
        read: Reads one batch.
        first: Number of the first batch.
        threads: That read, each a batch of its own; one batch more waits.
    """
    with futures.ThreadPoolExecutor(threads) as pool:
        begun: Any = collections.deque()
        for position in itertools.count(first):
            begun.append(pool.submit(read, position))
            if len(begun) > threads + 1:
                yield begun.popleft().result()
