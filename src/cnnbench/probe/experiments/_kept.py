"""A few batches that were read once and come again and again."""

from typing import Any, Tuple

BATCHES = 8
BYTES = 1 << 28


class Kept:
    """What a method asks of a feed.

    Args:
        feed: Which batches are read from, whole ones only: at most 8, of 256 MiB together.
    """

    augment = False

    def __init__(self, feed: Any) -> None:
        self.global_batch = feed.global_batch
        self.batch_size = feed.batch_size
        first = feed.batch(0)
        fitting = BYTES // max(1, first[0].nbytes)
        count = max(1, min(BATCHES, feed.size // feed.global_batch, fitting))
        self._batches: Any = [first] + [feed.batch(at) for at in range(1, count)]
        self.size = count * self.global_batch

    def __len__(self) -> int:
        """Batches until the first comes again."""
        return len(self._batches)

    def batch(self, position: int) -> Tuple[Any, Any]:
        """What a step trains on."""
        x, y = self._batches[position % len(self._batches)]
        return x, y

    def images(self, position: int, steps: int) -> int:  # noqa: ARG002
        """In so many steps."""
        return int(steps * self.global_batch)
