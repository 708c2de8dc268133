"""`cnnbench show`: look at what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cnnbench import published as reference
from cnnbench.cli import beside, flags, output
from cnnbench.errors import UsageError
from cnnbench.report.document import document
from cnnbench.report.published import as_json
from cnnbench.report.table import place
from cnnbench.result import conclude
from cnnbench.store.address import default_url
from cnnbench.store.database import Store

if TYPE_CHECKING:
    from cnnbench.case import Case
    from cnnbench.record import Launch
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
    with Store.open(store or default_url(), read_only=True) as opened:
        found = _results(opened, everything)
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


def _results(store: Store, everything: bool) -> list[Result]:
    budgets = {campaign.id: campaign.budget for campaign in store.campaigns()}
    if everything:
        groups = store.launches_by_case()
    else:
        groups = {}
        latest = store.latest_campaign()
        for launch in store.launches(campaign=latest) if latest else ():
            groups.setdefault(launch.case, []).append(launch)
    found = [_conclude(launches, budgets) for launches in groups.values()]
    return sorted(found, key=lambda result: place(result.case))


def _conclude(launches: list[Launch], budgets: dict[str, Any]) -> Result:
    return conclude(launches, budgets[launches[-1].campaign])


def _matches(case: Case, wanted: dict[str, list[str] | None]) -> bool:
    return all(values is None or getattr(case, axis) in values for axis, values in wanted.items())


def _machine(results: list[Result]) -> dict[str, Any]:
    """Facts of the host if all results are of one."""
    machines = {str(result.machine.get("machine_id")) for result in results}
    return dict(results[0].machine) if len(machines) == 1 else {}
