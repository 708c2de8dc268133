"""Proofs as a table, and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cnnbench.proof import SAME
from cnnbench.report import grid
from cnnbench.report.document import SCHEMA, finite
from cnnbench.report.table import FORMATS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cnnbench.proof import Proof
    from cnnbench.record import Facts

OUTCOME, EXCESS = "Outcome", "Excess"


def rows(proofs: Sequence[Proof]) -> list[dict[str, str]]:
    """One row of texts by column for each proof."""
    found = [_row(proof) for proof in proofs]
    plain = {"Precision": "float32", "Device": "cpu", "Recipes": ""}
    empty = {name for name, usual in plain.items() if all(row[name] == usual for row in found)}
    if len({proof.seed for proof in proofs}) < 2:  # noqa: PLR2004
        empty.add("Seed")
    return [{k: v for k, v in row.items() if k not in empty} for row in found]


def markdown(proofs: Sequence[Proof]) -> str:
    """The table as Markdown."""
    return grid.markdown(rows(proofs)) if proofs else "Nothing was verified."


def document(proofs: Sequence[Proof], machine: Facts) -> dict[str, Any]:
    """The whole answer of `verify`."""
    return {
        "schema": SCHEMA,
        "machine": finite(machine),
        "proofs": [_as_json(proof) for proof in proofs],
    }


def _row(proof: Proof) -> dict[str, str]:
    subject, excess = proof.subject, largest_excess(proof.checks)
    return {
        "Stack": subject.stack,
        "Model": subject.model,
        "Method": f"`{subject.method}`",
        "Data Format": FORMATS[subject.data_format],
        "Precision": subject.precision,
        "Device": subject.device,
        "Recipes": ", ".join(subject.recipes),
        "Seed": str(proof.seed),
        EXCESS: "" if excess is None else f"{excess:.2f}",
        OUTCOME: proof.outcome,
        "Why": "" if proof.outcome == SAME else proof.reason,
    }


def largest_excess(checks: Sequence[Mapping[str, Any]]) -> float | None:
    """The largest deviation over what rounding explains; None if nothing was compared."""
    found = [check["deviation"] / check["tolerance"] for check in checks if check["tolerance"]]
    return max(found, default=None)


def _as_json(proof: Proof) -> dict[str, Any]:
    return {
        "id": proof.id,
        "subject": {"id": proof.subject.id, **asdict(proof.subject)},
        "made_at": proof.made_at,
        "seed": proof.seed,
        "outcome": proof.outcome,
        "reason": proof.reason,
        "explanations": list(proof.explanations),
        "checks": [finite(check) for check in proof.checks],
        "losses": {name: list(values) for name, values in proof.losses.items()},
        "facts": finite(proof.facts),
    }
