"""The guest of a stack, which trains on what it is given and writes down what came of it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from cnnbench import launch
from cnnbench.link.conversation import Conversation
from cnnbench.probe import wire
from cnnbench.proving import hearing
from cnnbench.verification import given

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from cnnbench.prepare import Ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a stack told and saw of its steps.

    Attributes:
        folder: Of what it was given, and has written down.
        seed: Of that, and of the order of the images.
        windows: As it told of them.
        facts: What ran.
        given: First weights, images and labels.
        seen: What the steps made of the weights, and what was counted.
    """

    folder: Path
    seed: int
    windows: Sequence[Any]
    facts: Mapping[str, Any]
    given: Mapping[str, Any]
    seen: Mapping[str, Any]

    @property
    def losses(self) -> list[float]:
        """Of each step that was a window of its own."""
        return [window.loss for window in self.windows if window.steps == 1]


class Trainee:
    """One process, which trains as often as it is told to, each time a new model.

    Args:
        ready: The case with all that its stack needs.
        described: The reference's model.
        folder: The process' own.
        ordered: Whether weights are only updated once all gradients are there.
    """

    def __init__(
        self, ready: Ready, described: wire.Described, folder: Path, *, ordered: bool = False
    ) -> None:
        case = replace(ready.case, batch_size=described.batch, augment=False, until=None)
        self._ready = replace(ready, case=case, data=None, dataset_file=None)
        self._described = described
        self._folder = folder
        self._ordered = ordered
        self._held = ExitStack()
        self._conversation: Conversation | None = None
        self._booted: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._conversation is not None and kind is None:
            self._conversation.tell(wire.Finish())
        self._held.__exit__(kind, error, trace)

    def train(self, folder: Path, seed: int) -> Run:
        """Train a few steps, each a window of its own, and a last window of more.

        Args:
            folder: Where what is given and what is seen go.
            seed: Of both.

        Raises:
            UnverifiableError: The stack cannot.
            ProbeError: Its process did not keep to the conversation.
        """
        mild = self._ready.case.precision == "float16"
        given.write(folder / "given.npz", self._described, seed, mild=mild)
        conversation = self._told(folder, seed)
        facts = self._booted | hearing.facts(conversation, wire.Compiled)
        self._booted = self._booted or facts
        windows = []
        for steps in [1] * (given.STEPS + given.LEARNING) + [given.MORE_STEPS]:
            conversation.tell(wire.Measure(steps=steps))
            windows.append(hearing.answer(conversation, wire.Window))
        conversation.tell(wire.Finish())
        facts |= hearing.facts(conversation, wire.Finished)
        return Run(
            folder=folder,
            seed=seed,
            windows=windows,
            facts=facts,
            given=hearing.arrays(folder / "given.npz"),
            seen=hearing.arrays(folder / "seen.npz"),
        )

    def _told(self, folder: Path, seed: int) -> Conversation:
        """The talk with the process, which knows what to begin with."""
        if self._conversation is not None:
            self._conversation.tell(wire.Again(folder=str(folder), seed=seed))
            return self._conversation
        self._folder.mkdir()
        process = self._held.enter_context(launch.start(self._ready, self._folder))
        self._conversation = Conversation(process, hearing.SILENCE_SECONDS)
        self._conversation.tell(launch.order(self._ready, seed, folder, ordered=self._ordered))
        return self._conversation
