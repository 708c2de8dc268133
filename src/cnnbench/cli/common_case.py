"""What commands that compare share: what arms have in common, and the limits of a budget."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from cnnbench.cli.measuring import budget_named
from cnnbench.errors import UsageError

if TYPE_CHECKING:
    from typing import Any

    from cnnbench.case import Budget

UNDECIDED = 3

Margin = Annotated[
    float | None,
    typer.Option(
        "--margin", min=1e-4, max=1.0, help="The smallest difference that matters: 0.02 is 2 %."
    ),
]
Blocks = Annotated[
    int | None, typer.Option("--blocks", min=2, help="Exactly so many blocks that count.")
]


def single(place: str, /, **values: list[Any] | None) -> dict[str, Any]:
    """What the arms have in common: one value an axis.

    Args:
        place: The flags of the arms, where several values would belong.
        values: What was said, by axis.

    Raises:
        UsageError: A flag was repeated.
    """
    for axis, said in values.items():
        if said is not None and len(said) > 1:
            raise UsageError(f"--{axis.replace('_', '-')} has several values; say them in {place}")
    return {axis: said[0] for axis, said in values.items() if said}


def limits(budget: str | None, margin: float | None, blocks: int | None) -> Budget:
    """The budget of a name, `standard` without one, with the margin and blocks that were said.

    Raises:
        UsageError: There is no such budget.
    """
    found = budget_named(budget or "standard")
    if margin is not None:
        found = replace(found, margin=margin)
    return found if blocks is None else replace(found, blocks=(blocks, blocks))
