"""What a guest that proves says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cnnbench.probe import wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cnnbench.link.conversation import Conversation

SILENCE_SECONDS = 900.0


class UnverifiableError(Exception):
    """Why nothing can be compared, in one line."""


def answer(conversation: Conversation, kind: type) -> Any:
    """The guest's next message of a kind.

    Raises:
        UnverifiableError: It failed.
    """
    *_, message = _messages(conversation, kind)
    return message


def facts(conversation: Conversation, kind: type) -> dict[str, Any]:
    """All that the guest tells of itself up to a message of a kind.

    Raises:
        UnverifiableError: It failed.
    """
    found: dict[str, Any] = {}
    for message in _messages(conversation, kind):
        found |= getattr(message, "facts", {})
        if isinstance(message, wire.Built):
            found["parameters"] = message.parameters
    return found


def arrays(path: Path) -> dict[str, Any]:
    """What a guest has written down, by name."""
    with np.load(path) as file:
        return dict(file)


def _messages(conversation: Conversation, kind: type) -> Iterator[Any]:
    for message in conversation.until(kind):
        if isinstance(message, wire.Failed):
            raise UnverifiableError(f"{message.stage}: {message.message}")
        yield message
