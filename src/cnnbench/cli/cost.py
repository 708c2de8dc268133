"""`cnnbench cost`: what your own training will take, by what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cnnbench.cli import flags, output
from cnnbench.cli.gathered import gathered
from cnnbench.errors import UsageError
from cnnbench.job import Job, bills, read_prices
from cnnbench.report.conclusions import conclusions
from cnnbench.report.costs import document
from cnnbench.report.table import instance
from cnnbench.store import exchange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnbench.result import Result

Images = Annotated[int, typer.Option("--images", min=1, help="Images that an epoch trains on.")]
Epochs = Annotated[float, typer.Option("--epochs", min=0.0, help="Epochs to train.")]
Validation = Annotated[
    int, typer.Option("--validation", min=0, help="Images to evaluate after each epoch.")
]
PriceFile = Annotated[
    Path | None,
    typer.Option(
        "--prices",
        help='Your prices, as TOML: currency = "USD", and under [per_hour] "c5.xlarge" = 1.5 ...',
    ),
]


def cost(  # noqa: PLR0917  one parameter a flag
    images: Images,
    epochs: Epochs = 1.0,
    validation: Validation = 0,
    prices: PriceFile = None,
    stack: flags.Stacks = None,
    model: flags.Models = None,
    dataset: flags.Datasets = None,
    method: flags.Methods = None,
    data_format: flags.Formats = None,
    store: flags.StoreUrl = None,
    source: flags.Source = None,
    json: flags.Json = None,
) -> None:
    """Say how long your training will take, and what it will cost, wherever it was measured.

    From the start of the script (imports, data, compiling, first step) to the last image, with the
    bounds of what is known; validation is counted as training, an upper bound. With --prices, what
    each machine costs: by the name in the column Instance Type. Marked are those that may be the
    best: no other is certainly faster, and cheaper where there are prices.

    cnnbench cost --model resnet50 --images 1281167 --epochs 90 --prices prices.toml
    """
    if json:
        output.check_target(json)
    told = read_prices(prices) if prices else None
    wanted = flags.axes(stack, model, dataset, method, data_format)
    found = conclusions(exchange.newest(exchange.chosen(gathered(store, source), wanted)))
    results = [one for one in found if one.case.until is None and one.images_per_second]
    _check(results)
    per_hour = told.per_hour if told else {}
    job = Job(images, epochs, validation)
    listed = bills(results, job, lambda result: per_hour.get(instance(result.machine)))
    if told and not any(bill.money for bill in listed):
        known = ", ".join(dict.fromkeys(instance(result.machine) for result in results))
        raise UsageError(f"{prices} has no price for any machine here; they are: {known}")
    if json:
        output.write_json(document(listed, job, told and told.currency), json)
    if json != "-":
        output.print_costs(listed, told.currency if told else "")


def _check(results: Sequence[Result]) -> None:
    """See that there is something to tell, of one training.

    Raises:
        UsageError: There is not; the message says what to add.
    """
    if not results:
        raise UsageError("nothing like that has a speed; see what has: cnnbench show --all")
    for name in ("model", "dataset"):
        values = list(dict.fromkeys(getattr(result.case, name) for result in results))
        if len(values) > 1:
            raise UsageError(f"a job is of one {name}: give --{name}, one of {', '.join(values)}")
