"""Everything that was measured, from a store or from files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench.cli.sources import in_files
from cnnbench.store import exchange
from cnnbench.store.address import default_url
from cnnbench.store.database import Store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cnnbench.store.exchange import Recorded


def gathered(place: str | None, source: Sequence[Path] | None) -> Recorded:
    """Everything in files that the user names, or else in a store.

    Raises:
        StoreError: It cannot be read.
        UsageError: There is no such file.
    """
    if source:
        return in_files(source)
    with Store.open(place or default_url(), read_only=True) as opened:
        return exchange.everything(opened)
