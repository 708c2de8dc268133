"""Raw launches that the user names by files and folders, in place of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench.errors import UsageError
from cnnbench.store import exchange

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cnnbench.store.exchange import Recorded


def in_files(paths: Sequence[Path]) -> Recorded:
    """All launches in files and folders of files.

    Raises:
        UsageError: There is no such file.
        StoreError: One cannot be read.
    """
    inside = [sorted(path.glob("*.jsonl")) if path.is_dir() else [path] for path in paths]
    files = [file for found in inside for file in found]
    if not files:
        raise UsageError(f"no file of launches (*.jsonl) is in {', '.join(map(str, paths))}")
    return exchange.merge(exchange.read(file) for file in files)
