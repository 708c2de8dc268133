"""Photographs in one folder for each class, decoded when they are read.

A photograph is decoded at its full size, turned into RGB (its EXIF orientation is ignored) and
resized as a whole to the size asked for: its aspect is not kept and nothing is cut off, as Keras'
`flow_from_directory(target_size=...)` did in the published runs. Interpolation is bilinear as
Pillow does it (weighted over the area when shrinking); Keras' default, the nearest pixel, throws
away most of a large photograph. JPEG's draft mode, which decodes at a fraction of the size, is not
used: it changes the pixels. Stacks bring different versions of Pillow, whose JPEG decoders differ
in the last bits of a pixel.
"""

import os
from typing import Any, Dict, List, Tuple

from ..faults import BadData, reason

ENDINGS = (".jpeg", ".jpg", ".png")


class Folders:
    """Photographs listed once, decoded at each reading.

    Args:
        root: Folder that holds one folder for each class; labels follow their sorted names.
        shape: (height, width, 3) of an image when read.

    Attributes:
        classes: How many class folders there are.

    Raises:
        BadData: There is no class folder, or one without a photograph.
    """

    def __init__(self, root: str, shape: Tuple[int, int, int]) -> None:
        import numpy as np

        self._root = root
        self._shape = shape
        self._names = _class_folders(root)
        self._files = [_photographs(root, name) for name in self._names]
        self.classes = len(self._names)
        # The first photograph of every class, then the second of every class, and so on.
        sizes = [len(files) for files in self._files]
        labels = np.repeat(np.arange(self.classes), sizes)
        ranks = np.concatenate([np.arange(size) for size in sizes])
        order = np.lexsort((labels, ranks))
        self._labels = labels[order].astype(np.int64)
        self._ranks = ranks[order]

    def __len__(self) -> int:
        return len(self._labels)

    def path(self, index: int) -> str:
        """Where a photograph is."""
        return os.path.join(self._root, *self._place(index))

    def labels(self, indices: Any) -> Any:
        """Of the photographs at these indices: int64 (n,)."""
        return self._labels[indices]

    def read(self, indices: Any, decode: Any = None) -> Tuple[Any, Any]:
        """Decode the photographs at these indices.

        Args:
            indices: Whole numbers (n,).
            decode: What decodes one, in the place of `pillow`.

        Raises:
            BadData: One is truncated, corrupt, or not of 8 bits a channel.
        """
        import numpy as np

        chosen = np.asarray(indices, np.int64)
        images = np.empty((len(chosen),) + tuple(self._shape), np.uint8)
        for image, index in zip(images, chosen):
            relative = "/".join(self._place(index))
            image[...] = (decode or pillow)(self.path(index), relative, self._shape)
        return images, self.labels(chosen)

    def _place(self, index: int) -> Tuple[str, str]:
        """Folder and file of a photograph."""
        label = self._labels[index]
        return self._names[label], self._files[label][self._ranks[index]]

    def facts(self) -> Dict[str, Any]:
        """How many photographs and classes."""
        return {"images": len(self), "classes": self.classes, "from": "folders"}


def _class_folders(root: str) -> List[str]:
    names = sorted(entry.name for entry in _visible(root, "") if entry.is_dir())
    if not names:
        raise BadData("%s holds no class folders" % os.path.basename(os.path.normpath(root)))
    return names


def _photographs(root: str, name: str) -> List[str]:
    files = sorted(
        entry.name for entry in _visible(root, name) if entry.name.lower().endswith(ENDINGS)
    )
    if not files:
        raise BadData("class folder %s holds no %s" % (name, ", ".join(ENDINGS)))
    return files


def _visible(root: str, name: str) -> "List[os.DirEntry[str]]":
    try:
        with os.scandir(os.path.join(root, name)) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise BadData(
            "%s: %s" % (name or os.path.basename(os.path.normpath(root)), reason(error))
        ) from error


def pillow(path: str, relative: str, shape: Tuple[int, int, int]) -> Any:
    """One photograph as uint8 of that shape.

    Args:
        path: Where it is.
        relative: What messages call it.
        shape: Height, width and channels.

    Raises:
        BadData: It is truncated, corrupt, or not of 8 bits a channel.
    """
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            # Pillow 8 has no Image.Resampling.
            bilinear = Image.BILINEAR  # type: ignore[attr-defined]
            rgb = _in_rgb(image, relative).resize((shape[1], shape[0]), bilinear)
    except BadData:
        raise
    except UnidentifiedImageError as error:  # its text is a path
        raise BadData("%s is not an image that Pillow knows" % relative) from error
    except Exception as error:  # Pillow's decoders raise nearly anything on a broken file
        raise BadData("%s cannot be decoded: %s" % (relative, reason(error))) from error
    return np.asarray(rgb)


def _in_rgb(image: Any, relative: str) -> Any:
    if image.mode.startswith(("I", "F")):
        raise BadData("%s has more than 8 bits a channel; convert it to 8 first" % relative)
    if image.mode == "P":
        # Straight to RGB, Pillow warns of transparency that it cannot express.
        image = image.convert("RGBA")
    return image if image.mode == "RGB" else image.convert("RGB")
