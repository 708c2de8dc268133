"""A source whose images are all in memory."""

from typing import Any, Dict, Tuple


class Held:
    """Images that were read or made once.

    Args:
        images: uint8 (n, height, width, channels).
        labels: int64 (n,).
        facts: What else is worth recording of them.
    """

    def __init__(self, images: Any, labels: Any, facts: Dict[str, Any]) -> None:
        self._images = images
        self._labels = labels
        self._facts = facts

    def __len__(self) -> int:
        return len(self._images)

    def read(self, indices: Any) -> Tuple[Any, Any]:
        """Copies of the images and labels at these indices."""
        import numpy as np

        chosen = np.asarray(indices, np.int64)
        return self._images[chosen], self._labels[chosen]

    def facts(self) -> Dict[str, Any]:
        """How many images, and where from."""
        return dict(self._facts, images=len(self._images))
