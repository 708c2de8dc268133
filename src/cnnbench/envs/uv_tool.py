"""Running uv: its progress as it goes, its failures in one line."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import tempfile
from collections import deque
from typing import TYPE_CHECKING

import uv

from cnnbench.envs import sources
from cnnbench.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

_TOLD = ("Resolved ", "Downloading ", "Building ", "Built ", "Prepared ", "Installed ")
_FULL = ("No space left on device", "Disk quota exceeded")
_NO_ANSWER = ("error sending request", "dns error", "tcp connect error", "operation timed out")
_ORNAMENT = re.compile(r"^\s*(?:(?:error|cause|Caused by):|[^\x00-\x7f]+)\s*")
_HOST = re.compile(r"https?://(?:[^/@\s]+@)?([^/\s)]+)")
_PASSWORD = re.compile(r"(?<=://)[^/@\s]+(?=@)")


def run(
    arguments: Sequence[str | Path],
    *,
    failed: str,
    retry: str,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Run uv to its end, and tell its progress as it goes.

    Args:
        arguments: After `uv`.
        failed: What to say has failed, such as `cannot build keras3-jax`.
        retry: The command that tries again.
        say: Called with each line of progress.

    Raises:
        StackError: uv is missing or failed; one line that says why and what to do.
        OSError: The disk is full.
    """
    tail: deque[str] = deque(maxlen=60)
    with subprocess.Popen(  # noqa: S603 - the arguments are ours
        [binary(), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=sources.environment(os.environ),
        # Away from the user's folder, whose pyproject.toml would change what uv resolves.
        cwd=tempfile.gettempdir(),
    ) as process:
        try:
            for line in process.stderr or ():
                tail.append(line.rstrip())
                if line.startswith(_TOLD):
                    say(line.strip())
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        fail_if_full("\n".join(tail))
        raise StackError(f"{failed}: {explain(tail)}; then run: {retry}")


def binary() -> str:
    """Path of the uv that was installed with cnnbench.

    Raises:
        StackError: It is not there.
    """
    try:
        return uv.find_uv_bin()
    except FileNotFoundError as error:
        raise StackError("uv is missing; install it: python -m pip install uv") from error


def fail_if_full(output: str) -> None:
    """Turn what a child process says of a full disk into the error it would be here.

    Raises:
        OSError: The output speaks of a full disk or quota.
    """
    if any(sign in output for sign in _FULL):
        raise OSError(errno.ENOSPC, _FULL[0])


def explain(lines: Iterable[str]) -> str:
    """One line of all that uv said: what failed, its last cause, what to do if that is known."""
    lines = [line for line in lines if line.strip()]
    if any(sign in line for line in lines for sign in _NO_ANSWER):
        host = next((found[1] for line in lines if (found := _HOST.search(line))), "")
        remedy = "check the network, PIP_INDEX_URL and PIP_FIND_LINKS"
        return f"the package index {host} does not answer; {remedy}".replace("  ", " ")
    told = [line for line in lines if _ORNAMENT.match(line)] or lines[-1:] or ["uv said nothing"]
    ends = [_ORNAMENT.sub("", line).strip(" .:") for line in (told[0], told[-1])]
    return _PASSWORD.sub("***", ": ".join(dict.fromkeys(ends)))
