"""A stack at another version of its backend, as `keras3-jax@0.9`: resolved once, its lock kept.

The interpreter and all other pins are those of the stack's file; a version that does not go with
them cannot be had. The lock is kept in the cache: what it names stays the same until that is
emptied.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from cnnbench import folders, whole
from cnnbench.envs import locking
from cnnbench.envs import stack as stacks
from cnnbench.errors import StackError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnbench.envs.stack import Stack

AT, TO = "@", ".."
_VERSION = re.compile(r"\d+(\.\d+)*")


def load(name: str) -> Stack:
    """The stack of a name, perhaps at a version.

    Args:
        name: `STACK`, or `STACK@VERSION`; `2.19` is the newest of 2.19.

    Raises:
        UsageError: There is no such stack, or that is no version.
        StackError: No release of that version goes with the rest of the stack.
    """
    base, at, version = name.partition(AT)
    stack = stacks.load(base)
    if not at:
        return stack
    if stack.python == stacks.HOST:
        raise UsageError(f"stack {base} installs nothing: it has no versions")
    if not _VERSION.fullmatch(version):
        have = stack.packages[stack.package]
        raise UsageError(f"--stack {name}: '{version}' is no version; it is {base}@{have} by now")
    lock = _lock(replace(stack, name=name), version)
    return replace(
        stack,
        name=name,
        about=f"{stack.about}, at {stack.package} {version}",
        packages={
            **stack.packages,
            stack.package: stacks.locked(lock)[stacks.normal(stack.package)],
        },
        lock=lock,
        fingerprint=hashlib.sha256(f"{name}\0{lock}".encode()).hexdigest()[:12],
    )


def expanded(name: str, say: Callable[[str], None]) -> list[str]:
    """The names that `STACK@2.19..2.21` stands for; of others, the name itself.

    Args:
        name: Of a stack, perhaps at a version or a range of them that differ in the last number.
        say: Called with a line on each version that cannot be had, and is left out.

    Raises:
        UsageError: That is no range, or nothing of it can be had.
    """
    base, _, said = name.partition(AT)
    low, to, high = said.partition(TO)
    if not to:
        return [name]
    *first, begin = low.split(".")
    *last, end = high.split(".")
    if first != last or not (begin.isdigit() and end.isdigit()) or int(begin) >= int(end):
        raise UsageError(
            f"--stack {name}: a range is of versions that differ in their last number, "
            f"as {base}@2.19..2.21"
        )
    found = []
    for number in range(int(begin), int(end) + 1):
        one = f"{base}{AT}{'.'.join([*first, str(number)])}"
        try:
            load(one)
        except StackError as error:
            say(f"{one} is left out: {error}")
        else:
            found.append(one)
    if not found:
        raise UsageError(f"--stack {name}: nothing of that range can be had")
    return found


def _lock(stack: Stack, version: str) -> str:
    """The lock of a stack at a version, resolved where it is not kept yet."""
    path = folders.cache() / "locks" / f"{stack.name}-{stack.fingerprint}.lock"
    if path.exists():
        return path.read_text("utf-8")
    pins = {name: pin for name, pin in stack.packages.items() if name != stack.package}
    text = locking.resolved(stack, pins, [f"{stack.package}=={version}.*"])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        whole.write(path, text)
    except OSError as error:
        raise StackError(f"cannot keep the lock of {stack.name}: {error.strerror}") from error
    return text
