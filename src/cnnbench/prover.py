"""Proves a case: its stack trains on what is given, and a reference says what it should give.

A generator of events that ends with the proofs. What the two guests make travels as files, in a
folder that is then deleted.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cnnbench import catalog, events, launch, recipes
from cnnbench.errors import ProbeError
from cnnbench.link import bundle
from cnnbench.link.conversation import Conversation
from cnnbench.prepare import NotReady, stack_of
from cnnbench.probe import wire
from cnnbench.proof import EXPLAINED, SAME, UNVERIFIED, WRONG, Proof, subject
from cnnbench.proving.comparing import Comparison
from cnnbench.proving.hearing import SILENCE_SECONDS, UnverifiableError
from cnnbench.proving.referee import Referee
from cnnbench.proving.trainee import Trainee
from cnnbench.readiness import plain_pytorch
from cnnbench.record import Failure
from cnnbench.redact import redact, redact_facts
from cnnbench.store.database import new_id, now
from cnnbench.verification.audit import faults, left_out
from cnnbench.verification.explanations import applied, candidates
from cnnbench.verification.traits import standard
from cnnbench.verification.verdict import holds, taught, told, verdict, worst

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from cnnbench.case import Case
    from cnnbench.executor import Happening, Place
    from cnnbench.prepare import Own, Ready
    from cnnbench.proof import Subject
    from cnnbench.proving.trainee import Run
    from cnnbench.record import Facts
    from cnnbench.store.database import Store
    from cnnbench.verification.traits import Traits
    from cnnbench.verification.verdict import Verdict

SEED = 1  # of weights, images and order where none is asked for: what is tried out is kept


def proven(
    made: Ready | NotReady, own: Own, store: Store, place: Place, machine: Facts
) -> Generator[Happening, None, tuple[Ready | NotReady, Facts]]:
    """A case whose training is right, and what its launches are to say of it.

    A subject is proven once; what is wrong is not ready, as *refused*. Experiments are no training.

    Args:
        made: The case, perhaps with all that it needs.
        own: The user's own files and environments.
        store: Which proofs are known, and where a new one goes.
        place: Where the case was made ready.
        machine: Facts of what it is made ready on.
    """
    if isinstance(made, NotReady) or made.case.experiment:
        return made, {}
    of = subject(made.case, made.stack.fingerprint, bundle.digest(), machine)
    proof = store.proof(of.id)
    if proof is None:
        (proof,) = yield from place.run(prove, made, own, of)
        if proof.outcome != UNVERIFIED:
            store.add_proof(proof)
    if proof.outcome == WRONG:
        failure = Failure(stage="proof", kind="refused", message=proof.reason)
        return NotReady(case=made.case, stack=made.stack, failure=failure), said(proof)
    return made, said(proof)


def subject_here(case: Case, own: Own, machine: Facts) -> Subject:
    """What a proof of a case is of, on the stack as it is now."""
    return subject(case, stack_of(own, case.stack).fingerprint, bundle.digest(), machine)


def said(proof: Proof) -> Facts:
    """What launches say of a proof; one that was not compared has no id."""
    known = {"proof": proof.id} if proof.outcome != UNVERIFIED else {}
    differences = {"proof_differences": ", ".join(proof.explanations)} if proof.explanations else {}
    return known | differences | {"proof_outcome": proof.outcome, "proof_reason": proof.reason}


def prove(
    ready: Ready, own: Own, of: Subject, seeds: Sequence[int] = (SEED,)
) -> Generator[events.Event, None, list[Proof]]:
    """Prove a case, once with each of some seeds, all in one process of the stack.

    Args:
        ready: The case with all that it needs.
        own: The user's own files and environments.
        of: What the proofs are of.
        seeds: Of weights, images and order.

    Returns:
        A proof for each seed, up to the first that is unverified.
    """
    proofs: list[Proof] = []
    try:
        _check(ready)
        reference = yield from _reference(ready.case, own)
        with tempfile.TemporaryDirectory(prefix="cnnbench-") as name, ExitStack() as held:
            bench = _Bench(ready, of, reference, Path(name), held)
            for seed in seeds:
                yield events.ProofStarted(ready.case)
                proofs.append((yield from bench.proof(seed)))
                yield events.ProofEnded(ready.case, proofs[-1])
    except (UnverifiableError, ProbeError, OSError) as error:
        if len(proofs) == len(seeds):
            return proofs  # all is known: a process that dies as it is sent away changes nothing
        reason = str(error)
        if isinstance(error, OSError):
            reason = f"a proof needs some GB in {tempfile.gettempdir()}: {error.strerror}"
        proofs.append(unproven(of, seeds[len(proofs)], reason))
        yield events.ProofEnded(ready.case, proofs[-1])
    return proofs


def unproven(of: Subject, seed: int, reason: str) -> Proof:
    """That nothing was compared, and why."""
    return Proof(
        id=new_id(),
        subject=of,
        made_at=now(),
        seed=seed,
        outcome=UNVERIFIED,
        reason=redact(reason),
    )


def _check(ready: Ready) -> None:
    """Raise for what has no reference, or shows no single steps."""
    case = ready.case
    if ready.stack.backend == "null":
        raise UnverifiableError("null trains nothing")
    if case.model not in catalog.names("native"):
        raise UnverifiableError(f"there is no reference for {case.model}")
    if case.devices > 1:
        raise UnverifiableError("only single devices are verified")
    if not getattr(catalog.module("methods", case.method), "ONE_STEP", True):
        raise UnverifiableError(f"{case.method} shows no single steps")
    if not recipes.shows_steps(case):
        raise UnverifiableError(f"{' and '.join(case.recipes)} shows no single steps")


def _reference(case: Case, own: Own) -> Generator[events.Event, None, Ready]:
    """What the reference's guest is started with: PyTorch on the CPU."""
    reference = yield from plain_pytorch(replace(case, device="cpu"), own)
    if isinstance(reference, NotReady):
        raise UnverifiableError(f"no reference: {reference.failure.message}")
    return reference


class _Bench:
    """The reference, and the stack that is held against it.

    Args:
        ready: The case with all that its stack needs.
        of: What its proofs are of.
        reference: The same of the reference.
        folder: For all that they write.
        held: Ends their processes.
    """

    def __init__(
        self, ready: Ready, of: Subject, reference: Ready, folder: Path, held: ExitStack
    ) -> None:
        self._ready = ready
        self._of = of
        self._folder = folder
        stack = reference.stack
        self._judge = f"{stack.name}, PyTorch {stack.packages['torch']}"
        process = held.enter_context(launch.start(reference, _made(folder / "reference")))
        conversation = Conversation(process, SILENCE_SECONDS)
        self._referee = Referee(conversation, ready.case)
        held.push(lambda kind, *_: conversation.tell(wire.Finish()) if kind is None else None)
        self._plainly, self._in_order = (
            held.enter_context(
                Trainee(ready, self._referee.described, folder / name, ordered=ordered)
            )
            for name, ordered in (("stack", False), ("ordered", True))
        )

    def proof(self, seed: int) -> Generator[events.Event, None, Proof]:
        """Have the stack train, and the reference say what that should have given."""
        case, referee = self._ready.case, self._referee
        proof = unproven(self._of, seed, "")
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            yield events.StageEntered(case, "steps")
            run = self._plainly.train(_made(Path(name) / "run"), seed)
            facts = dict(run.facts, reference=self._judge)
            proof = replace(proof, facts=redact_facts(facts))
            yield events.StageEntered(case, "reference")
            if step := left_out(run.seen):
                raise UnverifiableError(f"float16 left step {step} out: its gradients overflowed")
            if fault := next(faults(referee.described, run.windows, run.seen, run.facts), None):
                return replace(proof, outcome=WRONG, reason=fault)
            found, traits, run = yield from self._judged(run, Path(name) / "ordered")
            losses = {"seen": tuple(run.losses)}
            if found.right:
                yield events.StageEntered(case, "learning")
                compare, learn = Comparison(referee, run), partial(referee.learned, run)
                known = candidates(case, run.facts)
                found, right = taught(compare, learn, traits, known, found)
                losses["reference"] = tuple(right)
            remedies = recipes.mending(case, self._ready.stack.backend)
            return _concluded(proof, found, losses, remedies)

    def _judged(
        self, run: Run, folder: Path
    ) -> Generator[events.Event, None, tuple[Verdict, Traits, Run]]:
        """What the steps show, what they are held to, and the run that goes on to learn.

        Args:
            run: As the stack took the steps.
            folder: For those that it takes once more, in order.
        """
        case, referee = self._ready.case, self._referee
        plain, known = standard(referee.described), candidates(case, run.facts)
        compare = Comparison(referee, run)
        found = verdict(compare, plain, known)
        traits = applied(plain, found.explanations)
        if found.right and traits.unordered:
            # That cause is only known by a bound: without it, all must agree exactly.
            yield events.StageEntered(case, "ordered steps")
            run = self._in_order.train(_made(folder), run.seed)
            rest = [one for one in found.explanations if not one.change(plain).unordered]
            traits, compare = applied(plain, rest), Comparison(referee, run)
            checks = compare(traits)
            found = replace(found, right=holds(checks), checks=checks)
        if not found.right:
            # What is off first is told as the reason: nothing that an edge excuses.
            found = replace(found, checks=compare(traits, whole=True))
        return found, traits, run


def _concluded(
    proof: Proof,
    found: Verdict,
    losses: Mapping[str, tuple[float, ...]],
    remedies: Sequence[str],
) -> Proof:
    """The proof with what was found; what is wrong may have recipes as remedies."""
    right = replace(
        proof,
        outcome=EXPLAINED if found.explanations else SAME,
        reason="; ".join(f"{one.layer}: {one.name}" for one in found.explanations),
        explanations=tuple(one.name for one in found.explanations),
        checks=tuple(asdict(check) for check in worst(found.checks)),
        losses=losses,
    )
    if found.right:
        return right
    hints = [f"it may be right with --recipe {name}" for name in remedies]
    reason = "; ".join([told(found.checks), *hints])
    return replace(right, outcome=WRONG, reason=reason, explanations=())


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
