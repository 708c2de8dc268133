"""10,000 made images of 32x32 in 10 classes, shaped like CIFAR-10.

Source: made by this program when a launch begins; no licence is needed. Nothing is stored; the
images are kept in memory (31 MB), so that reading them costs what reading CIFAR-10 costs. How they
are made, and that their labels can be learned, is said in `_synthetic.py`.
"""

from typing import Any, Optional

SHAPE = (32, 32, 3)
CLASSES = 10
FOLDER = None
COUNT, HELD_OUT = 10000, 2000


def open_source(directory: Optional[str], seed: int) -> Any:  # noqa: ARG001
    """The images of a seed; there is no directory."""
    return _made(COUNT, seed)


def open_held_out(directory: Optional[str], seed: int) -> Any:  # noqa: ARG001
    """Images of another seed, with the same classes."""
    return _made(HELD_OUT, seed + 1)


def _made(count: int, seed: int) -> Any:
    from ._held import Held
    from ._synthetic import Synthetic

    made = Synthetic(SHAPE[0], CLASSES, count, seed)
    images, labels = made.read(range(count))
    return Held(images, labels, made.facts())
