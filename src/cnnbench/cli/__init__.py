"""The command line: one file a command. Parses, calls, prints; nothing else here decides."""

from __future__ import annotations

import io
import signal
import sys
from typing import Annotated, NoReturn

import typer

from cnnbench import __version__, errors
from cnnbench.cli.commands import Group

app = typer.Typer(
    name="cnnbench",
    cls=Group,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="How fast a convolutional network really trains, on every Keras backend.",
    epilog="Begin with: cnnbench run",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"cnnbench {__version__}")
        raise typer.Exit


@app.callback()
def shared(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Say the version and leave."
        ),
    ] = False,
) -> None:
    """What every command shares."""


def main() -> NoReturn:
    """Run the command; what goes wrong is one line on standard error.

    Exit status: 0 done; 1 the answer is no; 2 the command was wrong; 3 undecided; 130 interrupted.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a locale may not know our signs
    try:
        arguments = _with_json_target(sys.argv[1:])
        status = app(arguments, prog_name="cnnbench", standalone_mode=False)
    except errors.CnnbenchError as error:
        typer.echo(f"cnnbench: {error}", err=True)
        sys.exit(2)
    except typer.TyperException as error:
        _explain(error)
        sys.exit(error.exit_code)
    sys.exit(status)


def _with_json_target(arguments: list[str]) -> list[str]:
    """The arguments, `--json` without a file meaning standard output where it takes a file.

    Typer has no options whose value may be left out.
    """
    takers = (
        "run",
        "compare",
        "gate",
        "bisect",
        "verify",
        "tune",
        "diagnose",
        "show",
        "cost",
        "history",
        "reference",
    )
    if not arguments or arguments[0] not in takers:
        return arguments
    found = []
    for argument, following in zip(arguments, [*arguments[1:], "--"], strict=True):
        found.append(argument)
        if argument == "--json" and following.startswith("--"):
            found.append("-")
    return found


def _explain(error: typer.TyperException) -> None:
    """Say what is wrong with the command line; nothing if its help was printed instead."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "cnnbench"
    if said := " ".join(error.format_message().split()):
        typer.echo(f"cnnbench: {said.rstrip('.')}; see: {path} --help", err=True)
