"""`cnnbench report`: one page of everything that was measured."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from cnnbench import whole
from cnnbench.cli import flags  # noqa: TC001  Typer reads annotations
from cnnbench.cli.gathered import gathered
from cnnbench.errors import UsageError
from cnnbench.report.page.material import Material

NAME = "index.html"
MARK = '<meta name="generator" content="cnnbench">'
HEAD = 2000  # characters of a page in which the mark stands

Output = Annotated[Path, typer.Option("--output", help="Folder for the page; it is made.")]
Open = Annotated[bool, typer.Option("--open", help="Show it in a browser.")]


def report(
    output: Output = Path("report"),
    store: flags.StoreUrl = None,
    source: flags.Source = None,
    open_it: Open = False,
) -> None:
    """Write one page of everything that was measured: plots, tables, every launch and window.

    The page is one file that opens from a disk and asks nothing of any network. Results filter and
    sort, and each unfolds into its launches and their windows.

    cnnbench report --output report --open

    cnnbench report --from results --output published
    """
    target = output / NAME
    _check(target)
    recorded = gathered(store, source)
    if not recorded.launches:
        raise UsageError("nothing was measured yet; begin with: cnnbench run")
    typer.echo(f"{len(recorded.launches)} launches become a page...", err=True)
    from cnnbench.report.page.html import page  # noqa: PLC0415  plotting takes half a second

    _write(target, page(Material(recorded=recorded)))
    typer.echo(str(target))
    if open_it:
        webbrowser.open(target.absolute().as_uri())


def _check(target: Path) -> None:
    """See that the page can be written, before it is made."""
    folder = target.parent
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; give --output a folder")
    if not folder.exists() and not folder.absolute().parent.is_dir():
        raise UsageError(f"cannot make {folder}: give --output a folder in one that exists")
    if target.exists() and MARK not in target.read_text("utf-8", "replace")[:HEAD]:
        raise UsageError(f"{target} is not of cnnbench's making; give another --output")


def _write(target: Path, text: str) -> None:
    """Write the page, which appears whole or not at all."""
    try:
        target.parent.mkdir(exist_ok=True)
        whole.write(target, text)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}") from None
