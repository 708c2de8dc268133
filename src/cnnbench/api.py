"""What was measured, for programs in Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cnnbench.report import frames
from cnnbench.report.conclusions import conclusions
from cnnbench.store import exchange
from cnnbench.store.address import default_url
from cnnbench.store.database import Store


def load(place: str | Path | None = None, *, windows: bool = False, library: str = "polars") -> Any:
    """What was measured, as a data frame: a row for each result, or for each window.

    A result is of one case on one machine, by the last campaign that has any of it; the columns are
    those of `cnnbench export --format csv`. Speeds are images per second, times seconds, memory
    bytes; bounds are of 95 % intervals.

    Args:
        place: A file of raw launches (`.jsonl`), a folder of them, or a store's file or URL; the
            user's own store without it.
        windows: A row for each window of every launch, instead.
        library: `polars` or `pandas`, which must be installed.

    Raises:
        CnnbenchError: It cannot be read, or the library is missing: one line says what to do.

    Example:
        >>> cnnbench.load("results").filter(pl.col("verdict") == "settled")  # doctest: +SKIP
    """
    recorded = _recorded(place)
    if windows:
        return frames.windows(recorded.launches, library)
    return frames.results(conclusions(exchange.newest(recorded)), library)


def _recorded(place: str | Path | None) -> exchange.Recorded:
    files = _files(place)
    if files:
        return exchange.merge(map(exchange.read, files))
    with Store.open(place or default_url(), read_only=True) as store:
        return exchange.everything(store)


def _files(place: str | Path | None) -> list[Path]:
    """The files of raw launches that a place names; none if it is a store."""
    path = Path(place) if place else None
    if path and path.is_dir():
        return sorted(path.glob("*.jsonl"))
    return [path] if path and path.suffix == ".jsonl" else []
