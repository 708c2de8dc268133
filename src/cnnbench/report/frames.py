"""Results and windows as data frames of Polars or pandas, whichever is wanted."""

from __future__ import annotations

import importlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cnnbench.errors import UsageError
from cnnbench.report import flat

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cnnbench.record import Launch
    from cnnbench.result import Result

LIBRARIES = ("polars", "pandas")


def results(found: Sequence[Result], library: str = "polars") -> Any:
    """A frame of one row a result, with the columns of `flat.rows`.

    Raises:
        UsageError: The library is not known, or not installed.
    """
    return _frame(flat.rows(found), library)


def windows(launches: Iterable[Launch], library: str = "polars") -> Any:
    """A frame of one row a window: of which launch and case it is, and all that is known of it.

    Raises:
        UsageError: The library is not known, or not installed.
    """
    rows = [
        {
            "launch": launch.id,
            "case": launch.case.id,
            "stack": launch.case.stack,
            "number": launch.number,
            **asdict(window),
        }
        for launch in launches
        for window in launch.windows
    ]
    return _frame(rows, library)


def _frame(rows: Sequence[dict[str, Any]], library: str) -> Any:
    if library not in LIBRARIES:
        raise UsageError(f"unknown library '{library}'; known: {', '.join(LIBRARIES)}")
    try:
        module = importlib.import_module(library)
    except ImportError:
        raise UsageError(f"{library} is not installed; install it: pip install {library}") from None
    if library == "polars":
        # Types from all rows: a column may begin with nothing.
        return module.DataFrame(rows, infer_schema_length=None)
    return module.DataFrame(rows)
