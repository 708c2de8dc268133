"""`cnnbench show`: look at what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cnnbench import published as reference
from cnnbench.cli import beside, flags, output
from cnnbench.cli.sources import in_files
from cnnbench.comparison import SUITE
from cnnbench.errors import UsageError
from cnnbench.report.comparisons import document as document_of
from cnnbench.report.conclusions import conclusions, outcomes
from cnnbench.report.document import document
from cnnbench.report.published import as_json
from cnnbench.store import exchange
from cnnbench.store.address import default_url
from cnnbench.store.database import Store
from cnnbench.store.exchange import Recorded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnbench.comparison import Outcome
    from cnnbench.result import Result
    from cnnbench.store.reading import Campaign


def show(  # noqa: PLR0917  one parameter a flag
    everything: Annotated[
        bool, typer.Option("--all", help="Every case of the store, not the last run alone.")
    ] = False,
    comparisons: Annotated[
        bool, typer.Option("--comparisons", help="Every comparison of the store.")
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
    """Print the last run or comparison, or every case by its last run, or every comparison.

    With --published, every published row stands beside what was measured of it: on the stack that
    comes nearest to the published one, and on others. See also: cnnbench reference.
    """
    wanted = flags.axes(stack, model, dataset, method, data_format)
    if source:
        recorded = exchange.newest(in_files(source))
    else:
        with Store.open(store or default_url(), read_only=True) as opened:
            recorded = _stored(opened, everything=everything, comparisons=comparisons)
    compared = [] if everything or published else outcomes(recorded)
    if comparisons or (compared and not source):
        _tell(compared, json)
        return
    found = conclusions(recorded)
    results = [result for result in found if result.case.has(wanted)]
    if found and not results:
        raise UsageError("nothing like that was measured; see what was: cnnbench show --all")
    told = document(results, _machine(results))
    if published:
        anywhere = wanted | {"stack": None}
        rows = [row for row in reference.rows() if reference.case(row).has(anywhere)]
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


def _tell(compared: list[Outcome], json: str | None) -> None:
    """Print comparisons; the machine stands in their launches."""
    if json:
        output.write_json([document_of(found, {}) for found in compared], json)
    for found in compared if json != "-" else ():
        output.print_comparison(found)
        typer.echo()
    if not compared:
        raise UsageError("nothing was compared; see: cnnbench compare --help")


def _stored(store: Store, *, everything: bool, comparisons: bool) -> Recorded:
    """The launches of the last campaign, of every case by its last one, or of every comparison."""
    found = store.campaigns()
    if comparisons:
        chosen = [one.id for one in found if one.suite == SUITE and one.arms]
    else:
        chosen = [] if everything else _last(found, store)
    launches = [launch for name in chosen for launch in store.launches(campaign=name)]
    if everything:
        launches += [launch for group in store.newest_launches().values() for launch in group]
    campaigns = {campaign.id: exchange.origin(campaign) for campaign in found}
    return Recorded(campaigns=campaigns, launches=tuple(launches))


def _last(found: Sequence[Campaign], store: Store) -> list[str]:
    """The last run or comparison; races and diagnoses have told their answers."""
    told = (one.id for one in reversed(found) if not one.arms or one.suite == SUITE)
    return next(([name] for name in told if store.launches(campaign=name)), [])


def _machine(results: list[Result]) -> dict[str, Any]:
    """Facts of the host if all results are of one."""
    machines = {str(result.machine.get("machine_id")) for result in results}
    return dict(results[0].machine) if len(machines) == 1 else {}
