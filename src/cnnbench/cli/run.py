"""`cnnbench run`: measure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from cnnbench import prepare, suite
from cnnbench import published as reference
from cnnbench.campaign import Campaign
from cnnbench.cli import flags, output
from cnnbench.cli.beside import print_beside
from cnnbench.cli.executors import LOCAL, executors
from cnnbench.cli.measuring import budget_named, followed, leave_early
from cnnbench.convergence import with_references
from cnnbench.envs import stack as stacks
from cnnbench.envs import versions
from cnnbench.errors import UsageError
from cnnbench.executor import heard
from cnnbench.report import published
from cnnbench.report.document import document
from cnnbench.result import FAILED, REFUSED, UNSUPPORTED
from cnnbench.store.address import default_url
from cnnbench.store.database import Store

if TYPE_CHECKING:
    from pathlib import Path

    from cnnbench.case import Case, Suite
    from cnnbench.errors import StoreError
    from cnnbench.published import Row
    from cnnbench.record import Facts
    from cnnbench.result import Result


def run(  # noqa: PLR0917  one parameter a flag
    name: Annotated[
        str, typer.Argument(metavar="[SUITE]", help="A suite's name, or the path of its TOML file.")
    ] = "quick",
    stack: flags.Stacks = None,
    model: flags.Models = None,
    dataset: flags.Datasets = None,
    method: flags.Methods = None,
    data_format: flags.Formats = None,
    batch_size: flags.BatchSizes = None,
    precision: flags.Precisions = None,
    device: flags.Devices = None,
    devices: flags.DeviceCounts = None,
    global_batch: flags.GlobalBatches = None,
    fewer_devices: flags.FewerDevices = False,
    halve_batch: flags.HalveBatch = False,
    augment: flags.Augment = False,
    threads: flags.Threads = None,
    recipe: flags.Recipes = None,
    loader: flags.Loaders = None,
    python: flags.Python = None,
    launches: flags.Launches = None,
    budget: flags.Budgets = None,
    until: flags.Until = None,
    store: flags.StoreUrl = None,
    json: flags.Json = None,
    data_dir: flags.DataDir = None,
    instance_type: flags.InstanceType = None,
    executor: flags.Executor = LOCAL,
    address: flags.Address = None,
    fresh: flags.Fresh = False,
    verify: flags.Verify = True,
) -> None:
    """Measure images/s of real training, each case in fresh processes.

    Without flags: Simple CNN on every stack that runs here, in about five minutes. Flags replace
    what the suite says; a flag that is repeated makes a product: two stacks and two data formats
    are four cases. An interrupted run goes on where it was when the same command is given again.

    With --until accuracy=0.6, how long training takes until so many of the held-out images are
    classified rightly, over five seeds; plain PyTorch trains beside it, and what learns from fewer
    images than that is refused.

    With --executor ray, on the nodes of a Ray cluster, each kind of node by itself; --instance-type
    then chooses nodes that have a resource of that name.
    """
    if json:
        output.check_target(json)
    own = prepare.Own(data_dir=data_dir)
    chosen = {
        "stack": stacks_named(own, stack, python),
        "model": model,
        "dataset": dataset,
        "method": method,
        "data_format": data_format,
        "batch_size": batch_size,
        "precision": precision,
        "device": device,
        "devices": devices,
        "global_batch": global_batch,
        "augment": [True] if augment else None,
        "threads": threads,
        "recipe": recipe,
        "loader": loader,
        "until": until and [flags.accuracy(until)],
    }
    planned = _with_budget(planned_suite(name, chosen, own, fewer=fewer_devices), budget, launches)
    if fewer_devices and executor != LOCAL:
        raise UsageError("--fewer-devices counts those of this machine, not those of a fleet")
    with (
        executors(executor, address, instance_type) as kinds,
        Store.open(store or default_url()) as opened,
    ):
        machine = kinds[0][1]
        campaigns = [
            Campaign(
                planned,
                own,
                facts,
                opened,
                resume=not fresh,
                halve=halve_batch,
                verify=verify,
                executor=where,
            )
            for where, facts in kinds
        ]
        cut_off = followed(heard(kinds[0][0], *(one.happening() for one in campaigns)))
        results = [result for one in campaigns for result in one.results()]
    _tell(results, planned, machine, json)
    _leave(results, cut_off)


def _tell(results: list[Result], planned: Suite, machine: Facts, json: str | None) -> None:
    """Print the results, beside the published rows if it is those, and write them as JSON."""
    told = document(results, machine)
    if planned.published:
        told["published"] = published.as_json(results, _rows(planned))
    if json != "-":
        output.print_table(results)
        output.print_scaling(results)
    if json != "-" and planned.published:
        typer.echo()
        print_beside(results, _rows(planned))
    if json:
        output.write_json(told, json)


def _leave(results: list[Result], cut_off: KeyboardInterrupt | StoreError | None) -> None:
    """End with the status that the results ask for."""
    leave_early(cut_off)
    verdicts = {result.verdict for result in results}
    if REFUSED in verdicts or verdicts <= {FAILED, UNSUPPORTED}:
        raise typer.Exit(1)


def planned_suite(
    name: str, chosen: dict[str, Any], own: prepare.Own, *, fewer: bool = False
) -> Suite:
    """The suite with the axes that flags replace, its cases by the names that results have.

    Args:
        name: Of the suite, or the path of its file.
        chosen: Values of axes; None for those that the suite says.
        own: The user's own files and environments; those that cases name are added.
        fewer: Whether to take as many devices as are here where more are asked for.
    """
    planned = _suite(name, chosen)
    named = (prepare.named(case, own) for case in planned.cases)
    cases = map(prepare.with_fewer_devices, named) if fewer else named
    return replace(planned, cases=tuple(dict.fromkeys(cases)))


def stacks_named(
    own: prepare.Own, stack: list[str] | None, python: Path | None
) -> list[str] | None:
    """The stacks that flags name, the user's own environment among them."""
    environments = [prepare.add_environment(own, python)] if python else []
    named = [name for name in stack or [] if name != "local" or not environments]
    named = [one for name in named for one in versions.expanded(name, _told)]
    return [*named, *environments] or None


def _told(line: str) -> None:
    typer.echo(line, err=True)


def _suite(name: str, chosen: dict[str, Any]) -> Suite:
    """The suite, with the axes that flags replace; rules about such an axis fall away."""
    title, definition = suite.read(name)
    said = {axis: values for axis, values in chosen.items() if values is not None}
    include = [rule for rule in definition.include if not rule.keys() & said.keys()]
    exclude = [rule for rule in definition.exclude if not rule.keys() & said.keys()]
    if {"batch_size", "global_batch"} <= said.keys():
        raise UsageError("--batch-size is per device, --global-batch of all devices; give one")
    other = {"batch_size": "global_batch", "global_batch": "batch_size"}
    of_file = definition.axes.model_dump(exclude_unset=True)
    of_file = {axis: v for axis, v in of_file.items() if other.get(axis) not in said}
    try:
        axes = suite.Axes.model_validate(of_file | said)
    except ValidationError as error:
        raise UsageError(suite.first_fault(error)) from None
    everything = {
        device: [s for s in stacks.names() if s != "null" and device in stacks.load(s).devices]
        for device in ("cpu", "gpu")
    }
    kept = {"axes": axes, "include": include, "exclude": exclude}
    return suite.expand(title, definition.model_copy(update=kept), everything)


def _rows(planned: Suite) -> list[Row]:
    """The published rows that the cases of a suite are of, on whatever stack and device."""
    planned_as = {_row_of(case) for case in planned.cases}
    found = (row for section in planned.published for row in reference.rows(section))
    return [row for row in found if _row_of(reference.case(row)) in planned_as]


def _row_of(case: Case) -> tuple[str, ...]:
    return tuple(getattr(case, axis) for axis in suite.SELECTING)


def _with_budget(planned: Suite, name: str | None, launches: int | None) -> Suite:
    planned = replace(planned, cases=with_references(planned.cases))
    budget = planned.budget
    if name is not None:
        budget = budget_named(name)
    if launches is not None:
        budget = replace(budget, launches=(launches, launches))
    return replace(planned, budget=budget)
