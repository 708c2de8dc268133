"""The arms of a comparison, from texts like `stack=keras3-jax,precision=bfloat16`.

An arm says the axes of a case, of which each not said is common to all arms, and may say more:

    name=TEXT       what it is called; without, the values that it says
    python=PATH     an interpreter of the user's own, in place of a stack
    rev=REVISION    the user's own model or data file as it was at a git revision
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from cnnbench import errors, prepare, revisions, suite
from cnnbench.case import Arm, Case
from cnnbench.comparison import CONTROL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MORE = ("name", "python", "rev")


def parse(texts: Sequence[str], common: Mapping[str, Any], own: prepare.Own) -> list[Arm]:
    """The arms, in order; the first is the baseline.

    Args:
        texts: One for each arm.
        common: What no arm need say, by axis.
        own: The user's own files and environments, which are added to.

    Raises:
        UsageError: An arm cannot be read, names what does not exist, or there are fewer than two.
    """
    if len(texts) < 2:  # noqa: PLR2004
        raise errors.UsageError(
            "a comparison has two arms or more, as: --arm stack=keras3-jax --arm stack=keras3-torch"
        )
    said = [_fields(text) for text in texts]
    names = _names(said)
    return [
        Arm(name=name, case=_case(text, {**common, **fields}, own))
        for name, text, fields in zip(names, texts, said, strict=True)
    ]


def _fields(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    known = (*(axis for axis in suite.Axes.model_fields if axis != "until"), *MORE)
    for part in filter(None, text.split(",")):
        axis, sign, value = part.partition("=")
        axis = axis.strip().replace("-", "_")
        if not sign or not value:
            raise errors.UsageError(f"arm '{text}': '{part}' is not AXIS=VALUE")
        if axis not in known:
            raise errors.unknown(f"axis in arm '{text}'", axis, known)
        fields[axis] = value.strip()
    return fields


def _names(said: Sequence[Mapping[str, str]]) -> list[str]:
    """What arms are called: as they say, or by what they say; equal ones are numbered."""
    names: list[str] = []
    for fields in said:
        shown = [Path(value).name if axis == "python" else value for axis, value in fields.items()]
        name = fields.get("name") or " ".join(shown) or "baseline"
        if name.endswith(CONTROL):
            raise errors.UsageError(f"no arm may be called '{name}': so are controls")
        same = sum(known == name or known.startswith(f"{name} #") for known in names)
        names.append(f"{name} #{same + 1}" if same else name)
    return names


def _case(text: str, fields: Mapping[str, Any], own: prepare.Own) -> Case:
    axes = {axis: value for axis, value in fields.items() if axis not in MORE}
    if "python" in fields:
        axes["stack"] = prepare.add_environment(own, Path(fields["python"]).expanduser())
    if "stack" not in axes:
        raise errors.UsageError(f"arm '{text}' says no stack; give stack=NAME or --stack NAME")
    try:
        read = suite.Axes.model_validate({axis: [value] for axis, value in axes.items()})
    except ValidationError as error:
        raise errors.UsageError(f"arm '{text}': {suite.first_fault(error)}") from None
    if axes["stack"] == "all":
        raise errors.UsageError(f"arm '{text}': an arm has one stack, not all")
    (case,) = suite.expand("arm", suite.Definition(about="", axes=read), {}).cases
    return _named(text, case, fields.get("rev"), own)


def _named(text: str, case: Case, revision: str | None, own: prepare.Own) -> Case:
    """The case by the names that results know it by, the user's files at a revision if so said."""
    if revision is None:
        return prepare.named(case, own)
    changed: dict[str, Any] = {}
    for axis, known in (("model", own.models), ("dataset", own.datasets)):
        path = Path(getattr(case, axis)).expanduser()
        if path.suffix == ".py":
            found, commit = revisions.at(path, revision)
            changed[axis] = f"{path.name}@{commit[:8]}"
            known[changed[axis]] = found
    if not changed:
        raise errors.UsageError(f"arm '{text}': rev= is of your own file; say model=FILE.py")
    return prepare.named(replace(case, **changed), own)
