"""The guest as one file: a zip that a stack's Python runs, named by the digest of its sources."""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
import zipfile
from pathlib import Path

from cnnbench import probe

SOURCES = Path(probe.__file__).parent
START = "from probe.__main__ import main\n\nmain()\n"


@functools.cache
def digest() -> str:
    """Twelve hexadecimal digits of the guest's sources: which code measured a number."""
    whole = hashlib.sha256()
    for path in _files():
        whole.update(f"{path.relative_to(SOURCES).as_posix()}\0".encode())
        whole.update(path.read_bytes() + b"\0")
    return whole.hexdigest()[:12]


def build(folder: Path) -> Path:
    """Write the zip into a folder if it is not there; two at once are safe.

    Only one name, `probe`, is added to the stack's import path: nothing of it can be shadowed.
    """
    target = folder / f"probe-{digest()}.pyz"
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=folder, suffix=".draft")
    with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr("__main__.py", START)
        for path in _files():
            archive.write(path, f"probe/{path.relative_to(SOURCES).as_posix()}")
    Path(draft).replace(target)
    return target


def _files() -> list[Path]:
    return sorted(path for path in SOURCES.rglob("*.py"))
