"""A user's file as it was at a git revision, with the files beside it that it may import."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path

from cnnbench import folders
from cnnbench.errors import UsageError


def at(path: Path, revision: str) -> tuple[Path, str]:
    """Where a file stands in a copy of its repository at a revision, and the commit's name.

    The copy is made once, in the cache; two at once are safe.

    Args:
        path: A file in a git repository; it need not exist in the working tree.
        revision: Anything that git takes: `HEAD~1`, a tag, a branch, a commit.

    Raises:
        UsageError: There is no git, repository, revision, or file in it; one line.
    """
    beside = next(folder for folder in path.absolute().parents if folder.is_dir())
    top = Path(_git(beside, path, "rev-parse", "--show-toplevel").decode().strip())
    asked = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
    commit = _git(beside, path, *asked, what=f"no revision {revision}").decode().strip()
    copy = folders.cache() / "revisions" / commit
    if not copy.is_dir():
        _export(top, path, commit, copy)
    found = copy / path.absolute().resolve().relative_to(top.resolve())
    if not found.is_file():
        raise UsageError(f"{path} does not exist at revision {revision}")
    return found, commit


def between(path: Path, span: str) -> list[tuple[str, str]]:
    """The commits of `A..B` that change a file beside this one or below, with their subjects.

    A itself is the first; the others are along B's first parents, oldest first.

    Raises:
        UsageError: There is no git, repository or revision, or that is no span; one line.
    """
    first, dots, last = span.partition("..")
    if not (first and dots and last) or last.startswith("."):
        raise UsageError(f"'{span}' is no span of revisions; give it as v1.0..main")
    beside = next(folder for folder in path.absolute().parents if folder.is_dir())
    log = ["log", "--first-parent", "--format=%H %s"]
    one = [*log, "-1", "--end-of-options", first]
    others = [*log, "--reverse", "--end-of-options", span, "--", "."]
    base = _git(beside, path, *one, what=f"no revision {first}")
    rest = _git(beside, path, *others, what=f"no span {span}")
    found = [one.partition(" ") for one in (base + rest).decode("utf-8", "replace").splitlines()]
    if len(found) < 2:  # noqa: PLR2004
        raise UsageError(f"nothing beside {path} changed in {span}")
    return [(commit, subject) for commit, _, subject in found]


def _export(top: Path, path: Path, commit: str, copy: Path) -> None:
    archive = _git(top, path, "archive", "--format=tar", commit)
    copy.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=copy.parent, prefix="draft-"))
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(draft, filter="data")
    try:
        draft.rename(copy)
    except OSError:
        if not copy.is_dir():  # else another process was first
            raise


def _git(folder: Path, path: Path, *arguments: str, what: str = "no git repository") -> bytes:
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(folder), *arguments],  # noqa: S607
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            env=os.environ | {"LC_ALL": "C"},
        )
    except OSError as error:
        raise UsageError(f"revisions need git, which does not start: {error.strerror}") from None
    if done.returncode != 0:
        raise UsageError(f"there is {what} for {path}; give rev= what git knows there")
    return done.stdout
