"""`cnnbench doctor`: is this machine fit to measure on?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from cnnbench.cli import output
from cnnbench.machine import doctor as machine
from cnnbench.machine.conditions import conditions
from cnnbench.machine.facts import facts
from cnnbench.machine.gpu import gpus

MARKS = {"ok": "ok     ", "note": "note   ", "warning": "WARNING"}


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Facts and findings as an object.")] = False,
) -> None:
    """Say what this machine is, and what on it would disturb a measurement."""
    known, now = facts(), conditions()
    findings = machine.check(known, now, gpus())
    if json:
        told = [asdict(finding) for finding in findings]
        output.print_json({"facts": known, "conditions": now, "findings": told})
        return
    width = max(len(name) for name in (*known, *now))
    for name, value in (known | now).items():
        typer.echo(f"{name:{width}}  {'unknown' if value is None else value}")
    typer.echo()
    for finding in findings:
        advice = f"; {finding.advice}" if finding.advice else ""
        typer.echo(f"{MARKS[finding.level]}  {finding.what}{advice}")
