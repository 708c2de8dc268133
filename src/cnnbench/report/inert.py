"""Texts from elsewhere that can do no harm to a terminal, an editor or a reader."""

from __future__ import annotations

import re

# Controls but for line ends and tabs, and signs that turn the direction of text.
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
LONGEST = 4000  # characters that a reader bears


def calm(text: str) -> str:
    """A text whose control characters are replaced by a sign that does nothing."""
    return CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def inert(text: str) -> str:
    """The same, no longer than a reader bears."""
    found = calm(text)
    return found if len(found) <= LONGEST else f"{found[:LONGEST]}… ({len(found)} characters)"
