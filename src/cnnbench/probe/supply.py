"""What a launch trains on, and what it is evaluated on."""

import functools
import math
from typing import Any, NamedTuple, Tuple

from . import loaders as of_loaders
from . import plugins, proof
from .faults import BadData, Unsupported
from .feed import Feed

Dataset = NamedTuple("Dataset", [("source", Any), ("shape", Any), ("classes", int)])


def dataset(order: Any) -> Dataset:
    """The images to train on."""
    if order.proof:
        return Dataset(*proof.open_given(order.proof))
    if order.dataset_file:
        own = plugins.load("datasets", "_own")
        return Dataset(*own.open_path(order.dataset_file, order.seed))
    module = plugins.load("datasets", order.case["dataset"])
    return Dataset(module.open_source(order.data, order.seed), module.SHAPE, module.CLASSES)


def held_out(order: Any) -> Dataset:
    """Images of the same kind that are not trained on.

    Raises:
        BadData: The data set has none.
    """
    if order.dataset_file:
        own = plugins.load("datasets", "_own")
        return Dataset(*own.open_held_out(order.dataset_file, order.seed))
    module = plugins.load("datasets", order.case["dataset"])
    if not hasattr(module, "open_held_out"):
        raise BadData("%s has no images that are held out" % order.case["dataset"])
    return Dataset(module.open_held_out(order.data, order.seed), module.SHAPE, module.CLASSES)


def feed(images: Dataset, method: Any, order: Any, share: Tuple[int, int]) -> Feed:
    """The batches of a launch.

    Raises:
        BadData: There are fewer images than one batch has.
        Unsupported: The stack, or the data set, is not one for the loader.
    """
    name = order.case.get("loader", "keras")
    loader = None if order.proof or name == "keras" else plugins.load("loaders", name)
    stream = loader and functools.partial(loader.stream, threads=order.threads)
    parts = (images.source, images.classes, order.case, order.seed, share)
    found = Feed(*parts, stream=stream)
    if found.global_batch > len(images.source):
        devices = order.case["devices"]
        raise BadData(
            "a batch of %d is larger than the data set of %d images; take a smaller %s"
            % (
                found.global_batch,
                len(images.source),
                "--batch-size" if devices == 1 else "--batch-size or --global-batch",
            )
        )
    if method.IN_MEMORY:
        found.keep_in_memory()
    elif loader:
        _compare(found, name)
    return found


def _compare(found: Feed, loader: str) -> None:
    """See that a loader's first batch is what Pillow makes of the same photographs."""
    import numpy as np

    (x, y), (plain_x, plain_y) = found.loaded(0), found.read(0)
    off = 255.0 * float(np.abs(x - plain_x).mean()) if x.shape == plain_x.shape else math.inf
    if off > of_loaders.TOLERANCE or not np.array_equal(y, plain_y):
        raise Unsupported("loader %s gives other images: pixels are off by %.1f" % (loader, off))
