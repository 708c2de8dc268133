"""`cnnbench compare`: does one arm train faster than another?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cnnbench import arms, prepare
from cnnbench.cli import flags, output
from cnnbench.cli.common_case import UNDECIDED, Blocks, Margin, limits, single
from cnnbench.cli.executors import LOCAL, executors
from cnnbench.cli.measuring import followed, leave_early
from cnnbench.contest import Contest
from cnnbench.errors import UsageError
from cnnbench.report import comparisons
from cnnbench.store.address import default_url
from cnnbench.store.database import Store

if TYPE_CHECKING:
    from cnnbench.comparison import Outcome

Arms = Annotated[
    list[str] | None,
    typer.Option(
        "--arm",
        metavar="AXIS=VALUE,...",
        help="An arm; the first is the baseline. Also name=, python=PATH, rev=GIT-REVISION.",
    ),
]


def compare(  # noqa: PLR0917  one parameter a flag
    arm: Arms = None,
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
    augment: flags.Augment = False,
    threads: flags.Threads = None,
    recipe: flags.Recipes = None,
    loader: flags.Loaders = None,
    budget: flags.Budgets = None,
    margin: Margin = None,
    blocks: Blocks = None,
    store: flags.StoreUrl = None,
    json: flags.Json = None,
    data_dir: flags.DataDir = None,
    instance_type: flags.InstanceType = None,
    executor: flags.Executor = LOCAL,
    address: flags.Address = None,
    fresh: flags.Fresh = False,
    verify: flags.Verify = True,
) -> None:
    """Decide whether one arm trains faster than another, or by less than matters.

    Arms are launched in blocks, each arm once a block in a fresh process, window by window in turns
    where that can be, until every verdict is in: faster, slower, equivalent, different but small.
    What the arms do not say comes from the flags. An interrupted comparison goes on where it was.

    cnnbench compare --arm stack=keras3-jax --arm stack=keras3-torch --model resnet56_cifar

    cnnbench compare --stack keras3-torch --arm precision=float32 --arm precision=bfloat16

    cnnbench compare --stack keras3-jax --model net.py --arm rev=main --arm rev=HEAD

    With --executor ray, on the nodes of a Ray cluster that are of one kind, which --instance-type
    chooses: a block on each in its turn.

    Exit status: 0 decided; 1 an arm cannot run; 3 inconclusive.
    """
    if json:
        output.check_target(json)
    own = prepare.Own(data_dir=data_dir)
    common = single(
        "--arm",
        stack=stack,
        model=model,
        dataset=dataset,
        method=method,
        data_format=data_format,
        batch_size=batch_size,
        precision=precision,
        device=device,
        devices=devices,
        global_batch=global_batch,
        augment=[True] if augment else None,
        threads=threads,
        recipe=recipe,
        loader=loader,
    )
    asked = limits(budget, margin, blocks)
    compared = arms.parse(arm or [], common, own)
    with (
        executors(executor, address, instance_type) as kinds,
        Store.open(store or default_url()) as opened,
    ):
        (where, machine), *others = kinds
        if others:
            raise UsageError(
                f"the cluster has {len(kinds)} kinds of nodes, and what is so on one need not be "
                "so on another; choose one with --instance-type"
            )
        contest = Contest(
            compared,
            asked,
            own,
            machine,
            opened,
            resume=not fresh,
            verify=verify,
            executor=where,
        )
        cut_off = followed(contest.run())
    found = contest.outcome()
    if json != "-":
        output.print_comparison(found)
    if json:
        output.write_json(comparisons.document(found, machine), json)
    leave_early(cut_off)
    raise typer.Exit(status(found))


def status(found: Outcome) -> int:
    """The exit status that an outcome asks for."""
    if found.failures:
        return 1
    return 0 if found.decided else UNDECIDED
