"""The cache of built stacks: one folder for each name and fingerprint.

A stack is built in a hidden folder beside its own, and renamed when it is proven to start. So a
folder that has the right name is ready, whatever was killed when. The hidden folder's name is
new each time: a uv that outlives a killed cnnbench writes where nobody looks.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from cnnbench import folders
from cnnbench.envs import cuda, interpreters, sources, uv_tool
from cnnbench.envs.stack import HOST, Stack, check_lock
from cnnbench.errors import StackError
from cnnbench.machine import gpu

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def python_of(stack: Stack) -> Path | None:
    """The stack's interpreter, or None if it is not built."""
    if stack.python == HOST:
        return Path(sys.executable)
    python = _home(stack) / "bin" / "python"
    return python if python.exists() else None


def unsupported(stack: Stack) -> str | None:
    """Why a stack cannot run here and what mends it, or None; builds nothing."""
    if stack.python == HOST:
        return None
    try:
        check_lock(stack)
        if "gpu" in stack.devices and (reason := _without_gpu(stack)):
            return reason
        if python_of(stack) is None:
            _base(stack)
    except StackError as error:
        return str(error)
    return None


def build(stack: Stack, say: Callable[[str], None]) -> Path:
    """Build a stack if it is not built yet; safe beside other processes that do the same.

    Args:
        stack: What to build.
        say: Called with each line of progress.

    Returns:
        The stack's interpreter.

    Raises:
        StackError: It cannot be built; one line that says why and what to do.
    """
    if ready := python_of(stack):
        return ready
    check_lock(stack)
    base = _base(stack)
    with _told(f"cannot build {stack.name}", _retry(stack)), _alone(stack, say):
        if python_of(stack) is None:
            _build(stack, base, say)
    return _home(stack) / "bin" / "python"


def remove(stack: Stack) -> int:
    """Remove a stack, and what was built of its name before.

    Returns:
        Bytes freed. Files that uv's own cache also holds are not counted: they stay there.

    Raises:
        StackError: The cache cannot be written.
    """
    if not _root().exists():
        return 0
    retry = f"cnnbench stacks remove {stack.name}"
    with _told(f"cannot remove {stack.name}", retry), _alone(stack, lambda _: None):
        folders = _folders(stack.name)
        freed = sum(_own_bytes(folder) for folder in folders)
        for folder in folders:
            _delete(folder)
    return freed


def _build(stack: Stack, base: Path, say: Callable[[str], None]) -> None:
    for folder in _folders(stack.name):
        if folder.name.startswith(".") or folder == _home(stack):
            _delete(folder)
    work = _hidden(_home(stack).name)
    try:
        _install(stack, base, work, say)
        _compile(work, say)
        _prove(stack, work)
        work.rename(_home(stack))
    except BaseException:
        _delete(work)
        raise


def _install(stack: Stack, base: Path, work: Path, say: Callable[[str], None]) -> None:
    failed, retry = f"cannot build {stack.name}", _retry(stack)
    venv = ["venv", "--relocatable", "--no-project", "--python"]
    uv_tool.run([*venv, base, work], failed=failed, retry=retry)
    lock = work / "requirements.txt"
    lock.write_text(sources.exact(stack.lock), encoding="utf-8")
    say(f"installing {stack.name} with Python {stack.python}")
    # Any index may give a file: its hash is what is trusted.
    sync = ["pip", "sync", "--require-hashes", "--index-strategy", "unsafe-best-match"]
    options: list[str | Path] = [
        *sources.options(stack, os.environ),
        "--python",
        work / "bin" / "python",
    ]
    uv_tool.run([*sync, *options, lock], failed=failed, retry=retry, say=say)


def _compile(work: Path, say: Callable[[str], None]) -> None:
    """Compile all bytecode, which the guest may not write.

    With the stack's own compileall: uv's `--compile-bytecode` needs Python 3.7. Old packages hold
    files that no longer compile and are never imported, so its exit status says nothing.
    """
    say("compiling bytecode")
    done = subprocess.run(  # noqa: S603 - the arguments are ours
        [work / "bin" / "python", "-I", "-m", "compileall", "-q", "-j", "0", work / "lib"],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    uv_tool.fail_if_full(done.stdout + done.stderr)


def _prove(stack: Stack, work: Path) -> None:
    answer = interpreters.ask(work / "bin" / "python")
    if answer is None or answer[0] != stack.python:
        found = f"is Python {answer[0]}" if answer else "does not start"
        raise StackError(
            f"the interpreter built for {stack.name} {found}, not {stack.python}; "
            f"reinstall Python {stack.python}, then run: {_retry(stack)}"
        )


@contextlib.contextmanager
def _alone(stack: Stack, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the stack's name against other processes; the system lets go when a holder dies."""
    _root().mkdir(parents=True, exist_ok=True)
    lock = FileLock(_root() / f".{stack.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"waiting: another process is at work on {stack.name}")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _told(failed: str, retry: str) -> Iterator[None]:
    """Tell what the system refuses, a full disk apart, in one line."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            reason = f"no space left in {_root()}, or where uv keeps its cache"
            remedy = "free some (cnnbench stacks remove NAME) or set CNNBENCH_CACHE_DIR"
        else:
            reason = f"{error.strerror}: {error.filename or _root()}"
            remedy = "set CNNBENCH_CACHE_DIR to a folder that you may write"
        raise StackError(f"{failed}: {reason}; {remedy}, then run: {retry}") from error


def _without_gpu(stack: Stack) -> str | None:
    """Why no GPU here runs the stack, or None."""
    return gpu.why_none() or cuda.unfit(stack.cuda, gpu.gpus())


def _root() -> Path:
    return folders.cache() / "stacks"


def _home(stack: Stack) -> Path:
    return _root() / f"{stack.name}-{stack.fingerprint}"


def _hidden(name: str) -> Path:
    """A new path that is never taken for a built stack; not made, for the disk may be full."""
    return _root() / f".{name}-{uuid.uuid4().hex}"


def _folders(name: str) -> list[Path]:
    """Folders of a stack, ready ones and leftovers; not those of a name that begins alike."""
    pattern = re.compile(rf"\.?{re.escape(name)}-[0-9a-f]{{12}}(-\w+)?")
    return [path for path in _root().iterdir() if pattern.fullmatch(path.name)]


def _own_bytes(folder: Path) -> int:
    stats = [path.lstat() for path in folder.rglob("*") if not path.is_dir()]
    return sum(stat.st_blocks * 512 for stat in stats if stat.st_nlink == 1)


def _delete(folder: Path) -> None:
    """Hide, then delete: a removal that is killed half-way leaves nothing that looks ready."""
    if not folder.name.startswith("."):
        folder = folder.rename(_hidden(folder.name))
    shutil.rmtree(folder, ignore_errors=True)


def _base(stack: Stack) -> Path:
    """The interpreter to build on."""
    python = interpreters.find(stack.python)
    if python is None:
        raise StackError(interpreters.remedy(stack.python))
    return python


def _retry(stack: Stack) -> str:
    return f"cnnbench stacks build {stack.name}"
