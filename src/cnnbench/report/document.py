"""Results as JSON, for programs. New keys may be added, none change."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnbench.record import Facts
    from cnnbench.result import Result

SCHEMA = 1


def document(results: Sequence[Result], machine: Facts) -> dict[str, Any]:
    """The whole answer of `run` and `show`.

    Args:
        results: In the order of the table.
        machine: Facts of the host, `{}` if the results are of several.
    """
    return {
        "schema": SCHEMA,
        "machine": dict(machine),
        "results": [_result(result) for result in results],
    }


def _result(result: Result) -> dict[str, Any]:
    speed = result.images_per_second
    return {
        "case": {"id": result.case.id, **asdict(result.case)},
        "verdict": result.verdict,
        "reason": result.reason,
        "labels": list(result.labels),
        "images_per_second": None if speed is None else asdict(speed),
        "metrics": {name: asdict(estimate) for name, estimate in result.metrics.items()},
        "facts": dict(result.facts),
        "proof": None,
        "launches": list(result.launches),
    }
