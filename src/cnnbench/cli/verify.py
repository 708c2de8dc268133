"""`cnnbench verify`: is the training right whose speed is measured?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cnnbench import prepare
from cnnbench.cli import flags, output
from cnnbench.cli.measuring import followed, here, leave_early
from cnnbench.cli.run import planned_suite, stacks_named
from cnnbench.proof import UNVERIFIED, WRONG
from cnnbench.prover import SEED
from cnnbench.report import proofs
from cnnbench.store.address import default_url
from cnnbench.store.database import Store
from cnnbench.verify import Verification

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnbench.proof import Proof

Suite = Annotated[
    str, typer.Argument(metavar="[SUITE]", help="A suite's name, or the path of its TOML file.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Of weights and images.")]
Seeds = Annotated[
    int,
    typer.Option("--seeds", min=1, help="Prove with so many, from --seed on: is it ever wrong?"),
]


def verify(  # noqa: PLR0917  one parameter a flag
    name: Suite = "quick",
    stack: flags.Stacks = None,
    model: flags.Models = None,
    method: flags.Methods = None,
    data_format: flags.Formats = None,
    precision: flags.Precisions = None,
    device: flags.Devices = None,
    recipe: flags.Recipes = None,
    python: flags.Python = None,
    seed: Seed = SEED,
    seeds: Seeds = 1,
    store: flags.StoreUrl = None,
    json: flags.Json = None,
) -> None:
    """Prove that training is right: the same weights and images give what a reference gives.

    Each stack trains a few steps on weights and images that it is given. Loss, gradients, weights,
    the optimiser's state and the averages of batch normalisation are held against a model in plain
    PyTorch, in float64, and the work that was done is counted. `run` does this once for each
    combination, and refuses the speed of a wrong one.

    same                 as the reference, to rounding

    differs, explained   a known difference of the framework, which is named

    wrong                anything else

    Exit status: 0 all are the same or explained; 1 one is wrong; 3 one could not be compared.
    """
    if json:
        output.check_target(json)
    own = prepare.Own()
    chosen = {
        "stack": stacks_named(own, stack, python),
        "model": model,
        "method": method,
        "data_format": data_format,
        "precision": precision,
        "device": device,
        "recipe": recipe,
    }
    cases = planned_suite(name, chosen, own).cases
    machine = here(None)
    with Store.open(store or default_url()) as opened:
        verification = Verification(cases, own, machine, opened, range(seed, seed + seeds))
        cut_off = followed(verification.run())
    found = verification.proofs
    if json != "-":
        output.print_proofs(found)
    if json:
        output.write_json(proofs.document(found, machine), json)
    leave_early(cut_off, "proofs so far are kept")
    raise typer.Exit(status(found))


def status(found: Sequence[Proof]) -> int:
    """The exit status that proofs ask for."""
    outcomes = {proof.outcome for proof in found}
    if WRONG in outcomes:
        return 1
    return 3 if UNVERIFIED in outcomes else 0
