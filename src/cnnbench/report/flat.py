"""Results as flat rows, one for each, for spreadsheets and frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench import catalog
from cnnbench.report.table import instance

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnbench.result import Estimate, Result

    Cell = str | int | float | bool | None

CASE = (
    *("stack", "model", "dataset", "method", "data_format", "batch_size", "global_batch"),
    *("devices", "device", "precision", "augment", "threads", "loader", "until"),
)
FACTS = ("backend", "backend_version", "keras_version", "package", "python_version")
SPEED = "images_per_second"


def rows(results: Sequence[Result]) -> list[dict[str, Cell]]:
    """A row for each result, all with the same columns; None where there is nothing to say.

    Columns: the case (`recipes` joined by +), `verdict`, `reason` and `labels` (joined by `; `),
    then each metric with `_low`, `_high` (bounds of the interval) and `_n` (launches that count),
    what ran, and where. Units are those of the metrics: seconds, bytes, images.
    """
    return [dict(_cells(result)) for result in results]


def metrics() -> list[str]:
    """The metrics, speed first."""
    return [SPEED, *(name for name in catalog.names("metrics") if name != SPEED)]


def _cells(result: Result) -> Iterator[tuple[str, Cell]]:
    case, machine = result.case, result.machine
    yield "case", case.id
    yield from ((name, getattr(case, name)) for name in CASE)
    yield "recipes", "+".join(case.recipes)
    yield "verdict", result.verdict
    yield "reason", result.reason
    yield "labels", "; ".join(result.labels)
    for name in metrics():
        found = result.images_per_second if name == SPEED else result.metrics.get(name)
        yield from _estimate(name, found)
    yield "launches", len(result.launches)
    yield "proof", result.proof
    yield from ((name, _text(result.facts.get(name))) for name in FACTS)
    yield "instance", instance(machine)
    yield "machine", _text(machine.get("machine_id"))


def _estimate(name: str, found: Estimate | None) -> Iterator[tuple[str, Cell]]:
    yield name, found.point if found else None
    yield f"{name}_low", found.low if found else None
    yield f"{name}_high", found.high if found else None
    yield f"{name}_n", found.n if found else 0


def _text(value: object) -> str | None:
    return None if value is None else str(value)
