"""Files that a command writes besides its JSON: checked before anything is measured."""

from __future__ import annotations

from pathlib import Path

from cnnbench.cli import output
from cnnbench.errors import UsageError


def check(target: str, option: str) -> None:
    """Raise UsageError if a file could not be written.

    Args:
        target: Its path.
        option: That named it, to say in the error.
    """
    try:
        output.check_target(target)
    except UsageError as error:
        raise UsageError(str(error).replace("give --json", f"give {option}")) from None


def write(target: str, text: str, *, append: bool = False) -> None:
    """Write a text, or append it.

    Raises:
        UsageError: The file cannot be written.
    """
    try:
        with Path(target).open("a" if append else "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}") from None
