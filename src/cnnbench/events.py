"""What a campaign says while it runs. The progress display, the log and the tests fold these."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cnnbench.case import Budget, Case
    from cnnbench.comparison import Outcome
    from cnnbench.proof import Proof
    from cnnbench.racing import Standing
    from cnnbench.record import Launch, Window
    from cnnbench.result import Result
    from cnnbench.stopping import Outlook


@dataclass(frozen=True, slots=True)
class CampaignStarted:
    """Measuring begins.

    Attributes:
        campaign: Its id.
        cases: To be measured.
        budget: For how long.
        kept: Launches of an interrupted campaign, which count.
        in_blocks: Whether all cases are launched together, in blocks.
    """

    campaign: str
    cases: tuple[Case, ...]
    budget: Budget
    kept: Sequence[Launch] = ()
    in_blocks: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """Every case is ready or has its reason; what is to come.

    Attributes:
        launches: Seconds that a launch of each ready case will take, None where that is not known.
        seconds: That all launches will take, at least, of the cases whose length is known.
    """

    launches: Mapping[Case, float | None]
    seconds: float


@dataclass(frozen=True, slots=True)
class StackLine:
    """A stack is being built, and this is what its build says."""

    stack: str
    line: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody else measures on this machine."""

    reason: str


@dataclass(frozen=True, slots=True)
class Shared:
    """Somebody else uses a GPU that is about to be measured on; names them, and is not stored."""

    reason: str


@dataclass(frozen=True, slots=True)
class LaunchStarted:
    """A fresh process begins to live a case."""

    case: Case
    launch: str
    number: int


@dataclass(frozen=True, slots=True)
class GuestStarted:
    """The process of a launch runs."""

    case: Case
    launch: str
    pid: int


@dataclass(frozen=True, slots=True)
class StageEntered:
    """The guest began a stage; `training` begins when the windows that may count do."""

    case: Case
    stage: str


@dataclass(frozen=True, slots=True)
class ProofStarted:
    """A case is about to be proven; its stack trains a few steps that are looked at."""

    case: Case


@dataclass(frozen=True, slots=True)
class ProofEnded:
    """It is known whether a case's training is right."""

    case: Case
    proof: Proof


@dataclass(frozen=True, slots=True)
class WindowTimed:
    """A window was measured."""

    case: Case
    launch: str
    window: Window


@dataclass(frozen=True, slots=True)
class LaunchEnded:
    """The process is gone, as planned or not."""

    case: Case
    launch: Launch


@dataclass(frozen=True, slots=True)
class CasePlanned:
    """The noise of a case is known, and with it what it takes to be so precise."""

    case: Case
    precision: float
    outlook: Outlook


@dataclass(frozen=True, slots=True)
class BlockEnded:
    """A block of a comparison is over; what is known by now.

    Attributes:
        number: From 1; 0 of the pilot.
        interleaved: Whether its arms took turns, window by window.
        outcome: Of all blocks so far.
        expected: Blocks that count when all is decided, on average.
    """

    number: int
    interleaved: bool
    outcome: Outcome
    expected: float


@dataclass(frozen=True, slots=True)
class RaceStarted:
    """A race is about to be made ready.

    Attributes:
        name: Which.
        seconds: After which no block of it begins; infinite where it has all the time.
    """

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class LapEnded:
    """A block of a race is over; how it stands."""

    number: int
    standing: Standing


@dataclass(frozen=True, slots=True)
class PeaksStarted:
    """It is being measured what this machine can do at best."""


@dataclass(frozen=True, slots=True)
class BlockMeasured:
    """A block of a diagnosis is over.

    Attributes:
        number: From 1; 0 of the pilot.
        counted: Blocks that count by now.
        blocks: That are wanted.
    """

    number: int
    counted: int
    blocks: int


@dataclass(frozen=True, slots=True)
class CaseDone:
    """A case needs no more launches."""

    result: Result


@dataclass(frozen=True, slots=True)
class CampaignEnded:
    """Every case is done."""

    campaign: str


Event = (
    CampaignStarted
    | Forecast
    | StackLine
    | Waiting
    | Shared
    | LaunchStarted
    | GuestStarted
    | StageEntered
    | ProofStarted
    | ProofEnded
    | WindowTimed
    | LaunchEnded
    | CasePlanned
    | BlockEnded
    | RaceStarted
    | LapEnded
    | PeaksStarted
    | BlockMeasured
    | CaseDone
    | CampaignEnded
)
Events = Generator[Event, None, None]
