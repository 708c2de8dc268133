"""The command that measures a case again."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from cnnbench.case import KERAS, Case

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTHING = Case(stack="", model="", dataset="", method="")


def again(case: Case) -> str:
    """`cnnbench run ...` for a case; what is the user's own is named by its file alone."""
    return shlex.join(["cnnbench", "run", *_flags(case)])


def _flags(case: Case) -> Iterator[str]:
    if case.stack.startswith("local@"):
        yield from ("--python", "YOUR/bin/python")
    else:
        yield from ("--stack", case.stack)
    yield from ("--model", _file(case.model), "--dataset", _file(case.dataset))
    yield from ("--method", case.method, "--data-format", case.data_format)
    yield from ("--batch-size", str(case.batch_size))
    for name in ("precision", "device", "threads", "devices"):
        if (value := getattr(case, name)) != getattr(NOTHING, name):
            yield from (f"--{name}", str(value))
    if case.augment:
        yield "--augment"
    if case.loader != KERAS:
        yield from ("--loader", case.loader)
    if case.recipes:
        yield from ("--recipe", "+".join(case.recipes))
    if case.until is not None:
        yield from ("--until", f"accuracy={case.until:g}")


def _file(name: str) -> str:
    """The name of a user's own file or folder, without the digest of what is in it."""
    return name.partition("@")[0]
