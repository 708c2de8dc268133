"""A conversation: typed messages with a guest, over its process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from cnnbench.errors import ProbeError
from cnnbench.probe import wire

if TYPE_CHECKING:
    from collections.abc import Iterator


class Line(Protocol):
    """What a conversation needs of a process."""

    def write(self, line: str) -> None:
        """Send one line."""

    def read(self, seconds: float) -> str:
        """Wait for one line."""


class Conversation:
    """Asks a guest, and understands it.

    Args:
        line: The guest's process.
        silence_seconds: How long to wait for a message.
    """

    def __init__(self, line: Line, silence_seconds: float) -> None:
        self._line = line
        self._silence = silence_seconds

    def tell(self, message: Any) -> None:
        """Send a message."""
        self._line.write(wire.encode(message))

    def hear(self) -> Any:
        """The next message.

        Raises:
            ProbeError: The guest is silent, gone, or speaks garbage.
        """
        line = self._line.read(self._silence)
        try:
            return wire.decode(line)
        except ValueError:
            raise ProbeError(
                "garbage", f"the guest said what is no message: {line[:80]!r}"
            ) from None

    def until(self, *kinds: type) -> Iterator[Any]:
        """Messages up to and including the first of some kinds, or a failure."""
        while True:
            message = self.hear()
            yield message
            if isinstance(message, (*kinds, wire.Failed)):
                return
