"""What commands that measure share: the machine, the budget, and following events to the end."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import typer

from cnnbench.cli.console import Display
from cnnbench.errors import StoreError, unknown
from cnnbench.machine import instance
from cnnbench.machine.facts import facts
from cnnbench.plan import BUDGETS

if TYPE_CHECKING:
    from cnnbench.case import Budget
    from cnnbench.events import Events

INTERRUPTED = 130
GOES_ON = "the same command goes on from here"


def here(instance_type: str | None) -> dict[str, Any]:
    """Facts of this machine, its id and its instance type among them."""
    return facts() | instance.given(instance_type)


def budget_named(name: str) -> Budget:
    """The budget of a name.

    Raises:
        UsageError: There is none.
    """
    if name not in BUDGETS:
        raise unknown("budget", name, BUDGETS)
    return BUDGETS[name]


def leave_early(cut_off: KeyboardInterrupt | StoreError | None, kept: str = GOES_ON) -> None:
    """End the command where something ended its measuring early.

    Args:
        cut_off: What did, if anything.
        kept: What becomes of what was measured, for people.
    """
    if isinstance(cut_off, KeyboardInterrupt):
        typer.echo(f"interrupted; {kept}", err=True)
        raise typer.Exit(INTERRUPTED)
    if cut_off is not None:
        raise cut_off


def followed(happening: Events) -> KeyboardInterrupt | StoreError | None:
    """Show events to the end; what ended them early, if anything did."""
    with Display() as display:
        try:
            with closing(happening):
                display.follow(happening)
        except (KeyboardInterrupt, StoreError) as error:
            return error
    return None
