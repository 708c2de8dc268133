"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, text: str | bytes) -> None:
    """Write a text, if need be in UTF-8, to a file, in whose place it stands once it is all there.

    Raises:
        OSError: It cannot be written; what was there before is left as it was.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(text.encode() if isinstance(text, str) else text)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
