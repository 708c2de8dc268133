"""PyTorch's DataLoader: processes that read ahead, a batch each; Pillow decodes."""

import itertools
from typing import Any, Iterator

from ..faults import BadData, Unsupported


def stream(feed: Any, first: int, threads: int) -> Iterator[Any]:
    """Read in processes, as many as the launch has CPUs."""
    try:
        from torch.utils.data import DataLoader, Dataset
    except ImportError:
        raise Unsupported("the stack has no PyTorch; take --loader threads") from None

    class Batches(Dataset):  # type: ignore[misc]
        def __getitem__(self, position: int) -> Any:
            try:
                return feed.read(position)
            except BadData as error:  # else its text is buried in a traceback
                return str(error)

    loader: Any = DataLoader(
        Batches(),
        batch_size=None,
        sampler=itertools.count(first),
        num_workers=threads,
        multiprocessing_context="fork",
    )
    for found in loader:
        if isinstance(found, str):
            raise BadData(found)
        x, y = found
        yield x.numpy(), y.numpy()
