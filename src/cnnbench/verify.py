"""Verifies cases, one by one. Yields events, stores every proof."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from cnnbench.link import bundle
from cnnbench.prepare import NotReady, stack_of
from cnnbench.proof import UNVERIFIED, Proof, subject
from cnnbench.prover import SEED, prove
from cnnbench.readiness import exclusive, readied
from cnnbench.redact import redact
from cnnbench.store.database import new_id, now

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from cnnbench import events
    from cnnbench.case import Case
    from cnnbench.prepare import Own
    from cnnbench.store.database import Store

DATASET = "synthetic-256"  # of any size that every model takes: a proof brings its own images


class Verification:
    """Proves the subjects of cases, each once, whether a proof is known or not.

    Args:
        cases: Of which some may have one subject.
        own: The user's own files and environments.
        store: Where proofs go.
        seed: Of all of them.

    Attributes:
        proofs: So far, in the order of the cases.
    """

    def __init__(self, cases: Sequence[Case], own: Own, store: Store, seed: int = SEED) -> None:
        alike = {self._id(case, own): replace(case, dataset=DATASET) for case in cases}
        self._cases = tuple(alike.values())
        self._own = own
        self._store = store
        self._seed = seed
        self.proofs: list[Proof] = []

    def run(self) -> Iterator[events.Event]:
        """Prove until every subject has its proof."""
        with ExitStack() as held:
            yield from exclusive(held)
            for case in self._cases:
                proof = yield from self._proof(case)
                if proof.outcome != UNVERIFIED:
                    self._store.add_proof(proof)
                self.proofs.append(proof)

    def _proof(self, case: Case) -> Generator[events.Event, None, Proof]:
        made = yield from readied(case, self._own)
        if not isinstance(made, NotReady):
            return (yield from prove(made, self._own, self._seed))
        fingerprint = made.stack.fingerprint if made.stack else ""
        return Proof(
            id=new_id(),
            subject=subject(case, fingerprint, bundle.digest()),
            made_at=now(),
            seed=self._seed,
            outcome=UNVERIFIED,
            reason=redact(made.failure.message),
        )

    @staticmethod
    def _id(case: Case, own: Own) -> str:
        return subject(case, stack_of(own, case.stack).fingerprint, bundle.digest()).id
