"""A proof: whether a case's training is right. Raw, immutable, serialisable."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from cnnbench.case import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cnnbench.case import Case
    from cnnbench.record import Facts

SAME, EXPLAINED, WRONG = "same", "differs, explained", "wrong"
UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a proof is of: all on which the arithmetic of a training step depends.

    Attributes:
        stack: Its name.
        stack_fingerprint: Digest of the stack's definition and lock.
        probe_digest: Digest of the guest's sources, the reference's among them.
        model: Its name.
        method: How Keras is asked to train.
        data_format: Of images.
        precision: Of computation.
        device: `cpu` or `gpu`.
        processor: The GPU's name, or the CPU's architecture and instructions: kernels differ.
        recipes: Their names.
    """

    stack: str
    stack_fingerprint: str
    probe_digest: str
    model: str
    method: str
    data_format: str
    precision: str
    device: str
    processor: str = ""
    recipes: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits: equal subjects have equal ids."""
        return digest(asdict(self))


def subject(case: Case, stack_fingerprint: str, probe_digest: str, machine: Facts) -> Subject:
    """What a proof of a case on a machine is of."""
    kinds = ("gpu",) if case.device == "gpu" else ("architecture", "cpu_flags")
    return Subject(
        stack=case.stack,
        stack_fingerprint=stack_fingerprint,
        probe_digest=probe_digest,
        model=case.model,
        method=case.method,
        data_format=case.data_format,
        precision=case.precision,
        device=case.device,
        processor=" ".join(str(machine[name]) for name in kinds if machine.get(name)),
        recipes=case.recipes,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was found of a subject.

    Attributes:
        id: Unique.
        subject: What was proven.
        made_at: UTC, ISO 8601.
        seed: Of weights, images, order and perturbations.
        outcome: `same`, `differs, explained`, `wrong`, or `unverified` where nothing was compared.
        reason: One line; empty where training is the same.
        explanations: Names of the known differences that were needed.
        checks: The largest excess of each kind: `what`, `where`, `step`, `deviation`, `tolerance`.
        losses: That the stack told of each step, and that the reference has.
        facts: What ran, and the work that it did.
    """

    id: str
    subject: Subject
    made_at: str
    seed: int
    outcome: str
    reason: str = ""
    explanations: tuple[str, ...] = ()
    checks: tuple[Mapping[str, Any], ...] = ()
    losses: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)
