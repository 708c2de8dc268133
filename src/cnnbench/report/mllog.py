"""Launches as log lines in the format of MLPerf, for tools that read those.

Each line is `:::MLLOG ` and a JSON object with `namespace`, `time_ms` (since 1970, UTC),
`event_type`, `key`, `value` and `metadata`. That the lines have the format makes no measurement one
of MLPerf: that has rules of its own, of which cnnbench follows none.

Source: MLCommons, mlperf_logging, `mllog` 0.7 and later.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cnnbench.record import Launch

POINT, START, END = "POINT_IN_TIME", "INTERVAL_START", "INTERVAL_END"


def text(launches: Iterable[Launch]) -> str:
    """The lines of all launches, one after the other."""
    return "".join(line for launch in launches for line in _lines(launch))


def _lines(launch: Launch) -> Iterator[str]:
    began = datetime.fromisoformat(launch.started_at).timestamp()
    about = {"launch": launch.id, "stack": launch.case.stack, "case": launch.case.id}

    def line(seconds: float, event: str, key: str, value: Any, **more: Any) -> str:
        said = {
            "namespace": "cnnbench",
            "time_ms": round(1000 * (began + seconds)),
            "event_type": event,
            "key": key,
            "value": value,
            "metadata": about | more,
        }
        return f":::MLLOG {json.dumps(said, allow_nan=False)}\n"

    case = launch.case
    yield line(0, POINT, "submission_benchmark", case.model, dataset=case.dataset)
    yield line(0, POINT, "global_batch_size", case.global_batch)
    yield line(0, POINT, "seed", launch.seed)
    yield line(0, START, "init_start", None)
    ready = sum(launch.stages.values())
    yield line(ready, END, "init_stop", None)
    yield line(ready, START, "run_start", None)
    end = ready
    for window in launch.windows:
        end = ready + window.started + window.seconds
        speed = {"throughput": window.images / window.seconds} if window.seconds else {}
        yield line(end, POINT, "tracked_stats", speed, role=window.role, steps=window.steps)
    yield line(end, END, "run_stop", None, status="aborted" if launch.failure else "success")
