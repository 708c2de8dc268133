"""The commands, each read from its file only once it is asked for: to read all takes seconds."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

# File and function of each, in the order of the help; those of a group are an app of their own.
PLACES = {
    "run": "run:run",
    "compare": "compare:compare",
    "gate": "gate:gate",
    "bisect": "bisect:bisect",
    "verify": "verify:verify",
    "tune": "tune:tune",
    "diagnose": "diagnose:diagnose",
    "exec": "execute:execute",
    "show": "show:show",
    "cost": "cost:cost",
    "report": "report:report",
    "serve": "serve:serve",
    "export": "export:export",
    "import": "bring:bring",
    "sync": "sync:sync",
    "schema": "schema:schema",
    "history": "history:history",
    "reference": "reference:reference",
    "list": "listing:list_names",
    "doctor": "doctor:doctor",
    "stacks": "stacks:app",
    "data": "data:app",
}


class Late(MutableMapping[str, Any]):
    """Commands by name, made when they are looked at."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = dict.fromkeys(PLACES)

    def __getitem__(self, name: str) -> Any:
        if self._made[name] is None:
            self._made[name] = _made(name)
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)

    def __contains__(self, name: object) -> bool:
        return name in self._made


class Group(TyperGroup):
    """All commands of cnnbench."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = Late()


def _made(name: str) -> Any:
    file, what = PLACES[name].split(":")
    found = getattr(import_module(f"cnnbench.cli.{file}"), what)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(name)(found)
        found = alone
    command = get_command(found)
    command.name = name
    return command
