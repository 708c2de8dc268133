"""`cnnbench doctor`: is this machine fit to measure on?"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from cnnbench.cli import output
from cnnbench.disturbance import foreign_share, steal_share
from cnnbench.events import Waiting
from cnnbench.fitness import fitness
from cnnbench.machine import canary as canaries
from cnnbench.machine import doctor as machine
from cnnbench.machine import gpu_users, noise
from cnnbench.machine.conditions import conditions
from cnnbench.machine.facts import facts
from cnnbench.machine.gpu import gpus
from cnnbench.machine.gpu_conditions import gpu_conditions
from cnnbench.readiness import exclusive

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cnnbench.fitness import Reading
    from cnnbench.machine.doctor import Finding
    from cnnbench.record import Scalar

MARKS = {"ok": "ok     ", "note": "note   ", "warning": "WARNING"}
HINT = "how far speeds vary here, and what precision that allows: cnnbench doctor --canary 90"

Canary = Annotated[
    int | None,
    typer.Option(
        "--canary",
        metavar="SECONDS",
        min=3,
        max=3600,
        help="Also work for so long, 90 say, and tell how far speeds vary and what that allows.",
    ),
]


def doctor(
    canary: Canary = None,
    json: Annotated[bool, typer.Option("--json", help="Facts and findings as an object.")] = False,
) -> None:
    """Say what this machine is, and what on it would disturb a measurement.

    Exit status: 0 said; 1 no canary could be run, for another cnnbench is measuring.
    """
    cards = gpus()
    known, now = facts(), conditions() | gpu_conditions(cards)
    others = gpu_users.users(cards)
    # What is written for programs may be passed on: it names nobody.
    told_users = gpu_users.told(others, accounts=not json)
    findings = machine.check(known, now, cards, told_users)
    told: dict[str, Any] = {"facts": known, "conditions": now}
    if canary is not None:
        told["canary"], more = _noise(canary)
        findings += more
    if json:
        output.print_json(told | {"findings": [asdict(finding) for finding in findings]})
        return
    _print(known | now, findings)
    if canary is None:
        typer.echo(f"\n{HINT}")


def _noise(seconds: int) -> tuple[dict[str, Any], list[Finding]]:
    """What a canary shows, as an object and as findings; leaves if somebody measures."""
    with ExitStack() as held:
        for waiting in exclusive(held):
            assert isinstance(waiting, Waiting)  # noqa: S101  all that it ever yields
            whom = waiting.reason.removeprefix("waiting for ")
            typer.echo(f"no canary beside {whom}; ask again when it is done", err=True)
            raise typer.Exit(1)
        before = conditions()
        readings = _heard(seconds)
        after = conditions(since=before)
    during = {f"{name} before": value for name, value in before.items()}
    during |= {f"{name} after": value for name, value in after.items()}
    found, foreign, steal = fitness(readings), foreign_share(during), steal_share(during)
    told = asdict(found) | {"foreign_share": foreign, "steal_share": steal}
    return told, list(noise.findings(found, foreign, steal))


def _heard(seconds: int) -> list[Reading]:
    """The windows of a canary, shown on a terminal while they come."""
    readings = []
    console = Console(stderr=True, highlight=False)
    with console.status("canary") as status:
        for reading in canaries.sing(seconds):
            readings.append(reading)
            left = max(0.0, seconds - reading.at)
            status.update(f"canary: process {reading.process + 1}, about {left:.0f} s left")
    return readings


def _print(known: Mapping[str, Scalar], findings: Sequence[Finding]) -> None:
    width = max(map(len, known))
    for name, value in known.items():
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
