"""How well a model does on images that it is not trained on."""

import time
from typing import Any, Callable

from . import wire
from .feed import Feed

BATCH = 250  # images at once; what is left over of whole batches is not used


def predicted(model: Any, x: Any, y: Any) -> int:
    """How many images of a batch have their own class as the likeliest.

    Args:
        model: Gives probabilities (n, classes) for a batch of images.
        x: The images.
        y: Their one-hot labels.
    """
    import numpy as np

    return int((np.asarray(model.predict_on_batch(x)).argmax(1) == y.argmax(1)).sum())


class Evaluation:
    """Images that are kept for it.

    Args:
        dataset: What is held out: source, shape and classes.
        case: The fields of the case.
        right: Counts the images of a batch that a model classifies rightly.
    """

    def __init__(
        self, dataset: Any, case: Any, right: Callable[[Any, Any, Any], int] = predicted
    ) -> None:
        count = len(dataset.source)
        own = dict(case, batch_size=min(BATCH, count), devices=1, augment=False)
        self._feed = Feed(dataset.source, dataset.classes, own, 0)
        self._feed.keep_in_memory()
        self._steps = self._feed.size // self._feed.batch_size
        self._right = right

    def __call__(self, model: Any) -> Any:
        """The message that says how many a model classifies rightly."""
        begun = time.perf_counter()
        right = sum(self._right(model, *self._feed.batch(step)) for step in range(self._steps))
        images = self._steps * self._feed.batch_size
        return wire.Evaluated(images=images, right=right, seconds=time.perf_counter() - begun)
