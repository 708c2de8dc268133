"""The command line: one file a command. Parses, calls, prints; nothing else here decides."""

from __future__ import annotations

import signal
import sys
from typing import Annotated, NoReturn

import typer

from cnnbench import __version__, errors
from cnnbench.cli import data, doctor, listing, run, show, stacks

app = typer.Typer(
    name="cnnbench",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="How fast a convolutional network really trains, on every Keras backend.",
    epilog="Begin with: cnnbench run",
)
app.command("run")(run.run)
app.command("show")(show.show)
app.command("list")(listing.list_names)
app.command("doctor")(doctor.doctor)
app.add_typer(stacks.app, name="stacks")
app.add_typer(data.app, name="data")


@app.callback()
def version(
    show_version: Annotated[
        bool, typer.Option("--version", is_eager=True, help="Say the version and leave.")
    ] = False,
) -> None:
    """What every command shares."""
    if show_version:
        typer.echo(f"cnnbench {__version__}")
        raise typer.Exit


def main() -> NoReturn:
    """Run the command; what goes wrong is one line on standard error.

    Exit status: 0 done; 1 the answer is no; 2 the command was wrong; 3 undecided; 130 interrupted.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except errors.CnnbenchError as error:
        typer.echo(f"cnnbench: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    sys.exit(0)
