"""What commands that measure share: the machine, the budget, and following events to the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnbench.cli.console import Display
from cnnbench.errors import StoreError, unknown
from cnnbench.machine import instance
from cnnbench.machine.facts import facts, machine_id
from cnnbench.plan import BUDGETS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cnnbench.case import Budget
    from cnnbench.events import Event

INTERRUPTED = 130


def here(instance_type: str | None) -> dict[str, Any]:
    """Facts of this machine, its id and its instance type among them."""
    machine = facts()
    return machine | {"machine_id": machine_id(machine), **instance.given(instance_type)}


def budget_named(name: str) -> Budget:
    """The budget of a name.

    Raises:
        UsageError: There is none.
    """
    if name not in BUDGETS:
        raise unknown("budget", name, BUDGETS)
    return BUDGETS[name]


def followed(happening: Iterable[Event]) -> KeyboardInterrupt | StoreError | None:
    """Show events to the end; what ended them early, if anything did."""
    with Display() as display:
        try:
            display.follow(happening)
        except (KeyboardInterrupt, StoreError) as error:
            return error
    return None
