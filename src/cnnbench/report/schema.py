"""JSON Schemas of what `--json` writes, made from types. New keys may be added, none change.

Source: JSON Schema, draft 2020-12.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import TypeAdapter, WithJsonSchema
from typing_extensions import TypedDict

from cnnbench.case import Case
from cnnbench.errors import unknown

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Scalar = str | int | float | bool | None
Facts = dict[str, Scalar]


def _case() -> dict[str, Any]:
    """The axes of a case, as its dataclass has them, and the id that they give."""
    axes = TypeAdapter(Case).json_schema()
    properties = {"id": {"type": "string"}, **axes["properties"]}
    return axes | {"title": "Case", "properties": properties, "required": list(properties)}


CaseWithId = Annotated[dict[str, Any], WithJsonSchema(_case())]


class Interval(TypedDict):
    """A mean and where it may lie; null where one value bounds nothing."""

    point: float
    low: float | None
    high: float | None


class Estimate(Interval):
    """The same across launches or blocks, of which there are n."""

    confidence: float
    n: int


class Convergence(TypedDict):
    """Images that a case with a goal needs, over the reference's."""

    images: Estimate
    p_better: float
    reference: int


class Result(TypedDict):
    """What is concluded of a case."""

    case: CaseWithId
    verdict: Literal[
        "settled", "noisy", "no steady state", "failed", "unsupported", "refused", "not reached"
    ]
    reason: str
    labels: list[str]
    images_per_second: Estimate | None
    metrics: dict[str, Estimate]
    facts: Facts
    proof: str | None
    convergence: Convergence | None
    launches: list[str]


class Scaling(TypedDict):
    """Several devices against one."""

    case: str
    kind: Literal["weak", "strong"]
    efficiency: Estimate


class Results(TypedDict):
    """What `run` and `show` write."""

    schema: Literal[1]
    machine: Facts
    results: list[Result]
    scaling: list[Scaling]


class Failure(TypedDict):
    """Why something gave no result."""

    stage: str
    kind: str
    message: str
    traceback: str
    log_tail: str


class Arm(TypedDict):
    """One side of a comparison."""

    name: str
    case: CaseWithId
    images_per_second: Estimate | None
    failure: Failure | None


class Compared(TypedDict):
    """Two arms."""

    baseline: str
    candidate: str
    ratio: Estimate | None
    verdict: Literal["faster", "slower", "equivalent", "different but small", "inconclusive"]
    reason: str


class Comparison(TypedDict):
    """What `compare` writes."""

    schema: Literal[1]
    machine: Facts
    instance: str
    margin: float
    blocks: int
    arms: list[Arm]
    comparisons: list[Compared]
    best: list[str]
    control: Estimate | None
    set_aside: dict[str, int]


class Answer(TypedDict):
    """Where along candidates the speed changed."""

    word: Literal["found", "no change", "gradual", "undecided"]
    before: str
    after: str
    verdict: Literal["faster", "slower", ""]


class Bisection(TypedDict):
    """What `bisect` writes."""

    schema: Literal[1]
    machine: Facts
    candidates: list[str]
    answer: Answer
    comparisons: list[Compared]


class Proof(TypedDict):
    """Whether a case's training is right."""

    id: str
    subject: dict[str, Any]
    made_at: str
    seed: int
    outcome: Literal["same", "differs, explained", "wrong", "unverified"]
    reason: str
    explanations: list[str]
    checks: list[Facts]
    losses: dict[str, list[float]]
    facts: Facts


class Proofs(TypedDict):
    """What `verify` writes."""

    schema: Literal[1]
    machine: Facts
    proofs: list[Proof]


class Gain(TypedDict):
    """How many times as good one configuration is as another."""

    better: str
    worse: str
    ratio: float
    low: float | None
    high: float | None
    blocks: int


class Race(TypedDict):
    """A race of configurations."""

    name: str
    configurations: list[CaseWithId]
    blocks: list[dict[str, float]]
    leader: str | None
    stayed: list[str]
    behind: dict[str, float]
    failures: dict[str, str]
    proofs: dict[str, Literal["same", "differs, explained", "wrong", "unverified"]]
    launches: list[str]


class Tuning(TypedDict):
    """What `tune` writes."""

    schema: Literal[1]
    machine: Facts
    objective: str
    seconds: float
    present: CaseWithId
    best: CaseWithId | None
    maybe_best: list[str]
    gain: Gain | None
    contributions: dict[str, Gain]
    races: list[Race]


class Ceiling(TypedDict):
    """How many times as fast it could be; null where nothing bounds it."""

    point: float | None
    low: float | None
    high: float | None


class Part(TypedDict):
    """A part of a training step."""

    name: str
    seconds: Interval
    share: Interval
    ceiling: Ceiling


class Effect(TypedDict):
    """Another way to train."""

    name: str
    ratio: Interval
    ceiling: Ceiling | None


class Diagnosis(TypedDict):
    """What `diagnose` writes."""

    schema: Literal[1]
    machine: Facts
    case: CaseWithId
    images_per_second: Interval | None
    blocks: int
    parts: list[Part]
    effects: list[Effect]
    flop_per_image: float | None
    flop_per_second: float | None
    peaks: dict[str, Any] | None
    failures: dict[str, str]


class Point(TypedDict):
    """One campaign of a case."""

    campaign: str
    started_at: str
    images_per_second: Estimate
    recorded: dict[str, Any]


class Change(TypedDict):
    """A change of speed."""

    campaign: str
    started_at: str
    factor: float
    p: float
    campaigns_after: int
    too_new: bool
    differs: dict[str, list[Any]]


class Series(TypedDict):
    """A case on a machine."""

    case: CaseWithId
    machine_id: str
    campaigns_without_number: int
    points: list[Point]
    changes: list[Change]


class History(TypedDict):
    """What `history` writes."""

    schema: Literal[1]
    least: float
    series: list[Series]


class Job(TypedDict):
    """A training."""

    images: int
    epochs: float
    validation: int


class Bill(TypedDict):
    """What a job takes in one configuration on one machine."""

    case: CaseWithId
    instance: str
    machine_id: str
    verdict: str
    notes: str
    seconds: Interval
    money: Interval | None
    images_per_money: Interval | None
    joules: Interval | None
    may_be_best: bool


class Costs(TypedDict):
    """What `cost` writes."""

    schema: Literal[1]
    job: Job
    currency: str | None
    bills: list[Bill]


DOCUMENTS: dict[str, Any] = {
    "run": Results,
    "compare": Comparison,
    "bisect": Bisection,
    "verify": Proofs,
    "tune": Tuning,
    "diagnose": Diagnosis,
    "history": History,
    "cost": Costs,
}


def schema(command: str) -> dict[str, Any]:
    """The JSON Schema of what a command writes.

    Raises:
        UsageError: There is none of this name; the message has the nearest names.
    """
    if command not in DOCUMENTS:
        raise unknown("document", command, DOCUMENTS)
    return {"$schema": DIALECT, **TypeAdapter(DOCUMENTS[command]).json_schema()}
