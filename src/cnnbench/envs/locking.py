"""Writing a stack's lock: the exact version and hashes of everything that it installs."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cnnbench import whole
from cnnbench.envs import interpreters, sources, uv_tool
from cnnbench.envs import stack as stacks
from cnnbench.errors import StackError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cnnbench.envs.stack import Stack


def write(stack: Stack) -> Path:
    """Resolve a stack's TOML file anew and replace its lock, all or nothing.

    Returns:
        The lock file. `stack.load` reads it; `stack` itself is of the old one.

    Raises:
        UsageError: The stack has nothing to lock.
        StackError: Its interpreter is missing, its pins cannot be met, or the file not written.
    """
    if stack.python == stacks.HOST:
        raise UsageError(f"stack {stack.name} installs nothing: it has no lock")
    path = stacks.FOLDER / f"{stack.name}.lock"
    try:
        whole.write(path, resolved(stack, stack.packages))
    except OSError as error:
        raise StackError(
            f"cannot write {path.name}: {error.strerror}; free some space or make the folder "
            f"writable, then run: {_retry(stack)}"
        ) from error
    return path


def resolved(stack: Stack, pins: Mapping[str, str], more: Sequence[str] = ()) -> str:
    """The text of a lock: exact versions and hashes of all that some pins ask for.

    Args:
        stack: Whose interpreter and sources they are for.
        pins: Exact versions by requirement name.
        more: Other requirements.

    Raises:
        StackError: The interpreter is missing, or the pins cannot be met.
    """
    python = interpreters.find(stack.python)
    if python is None:
        raise StackError(interpreters.remedy(stack.python))
    text = "".join(f"{name}=={version}\n" for name, version in sorted(pins.items()))
    text = sources.exact(text) + "".join(f"{one}\n" for one in more)
    with tempfile.TemporaryDirectory() as folder:
        wanted, found = Path(folder) / "pins.in", Path(folder) / "found"
        wanted.write_text(text, encoding="utf-8")
        plain = ["--generate-hashes", "--no-header", "--no-annotate"]
        options: list[str | Path] = [
            *plain,
            *sources.options(stack, os.environ),
            "--python",
            python,
        ]
        uv_tool.run(
            ["pip", "compile", *options, "--output-file", found, wanted],
            failed=f"cannot lock {stack.name}",
            retry=_retry(stack),
        )
        return found.read_text(encoding="utf-8")


def _retry(stack: Stack) -> str:
    return f"cnnbench stacks lock {stack.name}"
