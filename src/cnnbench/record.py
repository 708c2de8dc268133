"""What was seen: windows, failures, launches. Raw, immutable, serialisable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnbench.case import Case

Scalar = str | int | float | bool | None
Facts = Mapping[str, Scalar]

FIRST_STEP, PILOT, WARM_UP, STEADY = "first step", "pilot", "warm-up", "steady"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Training steps timed between two device synchronisations.

    Attributes:
        index: Position in the launch, from 0.
        role: Why it was asked for: `first step`, `pilot`, `warm-up` or `steady`.
        steps: Training steps done.
        images: Images consumed, partial batches counted exactly.
        seconds: Monotonic wall time, synchronisation at the end included.
        started: Seconds since the guest was ready to train.
        fence: Seconds that a synchronisation of the idle device takes.
        loss: The loss that the method reported last; None if it reported none.
        accuracy: Share of the held-out images that were classified rightly after it; None where
            nothing was evaluated.
    """

    index: int
    role: str
    steps: int
    images: int
    seconds: float
    started: float
    fence: float = 0.0
    loss: float | None = None
    accuracy: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a launch gave no result.

    Attributes:
        stage: Where: `stack`, `import`, `data`, `build`, `compile`, `first step`, `training`.
        kind: `unsupported` (cannot run as asked), `error` (an exception in the guest), or the
            kind of a `ProbeError`: `killed`, `died`, `silent`, `garbage`.
        message: One line, and what to do next where something can be done.
        traceback: The guest's, if it raised.
        log_tail: The last lines of the guest's standard error.
    """

    stage: str
    kind: str
    message: str
    traceback: str = ""
    log_tail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One fresh process that lived one case.

    Attributes:
        id: Unique.
        campaign: The campaign that it belongs to.
        case: What was measured.
        number: Position among the launches of its case in its campaign, from 1.
        seed: Of data order and initial weights.
        stack_fingerprint: Digest of the stack's definition and lock.
        probe_digest: Digest of the guest's sources.
        started_at: UTC, ISO 8601.
        machine: Facts of the host.
        stages: Seconds of `import`, `data`, `build`, `compile`, `first step`.
        facts: What the guest found after boot, and at its end.
        windows: In order.
        failure: None if the launch ended as planned.
        arm: The arm of a comparison that it is of; empty if it is of none.
        block: The block of the comparison, from 1; 0 of the pilot, None of no comparison.
    """

    id: str
    campaign: str
    case: Case
    number: int
    seed: int
    stack_fingerprint: str
    probe_digest: str
    started_at: str
    machine: Facts
    stages: Mapping[str, float] = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)
    windows: tuple[Window, ...] = ()
    failure: Failure | None = None
    arm: str = ""
    block: int | None = None

    @property
    def steady(self) -> tuple[Window, ...]:
        """The windows that count."""
        return tuple(window for window in self.windows if window.role == STEADY)
