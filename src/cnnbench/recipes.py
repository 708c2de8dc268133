"""The recipes of a case: whether they go together here, and what they set before it begins."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cnnbench import catalog, errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from cnnbench.case import Case

NONE = "none"  # as an axis says that there are no recipes
JOINED = "+"


def read(text: str) -> tuple[str, ...]:
    """The recipes that an axis names, as `jit+keep_memory`; sorted, each once.

    Raises:
        UsageError: One does not exist, or two exclude each other.
    """
    names = sorted({name.strip() for name in text.split(JOINED)} - {NONE})
    slots: dict[str, str] = {}
    for name in names:
        if (taken := slot(name)) in slots:
            raise errors.UsageError(f"recipes {slots[taken]} and {name} exclude each other")
        slots[taken] = name
    return tuple(names)


def written(case: Case) -> str:
    """The recipes of a case as an axis names them: the inverse of `read`."""
    return JOINED.join(case.recipes) or NONE


def slot(name: str) -> str:
    """What a recipe decides: two of one slot exclude each other.

    Raises:
        UsageError: There is no such recipe.
    """
    return str(getattr(catalog.module("recipes", name), "SLOT", name))


def refusal(case: Case, backend: str) -> str | None:
    """Why a case cannot have its recipes on this machine, or None.

    Args:
        case: What is to be measured.
        backend: Of its stack.
    """
    for name, recipe in _of(case):
        if why := recipe.refusal(_told(case, backend)):
            return f"recipe {name}: {why}"
    return None


def environment(case: Case, backend: str) -> dict[str, str]:
    """What the environment of a case's process has besides, for its recipes."""
    found: dict[str, str] = {}
    for _, recipe in _of(case):
        if hasattr(recipe, "environment"):
            found |= recipe.environment(_told(case, backend))
    return found


def rounds_like(case: Case) -> str:
    """The precision with whose rounding a case computes: its own, or what a recipe makes of it."""
    return next((r.ROUNDS_LIKE for _, r in _of(case) if hasattr(r, "ROUNDS_LIKE")), case.precision)


def mending(case: Case, backend: str) -> list[str]:
    """Recipes that a case lacks, with which training that is wrong may be right."""
    every = [(name, catalog.module("recipes", name)) for name in catalog.names("recipes")]
    return [
        name
        for name, recipe in every
        if getattr(recipe, "MENDS", False)
        and name not in case.recipes
        and not recipe.refusal(_told(case, backend))
    ]


def idles(case: Case) -> bool:
    """Whether a process of the case leaves the CPUs to others while it waits."""
    return all(getattr(recipe, "IDLES", True) for _, recipe in _of(case))


def shows_steps(case: Case) -> bool:
    """Whether training still shows its single steps."""
    return all(getattr(recipe, "ONE_STEP", True) for _, recipe in _of(case))


def _of(case: Case) -> Iterator[tuple[str, ModuleType]]:
    known = catalog.names("recipes")  # an older store may name others
    return ((n, catalog.module("recipes", n)) for n in case.recipes if n in known)


def _told(case: Case, backend: str) -> dict[str, Any]:
    return asdict(case) | {"backend": backend}
