"""The commands, each read from its file only once it is asked for: to read all takes seconds."""

from __future__ import annotations

from collections import UserDict
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


class Late(UserDict[str, Any]):
    """Commands by name, made of their places when they are looked at."""

    def __getitem__(self, name: str) -> Any:
        if isinstance(self.data[name], str):
            self.data[name] = _made(name, self.data[name])
        return self.data[name]


class Group(TyperGroup):
    """All commands of cnnbench."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = Late(PLACES)


def _made(name: str, place: str) -> Any:
    file, what = place.split(":")
    found = getattr(import_module(f"cnnbench.cli.{file}"), what)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(name)(found)
        found = alone
    command = get_command(found)
    command.name = name
    return command
