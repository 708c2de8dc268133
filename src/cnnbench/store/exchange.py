"""Raw launches as a file of JSON lines, for a repository or another machine.

    {"cnnbench": "launches", "schema": 1}
    {"campaign": "c1", "suite": "quick", "budget": {...}, "machine": {...}}
    {"launch": "l1", "campaign": "c1", "case": {...}, ..., "windows": [[0, "first step", 1, ...]]}
    {"proof": "p1", "subject": {...}, "outcome": "same", ...}

A window is an array in the order of `record.Window`, whose last values may be missing. New keys may
be added, none change.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from cnnbench import whole
from cnnbench.case import Arm, Budget, Case
from cnnbench.errors import StoreError
from cnnbench.record import Failure, Launch, Window
from cnnbench.store.codec import from_dict, pack, pack_proof, to_dict, unpack, unpack_proof

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from cnnbench.proof import Proof
    from cnnbench.record import Facts
    from cnnbench.store.database import Store
    from cnnbench.store.reading import Campaign

SCHEMA = 1
PLAIN = ("number", "seed", "stack_fingerprint", "probe_digest", "started_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What the launches of one campaign have in common; arms if it compares them."""

    suite: str
    budget: Budget
    machine: Facts
    arms: tuple[Arm, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a file holds: campaigns by id, launches in the order of the file, and proofs."""

    campaigns: Mapping[str, Origin]
    launches: tuple[Launch, ...]
    proofs: tuple[Proof, ...] = ()


def origin(campaign: Campaign) -> Origin:
    """What of a campaign goes into a file."""
    return Origin(
        suite=campaign.suite,
        budget=campaign.budget,
        machine=campaign.machine,
        arms=campaign.arms,
    )


def everything(store: Store) -> Recorded:
    """All that a store holds, of launches those that ended."""
    return Recorded(
        campaigns={found.id: origin(found) for found in store.campaigns()},
        launches=tuple(store.launches()),
        proofs=tuple(store.proofs()),
    )


def write(path: Path, recorded: Recorded) -> None:
    """Write launches, and the campaigns that they are of; the file appears whole or not at all.

    Raises:
        StoreError: The file cannot be written.
    """
    text = as_text(recorded)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        whole.write(path, text)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from None


def as_text(recorded: Recorded) -> str:
    """Launches, the campaigns that they are of, and proofs, as the lines of a file."""
    used = dict.fromkeys(launch.campaign for launch in recorded.launches)
    lines: list[dict[str, Any]] = [{"cnnbench": "launches", "schema": SCHEMA}]
    lines += [_campaign_line(name, recorded.campaigns[name]) for name in used]
    lines += [_launch_line(launch) for launch in recorded.launches]
    lines += [{"proof": proof.id, **pack_proof(proof)} for proof in recorded.proofs]
    return "".join(json.dumps(line, allow_nan=False, sort_keys=True) + "\n" for line in lines)


def read(path: Path) -> Recorded:
    """What a file holds.

    Raises:
        StoreError: It cannot be read, is no file of launches, or is of another schema.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"cannot read {path}: {getattr(error, 'strerror', error)}") from None
    found = [_object(path, number, line) for number, line in enumerate(lines, 1)]
    _check_head(path, found[0] if found else {})
    try:
        return _recorded(found[1:])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(f"{path} is damaged: {type(error).__name__}: {error}") from None


def merge(parts: Iterable[Recorded]) -> Recorded:
    """All launches and proofs of several files, each once, in the order in which they began."""
    campaigns: dict[str, Origin] = {}
    launches: dict[str, Launch] = {}
    proofs: dict[str, Proof] = {}
    for part in parts:
        campaigns |= part.campaigns
        launches |= {launch.id: launch for launch in part.launches}
        proofs |= {proof.id: proof for proof in part.proofs}
    in_order = sorted(launches.values(), key=lambda launch: (launch.started_at, launch.id))
    made = sorted(proofs.values(), key=lambda proof: (proof.made_at, proof.id))
    return Recorded(campaigns=campaigns, launches=tuple(in_order), proofs=tuple(made))


def newest(recorded: Recorded) -> Recorded:
    """For each case and machine, the launches of the latest campaign that has any of it.

    Those of comparisons all stay: each is a whole of its own.
    """
    latest: dict[Any, str] = {}
    for launch in sorted(recorded.launches, key=lambda launch: launch.started_at):
        latest[_subject(launch)] = launch.campaign
    kept = [launch for launch in recorded.launches if latest[_subject(launch)] == launch.campaign]
    return replace(recorded, launches=tuple(kept))


def chosen(recorded: Recorded, wanted: Mapping[str, Sequence[str] | None]) -> Recorded:
    """The launches of cases whose axes have one of the wanted values; None wants all."""
    kept = [launch for launch in recorded.launches if launch.case.has(wanted)]
    return replace(recorded, launches=tuple(kept))


def _subject(launch: Launch) -> tuple[Any, ...]:
    if launch.block is not None:
        return (launch.campaign,)
    return launch.case, launch.machine.get("machine_id")


def _campaign_line(name: str, campaign: Origin) -> dict[str, Any]:
    arms = [{"name": arm.name, "case": to_dict(arm.case)} for arm in campaign.arms]
    return {
        "campaign": name,
        "suite": campaign.suite,
        "budget": to_dict(campaign.budget),
        "machine": pack(campaign.machine),
        **({"arms": arms} if arms else {}),
    }


def _launch_line(launch: Launch) -> dict[str, Any]:
    compared = {} if launch.block is None else {"arm": launch.arm, "block": launch.block}
    return {
        "launch": launch.id,
        "campaign": launch.campaign,
        "case": to_dict(launch.case),
        **{name: getattr(launch, name) for name in PLAIN},
        "stages": pack(launch.stages),
        "facts": pack(launch.facts),
        "failure": launch.failure and to_dict(launch.failure),
        **compared,
        "windows": [_values(window) for window in launch.windows],
    }


def _values(window: Window) -> list[Any]:
    """A window as an array; the accuracy only where it was measured, as most are for speed."""
    values = list(pack(asdict(window)).values())
    return values[:-1] if window.accuracy is None else values


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise StoreError(f"{path}, line {number}: no JSON object; is it a file of launches?")
    return value


def _check_head(path: Path, head: Mapping[str, Any]) -> None:
    if head.get("cnnbench") != "launches":
        raise StoreError(f"{path} is no file of cnnbench launches")
    if head.get("schema") != SCHEMA:
        raise StoreError(
            f"{path} has schema {head.get('schema')}, this cnnbench reads {SCHEMA};"
            " use the cnnbench that wrote it, or measure anew"
        )


def _recorded(found: Iterable[Mapping[str, Any]]) -> Recorded:
    campaigns: dict[str, Origin] = {}
    launches, proofs = [], []
    for line in found:
        if "proof" in line:
            proofs.append(unpack_proof(line["proof"], line))
        elif "launch" in line:
            launches.append(_launch(line, campaigns[line["campaign"]].machine))
        else:
            campaigns[line["campaign"]] = Origin(
                suite=line["suite"],
                budget=from_dict(Budget, line["budget"]),
                machine=unpack(line["machine"]),
                arms=tuple(
                    Arm(name=arm["name"], case=from_dict(Case, arm["case"]))
                    for arm in line.get("arms", ())
                ),
            )
    return Recorded(campaigns=campaigns, launches=tuple(launches), proofs=tuple(proofs))


def _launch(line: Mapping[str, Any], machine: Facts) -> Launch:
    return Launch(
        id=line["launch"],
        campaign=line["campaign"],
        case=from_dict(Case, line["case"]),
        **{name: line[name] for name in PLAIN},
        machine=machine,
        stages=unpack(line["stages"]),
        facts=unpack(line["facts"]),
        failure=line["failure"] and from_dict(Failure, line["failure"]),
        windows=tuple(_window(row) for row in line["windows"]),
        arm=line.get("arm", ""),
        block=line.get("block"),
    )


def _window(row: Sequence[Any]) -> Window:
    names = list(Window.__dataclass_fields__)
    return Window(**unpack(dict(zip(names[: len(row)], row, strict=True))))
