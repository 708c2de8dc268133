"""Where work is done: on this machine, or on the nodes of a fleet.

Work is a generator function whose arguments can be sent: it yields events and returns what it
found, on whichever machine runs it. A generator that waits for another machine yields None
meanwhile, so that one process follows many of them without threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from cnnbench import events
from cnnbench.errors import CnnbenchError
from cnnbench.readiness import exclusive, readied

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from contextlib import ExitStack

    from cnnbench.case import Case
    from cnnbench.prepare import NotReady, Own, Ready
    from cnnbench.record import Facts

    Happening = events.Event | None
    Happenings = Generator[Happening, None, None]

T = TypeVar("T")
H = TypeVar("H", bound="Iterator[Happening]")

TRIES = 5  # of work that is lost each time, in a row


class LostError(CnnbenchError):
    """What did some work died; nothing more will be known of that work."""


class UnbegunError(LostError):
    """What was to do some work was dead already, which tells nothing of the work."""


class Place(Protocol):
    """Does one thing at a time.

    Attributes:
        facts: Of every launch that lives there.
        alive: Whether more can be done there.
    """

    @property
    def facts(self) -> Facts: ...  # noqa: D102  see the class

    @property
    def alive(self) -> bool: ...  # noqa: D102

    def run(
        self, work: Callable[..., Generator[Happening, None, T]], *arguments: Any
    ) -> Generator[Happening, None, T]:
        """Do work, and return what it returns.

        Raises:
            LostError: What did it died; UnbegunError: before it began.
        """


class Executor(Protocol):
    """Places that are alike: what one of them measures holds of all."""

    def begin(self, held: ExitStack) -> Iterator[events.Event]:
        """Take what is needed, which `held` gives back."""

    def places(self) -> Sequence[Place]:
        """Those that are alive now."""

    def wait(self) -> None:
        """Wait a moment, or until work that is being done elsewhere has something to say."""


class Here:
    """This machine."""

    def __init__(self) -> None:
        self.facts: Facts = {}
        self.alive = True

    def run(
        self, work: Callable[..., Generator[Happening, None, T]], *arguments: Any
    ) -> Generator[Happening, None, T]:
        """Do work in this process."""
        return work(*arguments)


class Readied:
    """Cases made ready at places, each once.

    Args:
        own: The user's own files and environments.
    """

    def __init__(self, own: Own) -> None:
        self._own = own
        self._made: dict[tuple[Place, Case], Ready | NotReady] = {}

    def at(self, place: Place, case: Case) -> Generator[Happening, None, Ready | NotReady]:
        """A case with all that it needs there, or why it cannot be."""
        if (place, case) not in self._made:
            self._made[place, case] = yield from place.run(readied, case, self._own)
        return self._made[place, case]


class Alone:
    """This machine, and no other."""

    def __init__(self) -> None:
        self._places = (Here(),)

    def begin(self, held: ExitStack) -> Iterator[events.Event]:
        """Take the machine to oneself."""
        yield from exclusive(held)

    def places(self) -> Sequence[Place]:
        """This machine."""
        return self._places

    def wait(self) -> None:
        """Nothing is done elsewhere that could be waited for."""
        raise AssertionError("this machine waits for itself")


def together(
    executor: Executor,
    serve: Callable[[Place], Happenings],
    left: Callable[[], bool],
) -> Happenings:
    """Have all places serve at once until nothing is left, those that join meanwhile too.

    Args:
        executor: Of the places.
        serve: What a place does; it ends when nothing is left, or when its place is dead.
        left: Whether anything is.
    """
    serving: dict[Place, Happenings] = {}
    said = False
    try:
        while serving or left():
            idle = [place for place in executor.places() if place not in serving] if left() else []
            serving |= {place: serve(place) for place in idle}
            if not serving and not said:
                yield events.Waiting("no node of this kind is alive; waiting for one")
                said = True
            moved = yield from _advance(serving)
            said = said and not moved
            if not moved:
                yield None
    finally:
        for happening in serving.values():
            happening.close()


def heard(executor: Executor, *happenings: Happenings) -> events.Events:
    """The events of generators that go on at once, waited for where none has any."""
    going = dict(enumerate(happenings))
    try:
        while going:
            moved = yield from _advance(going)
            if not moved:
                executor.wait()
    finally:
        for one in going.values():
            one.close()


def _advance(going: dict[Any, H]) -> Generator[events.Event, None, bool]:
    """Take what each has to say next, and drop those that ended; whether anything happened."""
    moved = False
    for name, one in tuple(going.items()):
        try:
            event = next(one)
        except StopIteration:
            del going[name]
            moved = True
            continue
        if event is not None:
            moved = True
            yield event
    return moved
