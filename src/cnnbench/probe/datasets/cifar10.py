"""CIFAR-10: 50,000 photographs of 32x32 in 10 classes to train on, 10,000 that are held out.

Source: Alex Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009,
https://www.cs.toronto.edu/~kriz/cifar.html. Licence: the publisher states none and asks for that
citation; the photographs come from the web, for research. Stored as `cifar-10-batches-py/`, or
`cifar-10-python.tar.gz` which holds it and is read without unpacking: pickled batches of 10,000
images each, five to train on and one to test.
"""

import hashlib
import os
import tarfile
from typing import Any, Dict, Iterator, List, Tuple

from ..faults import BadData, reason

SHAPE = (32, 32, 3)
CLASSES = 10
FOLDER = "cifar10"
BATCHES = "cifar-10-batches-py"
ARCHIVE = "cifar-10-python.tar.gz"
HOLDS = (BATCHES, ARCHIVE)
LAYOUT = "cifar-10-batches-py/ or cifar-10-python.tar.gz"
URL = "https://www.cs.toronto.edu/~kriz/" + ARCHIVE
SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"

# As published, and as torchvision checks them.
MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
}
TEST_MD5 = {"test_batch": "40351d587109b95175f43aff81a1287e"}

# The publisher's batches have 31 MB; an archive that unpacks to gigabytes is not theirs.
LARGEST_BATCH = 1 << 26


def open_source(directory: str, seed: int) -> Any:  # noqa: ARG001
    """The training images, in the publisher's order; that has no seed.

    Raises:
        BadData: A batch is missing, truncated, or not what the publisher's layout says.
    """
    return _opened(directory, MD5)


def open_held_out(directory: str, seed: int) -> Any:  # noqa: ARG001
    """The test images; as `open_source`."""
    return _opened(directory, TEST_MD5)


def _opened(directory: str, wanted: Dict[str, str]) -> Any:
    """The images of some batches, whose checksums are known."""
    from . import _batches, _held

    folder = os.path.join(directory, BATCHES)
    unpacked = os.path.isdir(folder)
    archive = os.path.join(directory, ARCHIVE)
    read = _from_folder(folder, wanted) if unpacked else _from_archive(archive, wanted)
    batches, genuine = {}, True
    for name, content in read:
        genuine = genuine and _md5(content) == wanted[os.path.basename(name)]
        batches[name] = _batches.parse(content, name, SHAPE[0], CLASSES)
    facts = {
        "classes": CLASSES,
        "from": BATCHES if unpacked else ARCHIVE,
        "checksum": "ok" if genuine else "differs",
    }
    # The archive has them in another order than their names.
    images, labels = _joined([batches.pop(name) for name in sorted(batches)])
    return _held.Held(images, labels, facts)


def _md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()  # noqa: S324  # the one checksum that is published


def _from_folder(folder: str, wanted: Dict[str, str]) -> Iterator[Tuple[str, bytes]]:
    for batch in sorted(wanted):
        name = BATCHES + "/" + batch
        try:
            with open(os.path.join(folder, batch), "rb") as file:
                content = file.read(LARGEST_BATCH + 1)
        except OSError as error:
            raise BadData("%s: %s" % (name, reason(error))) from error
        _check_size(name, len(content))
        yield name, content


def _from_archive(path: str, wanted: Dict[str, str]) -> Iterator[Tuple[str, bytes]]:
    """Read the batches out of the archive in the order in which they stand there."""
    missing = set(wanted)
    try:
        with tarfile.open(path, "r|gz") as archive:
            for member in archive:
                folder, _, batch = member.name.rpartition("/")
                if folder == BATCHES and batch in missing and member.isfile():
                    _check_size(member.name, member.size)
                    missing.discard(batch)
                    file: Any = archive.extractfile(member)
                    yield member.name, file.read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise BadData("%s cannot be read: %s" % (ARCHIVE, reason(error))) from error
    if missing:
        raise BadData("%s is truncated, or lacks %s" % (ARCHIVE, ", ".join(sorted(missing))))


def _check_size(name: str, size: int) -> None:
    if size > LARGEST_BATCH:
        raise BadData("%s is larger than any CIFAR-10 batch" % name)


def _joined(batches: List[Tuple[Any, Any]]) -> Tuple[Any, Any]:
    """One array of each, channels last; a batch is let go as soon as it is copied."""
    import numpy as np

    labels = np.concatenate([y for _, y in batches])
    images = np.empty((len(labels),) + SHAPE, np.uint8)
    start = 0
    while batches:
        x, _ = batches.pop(0)
        images[start : start + len(x)] = x
        start += len(x)
    return images, labels
