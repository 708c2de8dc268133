"""What is concluded of a case: estimates and a verdict, derived from launches on reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from cnnbench import catalog, goal, plan, recipes, stopping
from cnnbench.judge import UNPROVEN, Judgement, counting, judge
from cnnbench.proof import UNVERIFIED
from cnnbench.stats.interval import geometric, independent
from cnnbench.stats.steady import NO_STEADY_STATE, SLOWDOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    from cnnbench.case import Budget, Case
    from cnnbench.record import Facts, Launch

SETTLED, NOISY, FAILED, UNSUPPORTED = "settled", "noisy", "failed", "unsupported"
REFUSED = "refused"
UNSTEADY = NO_STEADY_STATE
NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with its interval across launches.

    Attributes:
        point: Geometric mean.
        low: Lower bound; None for a single launch.
        high: Upper bound; None for a single launch.
        confidence: Of the interval, over all looks that were planned together.
        n: Launches that count.
    """

    point: float
    low: float | None
    high: float | None
    confidence: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Convergence:
    """How many images a case needs to its goal, against the reference.

    Attributes:
        images: Over what the reference needs; `n` are launches of the case.
        p_better: One-sided, for needing fewer: small if it does.
        reference: Launches of the reference that reached the goal.
    """

    images: Estimate
    p_better: float
    reference: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A case's verdict.

    Attributes:
        case: What was measured.
        verdict: `settled`, `noisy`, `no steady state`, `failed`, `unsupported`, `not reached` where
            a goal was not, or `refused` where training is proven to be wrong.
        reason: One line, empty where nothing is to be said.
        images_per_second: None where there is no honest number.
        metrics: Every metric that has a number, by name.
        labels: What a reader must know of the number: `short`, `layout emulated`...
        facts: Of the last launch: what ran.
        machine: Facts of the host of the last launch.
        launches: Ids, in order.
        proof: Id of the proof that its training is right, or wrong; None where it is unverified.
        convergence: Of a case with a goal, against the reference; None where that is not known.
    """

    case: Case
    verdict: str
    reason: str
    images_per_second: Estimate | None
    metrics: Mapping[str, Estimate]
    labels: tuple[str, ...] = ()
    facts: Facts = field(default_factory=dict)
    machine: Facts = field(default_factory=dict)
    launches: tuple[str, ...] = ()
    proof: str | None = None
    convergence: Convergence | None = None


class Finding(NamedTuple):
    """What launches say of their case.

    Attributes:
        verdict: As of a result.
        reason: One line, perhaps empty.
        good: Launches whose numbers count.
        labels: What a reader must know of the number.
    """

    verdict: str
    reason: str
    good: Sequence[Launch] = ()
    labels: Sequence[str] = ()


def conclude(launches: Sequence[Launch], budget: Budget) -> Result:
    """The result of a case, by itself; `convergence.py` holds one with a goal against others.

    Args:
        launches: At least one, all of the same case.
        budget: What was asked for.
    """
    last = launches[-1]
    failed = next((launch for launch in launches if launch.failure), None)
    if failed is not None:
        found = Finding(*_failed(failed))
    else:
        found = (_of_goal if goal.is_of(launches) else _of_speed)(launches, budget)
    metrics = _metrics(found.good, budget)
    return Result(
        case=last.case,
        verdict=found.verdict,
        reason=found.reason,
        images_per_second=metrics.pop("images_per_second", None),
        metrics=metrics,
        labels=tuple(found.labels),
        facts=(failed or last).facts,
        machine=last.machine,
        launches=tuple(launch.id for launch in launches),
        proof=_proof((failed or last).facts),
    )


def estimate(
    values: Sequence[float],
    confidence: float,
    nominal: float | None = None,
    groups: Sequence[Hashable] | None = None,
) -> Estimate:
    """The estimate of one number per launch.

    Args:
        values: At least one.
        confidence: Of all looks together.
        nominal: Confidence to compute this look's interval with; without, there is one look.
        groups: What each value is of, where those vary too: nodes of a fleet.
    """
    parts = independent(values, groups or [None] * len(values))
    point, low, high = geometric(parts, nominal or confidence)
    return Estimate(point=point, low=low, high=high, confidence=confidence, n=len(values))


def _metrics(launches: Sequence[Launch], budget: Budget) -> dict[str, Estimate]:
    found = {}
    for name, metric in catalog.metrics().items():
        told = [(value, launch) for launch in launches if (value := metric.of(launch))]
        values, measured = [value for value, _ in told], [launch for _, launch in told]
        if values:
            planned = launches[0].case.until is None  # a goal has one look, at all its seeds
            nominal = stopping.confidence(len(values), budget) if planned else None
            found[name] = estimate(values, budget.confidence, nominal, stopping.nodes(measured))
    return found


def _of_speed(launches: Sequence[Launch], budget: Budget) -> Finding:
    judgements = [judge(launch, budget) for launch in launches]
    if stopping.is_unsteady(judgements):
        return Finding(UNSTEADY, _restless(judgements))
    good = counting(judgements) or _disturbed_ones(judgements)
    doubt = _doubt(judgements, budget)
    labels = [*_proven(good), *_labels(good), *_counted(judgements)]
    return Finding(NOISY if doubt else SETTLED, doubt, good, labels)


def _of_goal(launches: Sequence[Launch], budget: Budget) -> Finding:
    ended = [one for one in launches if goal.reached(one.windows, one.case)]
    labels = [*_proven(launches), *_labels(launches)]
    if len(ended) < len(launches):
        # An interval of those alone that got there would be of the lucky ones.
        best = max(map(goal.best, launches))
        missed = (
            f"by {len(launches) - len(ended)} of {len(launches)} launches in {budget.passes:g}"
            f" passes; the best accuracy was {best:.1%}"
        )
        return Finding(NOT_REACHED, missed, labels=labels)
    doubt = ""
    if len(ended) < budget.launches[0]:
        doubt = f"{len(ended)} of {budget.launches[0]} launches"
    elif len(ended) == 1:
        doubt = "1 launch gives no interval"
    return Finding(NOISY if doubt else SETTLED, doubt, ended, labels)


def _failed(launch: Launch) -> tuple[str, str]:
    failure = launch.failure
    assert failure is not None  # noqa: S101
    if failure.kind in (UNSUPPORTED, REFUSED):
        return failure.kind, failure.message
    return FAILED, f"{failure.stage}: {failure.message}"


def _doubt(judgements: Sequence[Judgement], budget: Budget) -> str:
    """Why a case is not known as well as was asked for; empty if it is."""
    good = [launch for launch in counting(judgements) if plan.speed(launch)]
    if not good:
        return f"{_disturbed(judgements)}; stop it and measure again, or see: cnnbench doctor"
    if len(good) == 1:
        return "1 launch gives no interval"
    if len(good) < budget.launches[0]:
        return f"{len(good)} of {budget.launches[0]} launches"
    if not stopping.are_precise(good, budget):
        return f"wider than ±{budget.precision:.0%} after {len(good)} launches{_on_hosts(good)}"
    return ""


def _on_hosts(launches: Sequence[Launch]) -> str:
    """How many nodes of a fleet launches lived on, where it is several."""
    count = len(set(stopping.nodes(launches)))
    return f" on {count} hosts" if count > 1 else ""


def _restless(judgements: Sequence[Judgement]) -> str:
    """What is known of a case without a steady state: how far its windows lie apart."""
    unsteady = [j.launch for j in judgements if j.kind == NO_STEADY_STATE]
    speeds = [w.images / w.seconds for launch in unsteady for w in launch.steady]
    return (
        f"still changing speed in {len(unsteady)} of {len(judgements)} launches,"
        f" windows from {min(speeds):.3g} to {max(speeds):.3g} images/s"
    )


def _disturbed_ones(judgements: Sequence[Judgement]) -> list[Launch]:
    """Where every launch was disturbed, those that were steady all the same: `noisy` at best."""
    return [j.launch for j in judgements if j.disturbances and j.kind != NO_STEADY_STATE]


def _disturbed(judgements: Sequence[Judgement]) -> str:
    causes = dict.fromkeys(cause for j in judgements for cause in j.disturbances)
    count = sum(bool(j.disturbances) for j in judgements)
    return f"{count} of {len(judgements)} launches disturbed: {next(iter(causes), '')}"


def _counted(judgements: Sequence[Judgement]) -> Iterator[str]:
    """What a reader must know of the launches that do not count, and of those that do."""
    calm = [j for j in judgements if not j.disturbances]
    if any(j.disturbances for j in judgements) and calm:
        yield _disturbed(judgements)
    for kind in (NO_STEADY_STATE, SLOWDOWN):
        if count := sum(j.kind == kind for j in calm):
            yield f"{kind} in {count} of {len(calm)} launches"
    if any(j.kind == UNPROVEN and not plan.is_short(j.launch.windows) for j in calm):
        yield "steadiness unproven"


def _proof(facts: Facts) -> str | None:
    proof = facts.get("proof")
    return None if proof is None else str(proof)


def _proven(launches: Sequence[Launch]) -> Iterator[str]:
    """What is known of the training that was measured, unless it is the same as the reference's."""
    if any(_proof(launch.facts) is None for launch in launches):
        yield UNVERIFIED
    differences = (launch.facts.get("proof_differences") for launch in launches)
    yield from (f"differs: {names}" for names in dict.fromkeys(differences) if names)


def _labels(launches: Sequence[Launch]) -> tuple[str, ...]:
    """What holds of any launch."""
    found = [word for word, holds in LABELS.items() if any(map(holds, launches))]
    hosts = set(stopping.nodes(launches)) - {None}
    if hosts:
        # What one host does may not be what its kind does.
        found.append("1 host" if len(hosts) == 1 else f"{len(hosts)} hosts")
    rounding = {recipes.rounds_like(one.case): one.case.precision for one in launches}
    return (*found, *(f"rounds like {real}" for real, said in rounding.items() if real != said))


def _is_emulated(launch: Launch) -> bool:
    """Whether convolutions ran in another layout than the images came in."""
    other = {"channels_last": "channels_first", "channels_first": "channels_last"}
    return launch.facts.get("convolutions_in") in (other[launch.case.data_format], "both")


LABELS: Mapping[str, Callable[[Launch], bool]] = {
    "short": lambda launch: plan.is_short(launch.windows),
    "layout emulated": _is_emulated,
    "altered images": lambda launch: launch.facts.get("checksum") == "differs",
    "batch halved: out of memory": lambda launch: bool(launch.facts.get("batch_halved")),
    "GPU shared": lambda launch: bool(launch.facts.get("gpu_others")),
}
