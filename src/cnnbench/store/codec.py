"""Values to JSON and back, exactly.

JSON has no NaN and no infinity, and PostgreSQL refuses them; such a number is written as
`{"$float": "nan"}`. Mappings here are flat, so that no other object stands in that place.
"""

from __future__ import annotations

import math
from dataclasses import MISSING, asdict, fields
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from cnnbench.errors import StoreError
from cnnbench.proof import Proof, Subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from dataclasses import Field
    from typing import ClassVar

TAG = "$float"


class Record(Protocol):
    """Any of the flat dataclasses: `Case`, `Budget`, `Failure`."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


R = TypeVar("R", bound=Record)


def pack(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """A flat mapping as strict JSON can carry it."""
    return {key: _pack_one(value) for key, value in mapping.items()}


def unpack(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `pack`."""
    return {key: _unpack_one(value) for key, value in mapping.items()}


def pack_all(values: Iterable[Any]) -> list[Any]:
    """Values as strict JSON can carry them."""
    return [_pack_one(value) for value in values]


def unpack_all(values: Iterable[Any]) -> list[Any]:
    """The inverse of `pack_all`."""
    return [_unpack_one(value) for value in values]


def to_dict(record: Record) -> dict[str, Any]:
    """A flat dataclass as strict JSON can carry it."""
    return pack(asdict(record))


def from_dict(kind: type[R], data: Mapping[str, Any]) -> R:
    """The inverse of `to_dict`; a field that did not exist when it was written takes its default.

    Raises:
        StoreError: A field is not known here, or one that has no default is absent.
    """
    known = {field.name: field for field in fields(kind)}
    if extra := sorted(data.keys() - known.keys()):
        raise StoreError(
            f"the store holds a {kind.__name__.lower()} with {', '.join(extra)}, which this"
            " cnnbench does not know; upgrade cnnbench"
        )
    if absent := sorted(name for name in known.keys() - data.keys() if _needed(known[name])):
        raise StoreError(
            f"the store holds a {kind.__name__.lower()} without {', '.join(absent)}; it is damaged,"
            " give another --store"
        )
    # JSON has arrays only; every sequence in these dataclasses is a tuple.
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in unpack(data).items()}
    return kind(**values)


def pack_proof(proof: Proof) -> dict[str, Any]:
    """A proof as strict JSON can carry it, but for its id."""
    return {
        "subject": to_dict(proof.subject),
        "made_at": proof.made_at,
        "seed": proof.seed,
        "outcome": proof.outcome,
        "reason": proof.reason,
        "explanations": list(proof.explanations),
        "checks": [pack(check) for check in proof.checks],
        "losses": {name: pack_all(values) for name, values in proof.losses.items()},
        "facts": pack(proof.facts),
    }


def unpack_proof(name: str, data: Mapping[Any, Any]) -> Proof:
    """The inverse of `pack_proof`, with the proof's id."""
    return Proof(
        id=name,
        subject=from_dict(Subject, data["subject"]),
        made_at=data["made_at"],
        seed=data["seed"],
        outcome=data["outcome"],
        reason=data["reason"],
        explanations=tuple(data["explanations"]),
        checks=tuple(map(unpack, data["checks"])),
        losses={name: tuple(unpack_all(values)) for name, values in data["losses"].items()},
        facts=unpack(data["facts"]),
    )


def _needed(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _pack_one(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return {TAG: str(value)}
    return value


def _unpack_one(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {TAG}:
        return float(value[TAG])
    return value
