"""Reads the pickled batches of CIFAR without running what a pickle may ask for.

A pickle is a program. The publisher's needs four names, all for one array of bytes; here each
stands for a function of ours that only takes the array apart, so that even NumPy's own unpickling
code, which trusts its input, never sees the file. Any other name is refused.
"""

import io
import pickle
from typing import Any, Callable, Dict, Tuple

from ..faults import BadData, reason


class _Array:
    """A pickled array, as told: shape, element type and bytes."""

    shape: Any = None
    kind: Any = None
    data: Any = None

    def __setstate__(self, state: Tuple[Any, ...]) -> None:
        _, self.shape, kind, by_columns, self.data = state
        self.kind = None if by_columns else kind.name


class _Kind:
    """A pickled element type; its state (byte order and the like) says nothing about a byte."""

    def __init__(self, name: Any, *_: Any) -> None:
        self.name = name

    def __setstate__(self, state: Any) -> None:
        pass


def _array(*_: Any) -> _Array:
    return _Array()


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError("bytes written as %s" % encoding)
    return text.encode("latin1")


KNOWN: Dict[Tuple[str, str], Callable[..., Any]] = {
    ("numpy.core.multiarray", "_reconstruct"): _array,
    ("numpy._core.multiarray", "_reconstruct"): _array,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Kind,
    ("_codecs", "encode"): _encode,
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in KNOWN:
            raise pickle.UnpicklingError("it asks for %s.%s, which is refused" % (module, name))
        return KNOWN[module, name]


def parse(content: bytes, name: str, size: int, classes: int) -> Tuple[Any, Any]:
    """Images, uint8 (n, size, size, 3), and labels, int64 (n,), of one batch.

    Args:
        content: Of the file.
        name: Of the file, for messages.
        size: Height and width of an image; it is stored as its red, green and blue planes.
        classes: Labels are from 0 to one less.

    Raises:
        BadData: The file is truncated, asks for what does not belong there, or holds other things.
    """
    import numpy as np

    try:
        record = _Reader(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # a broken pickle may raise anything
        raise BadData("%s is not a whole CIFAR batch: %s" % (name, reason(error))) from error
    data, labels = _fields(record, name)
    count = len(labels)
    if data.shape != (count, size * size * 3) or data.kind not in (b"u1", "u1"):
        raise BadData("%s: %d labels, but images of shape %s" % (name, count, data.shape))
    if not isinstance(data.data, bytes) or len(data.data) != count * size * size * 3:
        raise BadData("%s has fewer pixels than its shape says" % name)
    if not all(type(label) is int and 0 <= label < classes for label in labels):
        raise BadData("%s has labels that are not from 0 to %d" % (name, classes - 1))
    planes = np.frombuffer(data.data, np.uint8).reshape(count, 3, size, size)
    return planes.transpose(0, 2, 3, 1), np.array(labels, np.int64)


def _fields(record: Any, name: str) -> Tuple[_Array, Any]:
    if not isinstance(record, dict):
        raise BadData("%s holds no batch of images" % name)
    data, labels = record.get(b"data"), record.get(b"labels")
    if not isinstance(data, _Array) or not isinstance(labels, list) or not labels:
        raise BadData("%s has no images under 'data', or no labels under 'labels'" % name)
    return data, labels
