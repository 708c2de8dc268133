"""Nothing is read, decoded or augmented: the method trains on a few batches that are kept."""

from typing import Any

from ..faults import Unsupported
from ._kept import Kept


def train(task: Any, windows: Any, method: Any, stepper: Any) -> None:  # noqa: ARG001
    """Call the method with kept batches."""
    if getattr(method, "FROM_START", False):
        raise Unsupported("fit cuts its batches out of arrays itself; nothing can be kept for it")
    method.train(task._replace(feed=Kept(task.feed)), windows)
