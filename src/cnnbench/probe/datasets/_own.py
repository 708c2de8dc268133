"""The user's own data set: a folder of class folders, or a Python file that makes arrays."""

import os
from typing import Any, NamedTuple, Tuple

from ..faults import BadData, reason
from ..plugins import load_file

COUNT = 10000  # images asked of a file
SHAPE = (256, 256, 3)  # to which the photographs of a folder are resized

Own = NamedTuple("Own", [("source", Any), ("shape", Tuple[int, int, int]), ("classes", int)])


def open_path(path: str, seed: int) -> Own:
    """What `--dataset PATH` means: a folder of class folders, or a Python file.

    Raises:
        BadData: Nothing usable is there.
    """
    return open_folder(path, seed) if os.path.isdir(path) else open_file(path, seed)


def open_held_out(path: str, seed: int) -> Own:
    """What `--dataset PATH` keeps to be evaluated on: a file's `held_out(count, seed)`.

    Raises:
        BadData: It keeps nothing.
    """
    if os.path.isdir(path):
        raise BadData("%s/ has no images that are held out" % os.path.basename(path))
    return open_file(path, seed, "held_out")


def open_folder(path: str, seed: int) -> Own:  # noqa: ARG001
    """Photographs in `path/<class>/` or `path/train/<class>/`, resized to 256x256; no seed.

    Raises:
        BadData: There are no class folders, or one without a photograph.
    """
    from ._folders import Folders

    train = os.path.join(path, "train")
    source = Folders(train if os.path.isdir(train) else path, SHAPE)
    return Own(source, SHAPE, source.classes)


def open_file(path: str, seed: int, maker: str = "arrays") -> Own:
    """What a file makes that defines `SHAPE`, `CLASSES` and `arrays(count, seed)`.

    `arrays` gives `count` images or fewer, uint8 (n,) + SHAPE with channels last, and their labels
    (n,), integers from 0 to CLASSES - 1. So does `held_out`, of images that are not trained on.

    Raises:
        BadData: The file cannot be loaded, or what it defines or makes is something else.
    """
    from ._held import Held

    name = os.path.basename(path)
    try:
        module = load_file(path)
    except Exception as error:  # it is the user's code
        raise BadData("%s cannot be loaded: %s" % (name, reason(error))) from error
    shape, classes = _constants(module, name, maker)
    try:
        images, labels = getattr(module, maker)(COUNT, seed)
    except Exception as error:  # it is the user's code
        raise BadData(
            "%s: %s(%d, %d) failed: %s" % (name, maker, COUNT, seed, reason(error))
        ) from error
    labels = _checked(images, labels, shape, classes, "%s: %s()" % (name, maker))
    return Own(Held(images, labels, {"classes": classes, "from": name}), shape, classes)


def _constants(module: Any, name: str, maker: str) -> Tuple[Tuple[int, int, int], int]:
    missing = [wanted for wanted in ("SHAPE", "CLASSES", maker) if not hasattr(module, wanted)]
    if missing:
        raise BadData("%s does not define %s" % (name, ", ".join(missing)))
    shape, classes = module.SHAPE, module.CLASSES
    if not _is_shape(shape):
        raise BadData("%s: SHAPE must be (height, width, channels), not %r" % (name, shape))
    if not _is_count(classes):
        raise BadData("%s: CLASSES must be a whole number above 0, not %r" % (name, classes))
    return (shape[0], shape[1], shape[2]), classes


def _is_shape(shape: Any) -> bool:
    return (
        isinstance(shape, (tuple, list)) and len(shape) == len(SHAPE) and all(map(_is_count, shape))
    )


def _is_count(value: Any) -> bool:
    return type(value) is int and value > 0


def _checked(images: Any, labels: Any, shape: Tuple[int, ...], classes: int, where: str) -> Any:
    """The labels as int64, once images and labels are known to be what they must be."""
    import numpy as np

    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        kind = getattr(images, "dtype", type(images).__name__)
        raise BadData("%s must give images as a NumPy array of uint8, not %s" % (where, kind))
    if images.shape[1:] != shape or not 0 < len(images) <= COUNT:
        raise BadData(
            "%s must give images of shape (1 to %d,) + %s, not %s"
            % (where, COUNT, shape, images.shape)
        )
    labels = np.asarray(labels)
    if labels.shape != (len(images),) or labels.dtype.kind not in "iu":
        raise BadData("%s must give one whole-number label for each image" % where)
    if labels.min() < 0 or labels.max() >= classes:
        raise BadData("%s must give labels from 0 to %d" % (where, classes - 1))
    return labels.astype(np.int64)
