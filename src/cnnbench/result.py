"""What is concluded of a case: estimates and a verdict, derived from launches on reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cnnbench import catalog, plan
from cnnbench.stats.interval import geometric

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cnnbench.case import Budget, Case
    from cnnbench.record import Facts, Launch

SETTLED, NOISY, FAILED, UNSUPPORTED = "settled", "noisy", "failed", "unsupported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with its interval across launches.

    Attributes:
        point: Geometric mean.
        low: Lower bound; None for a single launch.
        high: Upper bound; None for a single launch.
        confidence: Of the interval.
        n: Launches.
    """

    point: float
    low: float | None
    high: float | None
    confidence: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A case's verdict.

    Attributes:
        case: What was measured.
        verdict: `settled`, `noisy`, `failed` or `unsupported`.
        reason: One line, empty where nothing is to be said.
        images_per_second: None where there is no honest number.
        metrics: Every metric that has a number, by name.
        labels: What a reader must know of the number: `short`, `layout emulated`...
        facts: Of the last launch: what ran.
        machine: Facts of the host of the last launch.
        launches: Ids, in order.
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


def conclude(launches: Sequence[Launch], budget: Budget) -> Result:
    """The result of a case from its launches, at least one, all of the same case."""
    last = launches[-1]
    failed = next((launch for launch in launches if launch.failure), None)
    good = [] if failed else launches
    metrics = _metrics(good, budget.confidence)
    verdict, reason = _verdict(launches, budget)
    return Result(
        case=last.case,
        verdict=verdict,
        reason=reason,
        images_per_second=metrics.pop("images_per_second", None),
        metrics=metrics,
        labels=_labels(good),
        facts=(failed or last).facts,
        machine=last.machine,
        launches=tuple(launch.id for launch in launches),
    )


def estimate(values: Sequence[float], confidence: float) -> Estimate:
    """The estimate of one number per launch."""
    point, low, high = geometric(values, confidence)
    return Estimate(point=point, low=low, high=high, confidence=confidence, n=len(values))


def _metrics(launches: Sequence[Launch], confidence: float) -> dict[str, Estimate]:
    found = {}
    for name, metric in catalog.metrics().items():
        values = [value for launch in launches if (value := metric.of(launch))]
        if values:
            found[name] = estimate(values, confidence)
    return found


def _verdict(launches: Sequence[Launch], budget: Budget) -> tuple[str, str]:
    for launch in launches:
        if (failure := launch.failure) is not None:
            if failure.kind == "unsupported":
                return UNSUPPORTED, failure.message
            return FAILED, f"{failure.stage}: {failure.message}"
    speeds = [value for launch in launches if (value := plan.speed(launch))]
    if len(speeds) == 1:
        return NOISY, "1 launch gives no interval"
    if len(speeds) < budget.launches[0]:
        return NOISY, f"{len(speeds)} of {budget.launches[0]} launches"
    if not plan.is_precise(speeds, budget):
        return NOISY, f"wider than ±{budget.precision:.0%} after {len(speeds)} launches"
    return SETTLED, ""


def _labels(launches: Sequence[Launch]) -> tuple[str, ...]:
    """What holds of any launch."""
    return tuple(word for word, holds in LABELS.items() if any(map(holds, launches)))


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
