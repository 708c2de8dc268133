"""Results as JSON, for programs. New keys may be added, none change."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cnnbench.report import scaling

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
        "machine": finite(machine),
        "results": [_result(result) for result in results],
        "scaling": scaling.as_json(results),
    }


def _result(result: Result) -> dict[str, Any]:
    speed, held = result.images_per_second, result.convergence
    return {
        "case": {"id": result.case.id, **asdict(result.case)},
        "verdict": result.verdict,
        "reason": result.reason,
        "labels": list(result.labels),
        "images_per_second": None if speed is None else finite(asdict(speed)),
        "metrics": {name: finite(asdict(value)) for name, value in result.metrics.items()},
        "facts": finite(result.facts),
        "proof": result.proof,
        "convergence": held
        and {
            "images": finite(asdict(held.images)),
            "p_better": held.p_better,
            "reference": held.reference,
        },
        "launches": list(result.launches),
    }


def finite(values: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no NaN and no infinity: they are null."""
    wild = {key for key, v in values.items() if isinstance(v, float) and not math.isfinite(v)}
    return {key: None if key in wild else value for key, value in values.items()}
