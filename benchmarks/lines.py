"""Results as lines of JSON: each is kept when it is there, and pages are made of all of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cnnbench.report.table import instance

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from cnnbench.record import Launch


def keep(place: Path, line: Mapping[str, Any]) -> None:
    """Add a line to a file."""
    with place.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, sort_keys=True) + "\n")


def recorded(place: Path) -> list[dict[str, Any]]:
    """The lines of a file; none if it is not there."""
    if not place.exists():
        return []
    return [json.loads(line) for line in place.read_text("utf-8").splitlines()]


def by_machine(lines: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Lines that hold the facts of their machine, by what tables call that."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for line in lines:
        found.setdefault(instance(line["machine"]), []).append(line)
    return found


def origin(launch: Launch) -> dict[str, Any]:
    """When, by which guest and on which machine a result was measured."""
    return {
        "date": launch.started_at[:10],
        "guest": launch.probe_digest,
        "machine": launch.machine.get("machine_id"),
    }
