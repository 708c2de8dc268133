"""ImageNet (ILSVRC 2012): photographs in 1000 classes, resized to 256x256.

Source: Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge", 2015,
https://www.image-net.org. Licence: for non-commercial research, granted by the publisher on
request, so it cannot be downloaded for you. Stored as published, `train/<wnid>/*.JPEG`; a part of
it in the same layout will do. How a photograph becomes 256x256 is said in `_folders.py`.
"""

import os
from typing import Any

from ..faults import BadData

SHAPE = (256, 256, 3)
CLASSES = 1000
FOLDER = "imagenet"
SAMPLE = "imagenet-sample"
HOLDS = ("train",)
LAYOUT = "train/<wnid>/*.JPEG"


def open_source(directory: str, seed: int) -> Any:  # noqa: ARG001
    """The photographs under `train`, class by class in turn; that has no seed.

    Raises:
        BadData: There are no class folders, more than 1000, or one without a photograph.
    """
    from ._folders import Folders

    source = Folders(os.path.join(directory, "train"), SHAPE)
    if source.classes > CLASSES:
        raise BadData("train holds %d class folders; ImageNet has 1000" % source.classes)
    return source
