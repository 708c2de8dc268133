"""Values to rows; `reading.py` is the inverse."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cnnbench.store.codec import pack, pack_proof, to_dict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cnnbench.proof import Proof
    from cnnbench.record import Facts, Failure, Launch, Window
    from cnnbench.store.exchange import Origin

CASE_COLUMNS = (
    "stack",
    "model",
    "dataset",
    "method",
    "data_format",
    "batch_size",
    "precision",
    "device",
)
IMPORTED = ""  # the digest of campaigns from elsewhere, which nothing resumes


def launch(one: Launch) -> dict[str, Any]:
    """What is known of a launch at its start."""
    return {
        "id": one.id,
        "campaign": one.campaign,
        "case_id": one.case.id,
        "case": to_dict(one.case),
        **{name: encodable(getattr(one.case, name)) for name in CASE_COLUMNS},
        "number": one.number,
        "seed": one.seed,
        "stack_fingerprint": one.stack_fingerprint,
        "probe_digest": one.probe_digest,
        "started_at": one.started_at,
        "machine": pack(one.machine),
        "arm": one.arm,
        "block": one.block,
    }


def window(launch_id: str, one: Window) -> dict[str, Any]:
    """A window of a launch."""
    return {"launch": launch_id, **asdict(one)}


def end(
    launch_id: str,
    stages: Mapping[str, float],
    facts: Facts,
    failure: Failure | None,
    ended_at: str,
) -> dict[str, Any]:
    """What is known of a launch at its end."""
    return {
        "launch": launch_id,
        "stages": pack(stages),
        "facts": pack(facts),
        "failure": None if failure is None else to_dict(failure),
        "ended_at": ended_at,
    }


def proof(one: Proof) -> dict[str, Any]:
    """A proof."""
    return {
        "id": one.id,
        "subject_id": one.subject.id,
        **pack_proof(one),
        "reason": encodable(one.reason),
    }


def imported_campaign(name: str, origin: Origin, launches: Sequence[Launch]) -> dict[str, Any]:
    """A campaign from elsewhere, by its launches."""
    arms = [arm.name for arm in origin.arms]
    plan = [arm.case for arm in origin.arms] or list(dict.fromkeys(one.case for one in launches))
    return {
        "id": name,
        "digest": IMPORTED,
        "started_at": launches[0].started_at,
        "suite": origin.suite,
        "budget": to_dict(origin.budget),
        "probe_digest": launches[0].probe_digest,
        "machine": pack(origin.machine),
        "plan": [to_dict(case) for case in plan],
        "arms": arms or None,
    }


def encodable(value: Any) -> Any:
    """A copy that every database takes: names may hold bytes that are not text, or a NUL."""
    if not isinstance(value, str):
        return value
    return value.encode(errors="replace").decode().replace("\0", "?")
