"""What a launch trains on, and what it is evaluated on."""

from typing import Any, NamedTuple, Tuple

from . import plugins, proof
from .faults import BadData
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
    """
    found = Feed(images.source, images.classes, order.case, order.seed, share)
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
    return found
