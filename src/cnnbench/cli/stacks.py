"""`cnnbench stacks`: list, build, lock and remove the pinned environments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from cnnbench.cli import output
from cnnbench.envs import cache, locking, versions
from cnnbench.envs import stack as stacks
from cnnbench.errors import StackError, UsageError

if TYPE_CHECKING:
    from cnnbench.envs.stack import Stack

app = typer.Typer(no_args_is_help=True, help="List, build, lock and remove stacks.")

Names = Annotated[list[str] | None, typer.Argument(metavar="[STACK]...", help="Names of stacks.")]
All = Annotated[bool, typer.Option("--all", help="Every stack that can run here.")]


@app.command("list")
def list_stacks(
    json: Annotated[bool, typer.Option("--json", help="As an array of objects.")] = False,
) -> None:
    """Say what stacks there are, whether they can run here, and whether they are built."""
    found = described()
    if json:
        output.print_json(found)
        return
    width = max(len(entry["name"]) for entry in found)
    for entry in found:
        state = "built" if entry["python"] else "can be built"
        typer.echo(f"{entry['name']:{width}}  {entry['reason'] or state}")


@app.command()
def build(names: Names = None, every: All = False) -> None:
    """Build stacks from their locks; one that is built already is left as it is."""
    failed = False
    for name in _chosen(names, every):
        reason = _build(versions.load(name))
        failed = failed or reason is not None
        typer.echo(f"{name}: {reason or 'ready'}", err=reason is not None)
    if failed:
        raise typer.Exit(1)


@app.command()
def lock(names: Annotated[list[str], typer.Argument(metavar="STACK...")]) -> None:
    """Resolve a stack's TOML file anew and write its lock."""
    for name in names:
        written = locking.write(stacks.load(name))
        typer.echo(f"{name}: wrote {written.name}")


@app.command()
def remove(names: Annotated[list[str], typer.Argument(metavar="STACK...")]) -> None:
    """Remove built stacks from the cache."""
    for name in names:
        freed = cache.remove(versions.load(name))
        typer.echo(f"{name}: freed {freed / 1e6:.0f} MB")


def described() -> list[dict[str, Any]]:
    """Every stack: name, about, what it is made of, and whether it can run here."""
    found = []
    for name in stacks.names():
        stack = stacks.load(name)
        reason = cache.unsupported(stack)
        python = cache.python_of(stack)
        found.append(
            {
                "name": name,
                "about": stack.about,
                "backend": stack.backend,
                "package": stack.package,
                "devices": list(stack.devices),
                "available": reason is None,
                "reason": reason,
                "python": str(python) if python and reason is None else None,
            }
        )
    return found


def _build(stack: Stack) -> str | None:
    """Build a stack; why it could not be, or None."""
    if reason := cache.unsupported(stack):
        return reason

    def say(line: str) -> None:
        typer.echo(f"{stack.name}: {line}", err=True)

    try:
        with Console(stderr=True).status(f"building {stack.name}"):
            cache.build(stack, say)
    except StackError as error:
        return str(error)
    return None


def _chosen(names: list[str] | None, every: bool) -> list[str]:
    if every:
        return [name for name in stacks.names() if cache.unsupported(stacks.load(name)) is None]
    if not names:
        raise UsageError("name a stack, or say --all; see: cnnbench stacks list")
    return names
