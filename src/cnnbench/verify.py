"""Verifies cases, one by one. Yields events, stores every proof."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from cnnbench import events
from cnnbench.link import bundle
from cnnbench.prepare import NotReady
from cnnbench.proof import UNVERIFIED, Proof, subject
from cnnbench.prover import SEED, prove, subject_id
from cnnbench.readiness import exclusive, readied
from cnnbench.redact import redact
from cnnbench.store.database import new_id, now

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnbench.case import Case
    from cnnbench.prepare import Own
    from cnnbench.store.database import Store

DATASET = "synthetic-256"  # of any size that every model takes: a proof brings its own images


class Verification:
    """Proves the subjects of cases, whether a proof is known or not.

    Args:
        cases: Of which some may have one subject.
        own: The user's own files and environments.
        store: Where proofs go.
        seeds: With each of which every subject is proven.

    Attributes:
        proofs: So far, in the order of the cases.
    """

    def __init__(
        self, cases: Sequence[Case], own: Own, store: Store, seeds: Sequence[int] = (SEED,)
    ) -> None:
        alike = {subject_id(case, own): replace(case, dataset=DATASET) for case in cases}
        self._cases = tuple(alike.values())
        self._own = own
        self._store = store
        self._seeds = seeds
        self.proofs: list[Proof] = []

    def run(self) -> events.Events:
        """Prove until every subject has its proof."""
        with ExitStack() as held:
            yield from exclusive(held)
            for case in self._cases:
                yield from self._prove(case)

    def _prove(self, case: Case) -> Iterator[events.Event]:
        """Prove one subject, and keep every proof the moment that it is known."""
        made = yield from readied(case, self._own)
        if isinstance(made, NotReady):
            self._keep(self._unverified(case, made))
            return
        for event in prove(made, self._own, self._seeds):
            if isinstance(event, events.ProofEnded):
                self._keep(event.proof)
            yield event

    def _keep(self, proof: Proof) -> None:
        if proof.outcome != UNVERIFIED:
            self._store.add_proof(proof)
        self.proofs.append(proof)

    def _unverified(self, case: Case, made: NotReady) -> Proof:
        fingerprint = made.stack.fingerprint if made.stack else ""
        return Proof(
            id=new_id(),
            subject=subject(case, fingerprint, bundle.digest()),
            made_at=now(),
            seed=self._seeds[0],
            outcome=UNVERIFIED,
            reason=redact(made.failure.message),
        )
