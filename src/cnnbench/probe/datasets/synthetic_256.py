"""1000 made images of 256x256 in 1000 classes: the published synthetic benchmark's.

Source: made by this program each time they are read, since all of them would take 200 MB; no
licence is needed and nothing is stored. The published run drew 1000 images of noise; these have
labels that can be learned, see `_synthetic.py`.
"""

from typing import Any, Optional

SHAPE = (256, 256, 3)
CLASSES = 1000
FOLDER = None
COUNT = 1000


def open_source(directory: Optional[str], seed: int) -> Any:  # noqa: ARG001
    """The images of a seed; there is no directory."""
    from ._synthetic import Synthetic

    return Synthetic(SHAPE[0], CLASSES, COUNT, seed)
