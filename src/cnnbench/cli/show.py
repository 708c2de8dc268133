"""`cnnbench show`: look at what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cnnbench import published as reference
from cnnbench.cli import beside, flags, output
from cnnbench.errors import UsageError
from cnnbench.report.conclusions import conclusions
from cnnbench.report.document import document
from cnnbench.report.published import as_json
from cnnbench.store import exchange
from cnnbench.store.address import default_url
from cnnbench.store.database import Store
from cnnbench.store.exchange import Recorded

if TYPE_CHECKING:
    from pathlib import Path

    from cnnbench.case import Case
    from cnnbench.result import Result


def show(  # noqa: PLR0917  one parameter a flag
    everything: Annotated[
        bool, typer.Option("--all", help="Every case of the store, not the last run alone.")
    ] = False,
    published: Annotated[
        bool, typer.Option("--published", help="Beside the published rows of the same cases.")
    ] = False,
    stack: flags.Stacks = None,
    model: flags.Models = None,
    dataset: flags.Datasets = None,
    method: flags.Methods = None,
    data_format: flags.Formats = None,
    store: flags.StoreUrl = None,
    source: flags.Source = None,
    json: flags.Json = None,
) -> None:
    """Print the table of the last run, or of every case by its last run.

    With --published, every published row stands beside what was measured of it: on the stack that
    comes nearest to the published one, and on others. See also: cnnbench reference.
    """
    wanted = {
        "stack": stack,
        "model": model,
        "dataset": dataset,
        "method": method,
        "data_format": data_format,
    }
    if source:
        recorded = _in_files(source)
    else:
        with Store.open(store or default_url(), read_only=True) as opened:
            recorded = _stored(opened, everything=everything)
    found = conclusions(recorded)
    results = [result for result in found if _matches(result.case, wanted)]
    if found and not results:
        raise UsageError("nothing like that was measured; see what was: cnnbench show --all")
    told = document(results, _machine(results))
    if published:
        anywhere = wanted | {"stack": None}
        rows = [row for row in reference.rows() if _matches(reference.case(row), anywhere)]
        told["published"] = as_json(results, rows, stack or ())
    if json:
        output.write_json(told, json)
    if json == "-":
        return
    if published:
        beside.print_beside(results, rows, stack or ())
    else:
        output.print_table(results)
        output.print_scaling(results)


def _stored(store: Store, *, everything: bool) -> Recorded:
    """The launches of the last campaign, or of every case by its last one."""
    campaigns = {campaign.id: exchange.origin(campaign) for campaign in store.campaigns()}
    if everything:
        found = [launch for group in store.launches_by_case().values() for launch in group]
    else:
        latest = store.latest_campaign()
        found = store.launches(campaign=latest) if latest else []
    return Recorded(campaigns=campaigns, launches=tuple(found))


def _in_files(paths: list[Path]) -> Recorded:
    """The launches of every case by its last campaign, in files and folders of files."""
    inside = [sorted(path.glob("*.jsonl")) if path.is_dir() else [path] for path in paths]
    files = [file for found in inside for file in found]
    if not files:
        raise UsageError(f"no file of launches (*.jsonl) is in {', '.join(map(str, paths))}")
    return exchange.newest(exchange.merge(exchange.read(file) for file in files))


def _matches(case: Case, wanted: dict[str, list[str] | None]) -> bool:
    return all(values is None or getattr(case, axis) in values for axis, values in wanted.items())


def _machine(results: list[Result]) -> dict[str, Any]:
    """Facts of the host if all results are of one."""
    machines = {str(result.machine.get("machine_id")) for result in results}
    return dict(results[0].machine) if len(machines) == 1 else {}
