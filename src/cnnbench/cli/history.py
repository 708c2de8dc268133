"""`cnnbench history`: how speeds went from campaign to campaign, and where they changed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cnnbench.cli import flags, output
from cnnbench.cli.sources import in_files
from cnnbench.errors import UsageError
from cnnbench.history import LEAST, histories
from cnnbench.machine.facts import facts
from cnnbench.report import histories as report
from cnnbench.store import exchange
from cnnbench.store.address import default_url
from cnnbench.store.database import Store
from cnnbench.store.exchange import Recorded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnbench.record import Launch

AllMachines = Annotated[
    bool, typer.Option("--all-machines", help="Not of this machine alone; each by itself.")
]
Least = Annotated[
    float,
    typer.Option("--least", min=0.0, max=1.0, help="The smallest change to tell: 0.015 is 1.5 %."),
]


def history(  # noqa: PLR0917  one parameter a flag
    stack: flags.Stacks = None,
    model: flags.Models = None,
    dataset: flags.Datasets = None,
    method: flags.Methods = None,
    data_format: flags.Formats = None,
    all_machines: AllMachines = False,
    least: Least = LEAST,
    store: flags.StoreUrl = None,
    source: flags.Source = None,
    json: flags.Json = None,
) -> None:
    """Show the speed of each case over all its campaigns, and when it changed for good.

    A change is told if it is larger than --least, significant among all cases that are shown, and
    three campaigns follow; with fewer it is too new to tell. What is recorded to differ is named:
    stack, guest, kernel, driver. Launches of comparisons are left out.

    cnnbench history --model resnet20_cifar --all-machines
    """
    wanted = flags.axes(stack, model, dataset, method, data_format)
    if json:
        output.check_target(json)
    recorded = in_files(source) if source else _stored(store)
    here = None if all_machines else str(facts()["machine_id"])
    chosen = [
        one
        for one in recorded.launches
        if one.block is None
        and here in (None, one.machine.get("machine_id"))
        and one.case.has(wanted)
    ]
    _check(chosen, here)
    budgets = {name: campaign.budget for name, campaign in recorded.campaigns.items()}
    found = histories(chosen, budgets, least=least)
    if json:
        output.write_json(report.document(found, least), json)
    if json != "-":
        typer.echo(report.markdown(found, getattr(sys.stdout, "encoding", None)))


def _check(chosen: Sequence[Launch], here: str | None) -> None:
    """Raise UsageError if there is nothing to show."""
    if chosen:
        return
    if here is None:
        raise UsageError("nothing like that was measured; see what was: cnnbench show --all")
    raise UsageError(
        "nothing like that was measured on this machine; see others with --all-machines,"
        " and what was measured with: cnnbench show --all"
    )


def _stored(store: str | None) -> Recorded:
    """What a store has of campaigns that compare nothing."""
    with Store.open(store or default_url(), read_only=True) as opened:
        alone = [one for one in opened.campaigns() if not one.arms]
        launches = [each for one in alone for each in opened.launches(campaign=one.id)]
    origins = {one.id: exchange.origin(one) for one in alone}
    return Recorded(campaigns=origins, launches=tuple(launches))
