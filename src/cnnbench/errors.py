"""What can go wrong, and how it is told.

    CnnbenchError       one line on standard error that says what to do next; never a traceback
    ├── UsageError      the command was wrong: unknown name, impossible case, bad file (exit 2)
    ├── StackError      a stack cannot be built or started here; the text gives the mending command
    ├── DataError       a data set is absent, truncated or corrupt; the text names the file
    ├── StoreError      the store cannot be read or written, or has a newer schema
    └── ProbeError      the guest broke the conversation: garbage, silence, death

Training that fails is not here: that is `record.Failure`, a result like any other.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class CnnbenchError(Exception):
    """The base of everything that is told in one line."""


class UsageError(CnnbenchError):
    """The command asked for something that does not exist or cannot be."""


class StackError(CnnbenchError):
    """A stack cannot be built or started on this machine."""


class DataError(CnnbenchError):
    """A data set is absent, truncated or corrupt."""


class StoreError(CnnbenchError):
    """The store cannot be used."""


class ProbeError(CnnbenchError):
    """The guest did not keep to the conversation.

    Args:
        kind: `killed`, `died`, `silent` or `garbage`.
        message: What happened, in one line.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def unknown(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a name that is not in the catalog, with the nearest names that are."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names)}"
    return UsageError(f"unknown {kind} '{name}'; {hint}")
