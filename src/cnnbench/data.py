"""Where data sets stand on this machine, and how the one that may be downloaded is."""

from __future__ import annotations

import errno
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pooch

from cnnbench import catalog, folders
from cnnbench.errors import DataError

if TYPE_CHECKING:
    from types import ModuleType

VARIABLE = "CNNBENCH_DATA_DIR"
TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether a data set can be used here.

    Attributes:
        name: Of the data set.
        available: Whether a case may ask for it.
        path: Its directory; None where it is absent, or made and not read.
        reason: What to do where it is absent, or that it is made; else empty.
    """

    name: str
    available: bool
    path: Path | None
    reason: str


def root(data_dir: Path | None) -> Path:
    """The data directory: the one given, else CNNBENCH_DATA_DIR, else in the user's cache.

    The first that is said counts, whether or not anything is there: data from a place that nobody
    named would be measured unnoticed.
    """
    said = data_dir or os.environ.get(VARIABLE)
    return Path(said).expanduser().absolute() if said else folders.cache() / "data"


def locate(name: str, data_dir: Path | None) -> Path | None:
    """The directory of a data set; None for one that is made and not read.

    It is `<root>/<folder>`, or the root itself where that holds the layout.

    Raises:
        DataError: It is not there; the text gives the remedies.
        UsageError: There is no such data set.
    """
    module = catalog.module("datasets", name)
    if module.FOLDER is None:
        return None
    found = _found(module, root(data_dir))
    if found is None:
        raise DataError(f"{name} is not in {root(data_dir)}: {_remedy(name, module)}")
    return found


def get(name: str, data_dir: Path | None, *, progress: bool, url: str | None = None) -> Path:
    """Download a data set unless it is there, and return its directory.

    What is there as an archive is checked again, and replaced if its checksum differs. A download
    that fails, is cut short or differs from what was published leaves nothing behind.

    Args:
        name: Of the data set.
        data_dir: As in `root`.
        progress: Whether a progress bar is shown on standard error.
        url: Where to load it from, in place of the publisher's address.

    Raises:
        DataError: It cannot be downloaded, or could not be.
        UsageError: There is no such data set.
    """
    module = catalog.module("datasets", name)
    if module.FOLDER is None:
        raise DataError(f"{name} is made when it is read; there is nothing to download")
    if not hasattr(module, "URL"):
        raise DataError(f"{name} cannot be downloaded: {_remedy(name, module)}")
    found = _found(module, root(data_dir))
    directory = found or root(data_dir) / module.FOLDER
    archive = directory / module.URL.rpartition("/")[2]
    if archive.exists() or not found:
        _download(url or module.URL, module.SHA256, archive, progress=progress)
    return directory


def status(data_dir: Path | None) -> list[Standing]:
    """How every data set stands, by name."""
    return [_standing(name, data_dir) for name in sorted(catalog.names("datasets"))]


def _standing(name: str, data_dir: Path | None) -> Standing:
    try:
        path = locate(name, data_dir)
    except DataError as error:
        return Standing(name=name, available=False, path=None, reason=str(error))
    made = "" if path else "made when it is read"
    return Standing(name=name, available=True, path=path, reason=made)


def _found(module: ModuleType, directory: Path) -> Path | None:
    names: list[str] = [module.FOLDER, getattr(module, "SAMPLE", module.FOLDER), "."]
    for place in (directory / name for name in names):
        if any((place / held).exists() for held in module.HOLDS):
            return place
    return None


def _remedy(name: str, module: ModuleType) -> str:
    given = f"give --data-dir DIR (or {VARIABLE}) where {module.LAYOUT} stands"
    if hasattr(module, "URL"):
        return f"{given}, or run: cnnbench data get {name}"
    return f"{given}; it cannot be downloaded for you, its publisher gives it on request"


def _download(url: str, sha256: str, path: Path, *, progress: bool) -> None:
    # Its log says on standard error what the caller knows, in five lines.
    pooch.get_logger().setLevel(logging.ERROR)
    fetch: Any = pooch.HTTPDownloader(progressbar=progress, timeout=TIMEOUT_SECONDS)
    try:
        pooch.retrieve(url, f"sha256:{sha256}", path.name, path.parent, downloader=fetch)
    except OSError as error:  # also what requests raises
        raise DataError(_why(error, url, path)) from error
    except ValueError as error:
        raise DataError(
            f"{path.name} from {url} is not what was published (its SHA-256 differs);"
            " nothing was kept: try again, or fetch it by other means"
        ) from error


def _why(error: OSError, url: str, path: Path) -> str:
    if error.errno == errno.ENOSPC:
        return f"no space left in {path.parent}: free some, or give another --data-dir"
    if error.errno is not None:
        return f"cannot write {path}: {error.strerror}; give another --data-dir"
    said = " ".join(str(error).split())
    return f"cannot download {url}: {said}; try again, or put {path.name} into {path.parent}"
