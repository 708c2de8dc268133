"""Reading what the kernel tells in small files, under a root that tests can replace."""

from __future__ import annotations

from pathlib import Path

ROOT = Path("/")


def text(root: Path, path: str) -> str | None:
    """The stripped text of a file, or None if it is absent, unreadable or empty."""
    try:
        return (root / path).read_text(encoding="utf-8", errors="replace").strip() or None
    except OSError:
        return None


def number(root: Path, path: str) -> int | None:
    """The one integer of a file, or None if that is not what the file holds."""
    return integer(text(root, path))


def field(root: Path, path: str, name: str) -> int | None:
    """The integer after `name` in a file of lines `name integer`, or None."""
    for line in (text(root, path) or "").splitlines():
        if line.startswith(f"{name} "):
            return integer(line.removeprefix(f"{name} ").strip())
    return None


def integer(value: str | None) -> int | None:
    """The integer that a text spells, or None: kernels also write words, like `max`."""
    try:
        return int(value or "")
    except ValueError:
        return None
