"""Verifies cases, one by one. Yields events, stores every proof."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from cnnbench import events
from cnnbench.prepare import NotReady
from cnnbench.proof import UNVERIFIED
from cnnbench.prover import SEED, prove, subject_here, unproven
from cnnbench.readiness import exclusive, readied

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnbench.case import Case
    from cnnbench.prepare import Own
    from cnnbench.proof import Proof, Subject
    from cnnbench.record import Facts
    from cnnbench.store.database import Store

DATASET = "synthetic-256"  # of any size that every model takes: a proof brings its own images


class Verification:
    """Proves the subjects of cases, whether a proof is known or not.

    Args:
        cases: Of which some may have one subject.
        own: The user's own files and environments.
        machine: Facts of this host.
        store: Where proofs go.
        seeds: With each of which every subject is proven.

    Attributes:
        proofs: So far, in the order of the cases.
    """

    def __init__(
        self,
        cases: Sequence[Case],
        own: Own,
        machine: Facts,
        store: Store,
        seeds: Sequence[int] = (SEED,),
    ) -> None:
        self._cases = {
            subject_here(case, own, machine): replace(case, dataset=DATASET) for case in cases
        }
        self._own = own
        self._store = store
        self._seeds = seeds
        self.proofs: list[Proof] = []

    def run(self) -> events.Events:
        """Prove until every subject has its proof."""
        with ExitStack() as held:
            yield from exclusive(held)
            for of, case in self._cases.items():
                yield from self._prove(of, case)

    def _prove(self, of: Subject, case: Case) -> Iterator[events.Event]:
        """Prove one subject, and keep every proof the moment that it is known."""
        made = yield from readied(case, self._own)
        if isinstance(made, NotReady):
            self._keep(unproven(of, self._seeds[0], made.failure.message))
            return
        for event in prove(made, self._own, of, self._seeds):
            if isinstance(event, events.ProofEnded):
                self._keep(event.proof)
            yield event

    def _keep(self, proof: Proof) -> None:
        if proof.outcome != UNVERIFIED:
            self._store.add_proof(proof)
        self.proofs.append(proof)
