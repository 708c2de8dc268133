"""Results as runs of an MLflow tracking server, each once."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from cnnbench.case import digest
from cnnbench.errors import UsageError
from cnnbench.report import flat
from cnnbench.report.inert import inert
from cnnbench.report.table import SILENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cnnbench.record import Launch
    from cnnbench.result import Result

EXPERIMENT = "cnnbench"
TAG = "cnnbench.result"  # names a result and its launches: what has it was pushed before
PAGE = 500  # runs in an answer


class Pushed(NamedTuple):
    """What became of results: runs that are new, and those that were there."""

    new: int
    known: int


def push(results: Sequence[Result], launches: Mapping[str, Launch], uri: str) -> Pushed:
    """Make a run of each result that the server does not have: its case, numbers and verdict.

    Args:
        results: What is concluded.
        launches: By id; a run begins and ends when its launches did.
        uri: Of the server, or of a database as MLflow takes it.

    Raises:
        UsageError: MLflow is not installed, or the server refuses.
    """
    try:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415  an extra
        from mlflow.tracking import MlflowClient  # noqa: PLC0415
    except ImportError:
        raise UsageError(
            "MLflow is not installed; install it: pip install cnnbench[mlflow]"
        ) from None
    try:
        return _pushed(MlflowClient(tracking_uri=uri), results, launches)
    except MlflowException as error:
        raise UsageError(f"MLflow at {uri}: {' '.join(str(error).split())[:200]}") from None


def _pushed(client: Any, results: Sequence[Result], launches: Mapping[str, Launch]) -> Pushed:
    found = client.get_experiment_by_name(EXPERIMENT)
    experiment = found.experiment_id if found else client.create_experiment(EXPERIMENT)
    known = _known(client, experiment)
    new = 0
    for result in results:
        name = digest([result.case.id, result.launches])
        if name not in known:
            _make(client, experiment, name, result, launches)
            new += 1
    return Pushed(new, len(results) - new)


def _known(client: Any, experiment: str) -> set[str]:
    found, token = set(), None
    while True:
        page = client.search_runs([experiment], max_results=PAGE, page_token=token)
        found |= {run.data.tags[TAG] for run in page if TAG in run.data.tags}
        token = page.token
        if not token:
            return found


def _make(
    client: Any, experiment: str, name: str, result: Result, launches: Mapping[str, Launch]
) -> None:
    from mlflow.entities import Metric, Param  # noqa: PLC0415  an extra

    times = [_milliseconds(launches[one].started_at) for one in result.launches]
    (row,) = flat.rows([result])
    numbers = {
        key: value
        for metric in flat.metrics()
        for key in (metric, f"{metric}_low", f"{metric}_high")
        if isinstance(value := row[key], float)
    }
    said = {"verdict": result.verdict, "reason": result.reason, "labels": row["labels"]}
    tags = {TAG: name, "machine": row["machine"], "instance": row["instance"], **said}
    run = client.create_run(
        experiment,
        start_time=times[0],
        tags={key: inert(str(value)) for key, value in tags.items() if value},
        run_name=inert(result.case.title),
    )
    client.log_batch(
        run.info.run_id,
        metrics=[Metric(key, value, times[-1], 0) for key, value in numbers.items()],
        params=[Param(key, inert(str(value))) for key, value in asdict(result.case).items()],
    )
    status = "FAILED" if result.verdict in SILENT else "FINISHED"
    client.set_terminated(run.info.run_id, status, end_time=times[-1])


def _milliseconds(moment: str) -> int:
    return round(1000 * datetime.fromisoformat(moment).timestamp())
