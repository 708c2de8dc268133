"""`cnnbench doctor`: is this machine fit to measure on?"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cnnbench.cli import output
from cnnbench.machine import doctor as machine
from cnnbench.machine import gpu_users
from cnnbench.machine.conditions import conditions
from cnnbench.machine.facts import facts
from cnnbench.machine.gpu import gpus
from cnnbench.machine.gpu_conditions import gpu_conditions

if TYPE_CHECKING:
    from cnnbench.record import Scalar

MARKS = {"ok": "ok     ", "note": "note   ", "warning": "WARNING"}


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Facts and findings as an object.")] = False,
) -> None:
    """Say what this machine is, and what on it would disturb a measurement."""
    cards = gpus()
    known, now = facts(), conditions() | gpu_conditions(cards)
    others = gpu_users.users(cards)
    # What is written for programs may be passed on: it names nobody.
    told_users = gpu_users.told(others, accounts=not json)
    findings = machine.check(known, now, cards, told_users)
    if json:
        told = [asdict(finding) for finding in findings]
        output.print_json({"facts": known, "conditions": now, "findings": told})
        return
    width = max(len(name) for name in (*known, *now))
    for name, value in (known | now).items():
        typer.echo(f"{name:{width}}  {_told(name, value)}")
    typer.echo()
    for finding in findings:
        advice = f"; {finding.advice}" if finding.advice else ""
        typer.echo(f"{MARKS[finding.level]}  {finding.what}{advice}")


def _told(name: str, value: Scalar) -> str:
    """A fact for people."""
    if value is None:
        return "unknown"
    if name.endswith("_bytes") and isinstance(value, int):
        return f"{value / 2**30:.1f} GiB"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
