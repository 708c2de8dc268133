"""Proves a case: its stack trains on what is given, and a reference says what it should give.

A generator of events that ends with the proof. What the two guests make travels as files, in a
folder that is then deleted.
"""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
import zipfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnbench import catalog, events, folders, launch
from cnnbench.case import digest
from cnnbench.errors import ProbeError
from cnnbench.link import bundle
from cnnbench.link.conversation import Conversation
from cnnbench.prepare import NotReady
from cnnbench.probe import wire
from cnnbench.probe.reference import LATE_WEIGHTS
from cnnbench.proof import EXPLAINED, SAME, UNVERIFIED, WRONG, Proof, subject
from cnnbench.readiness import readied
from cnnbench.record import Failure
from cnnbench.redact import redact, redact_facts
from cnnbench.store.database import new_id, now
from cnnbench.verification import given
from cnnbench.verification.audit import faults
from cnnbench.verification.checks import Evidence, checks
from cnnbench.verification.explanations import applied, candidates
from cnnbench.verification.traits import standard
from cnnbench.verification.verdict import holds, told, verdict, worst

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from cnnbench.case import Case
    from cnnbench.prepare import Own, Ready
    from cnnbench.record import Facts
    from cnnbench.store.database import Store
    from cnnbench.verification.checks import Check
    from cnnbench.verification.traits import Traits
    from cnnbench.verification.verdict import Verdict

REFERENCE_STACK = "keras3-torch"
# Largest relative error of one rounding: TF32 and float16 keep 11 bits, bfloat16 keeps 8.
ROUNDOFFS = {"float32": 2.0**-24, "tf32": 2.0**-11, "bfloat16": 2.0**-8, "float16": 2.0**-11}
PERTURBATIONS = 20
SILENCE_SECONDS = 900.0
SEED = 1  # of weights, images and order where none is asked for: what is tried out is kept


class UnverifiableError(Exception):
    """Why nothing can be compared, in one line."""


def proven(
    made: Ready | NotReady, own: Own, store: Store
) -> Generator[events.Event, None, tuple[Ready | NotReady, Facts]]:
    """A case whose training is right, and what its launches are to say of it.

    A subject is proven once; what is wrong is not ready, as *refused*.

    Args:
        made: The case, perhaps with all that it needs.
        own: The user's own files and environments.
        store: Which proofs are known, and where a new one goes.
    """
    if isinstance(made, NotReady):
        return made, {}
    of = subject(made.case, made.stack.fingerprint, bundle.digest())
    proof = store.proof(of.id)
    if proof is None:
        proof = yield from prove(made, own)
        if proof.outcome != UNVERIFIED:
            store.add_proof(proof)
    if proof.outcome == WRONG:
        failure = Failure(stage="proof", kind="refused", message=proof.reason)
        return NotReady(case=made.case, stack=made.stack, failure=failure), said(proof)
    return made, said(proof)


def said(proof: Proof) -> Facts:
    """What launches say of a proof; one that was not compared has no id."""
    known = {"proof": proof.id} if proof.outcome != UNVERIFIED else {}
    differences = {"proof_differences": ", ".join(proof.explanations)} if proof.explanations else {}
    return known | differences | {"proof_outcome": proof.outcome, "proof_reason": proof.reason}


def prove(ready: Ready, own: Own, seed: int = SEED) -> Generator[events.Event, None, Proof]:
    """Prove a case.

    Args:
        ready: The case with all that it needs.
        own: The user's own files and environments.
        seed: Of weights, images and order.
    """
    proof = Proof(
        id=new_id(),
        subject=subject(ready.case, ready.stack.fingerprint, bundle.digest()),
        made_at=now(),
        seed=seed,
        outcome=UNVERIFIED,
    )
    yield events.ProofStarted(ready.case)
    try:
        _check(ready)
        reference = yield from _reference(ready.case, own)
        with tempfile.TemporaryDirectory(prefix="cnnbench-") as name:
            proof = yield from _proved(ready, reference, Path(name), proof)
    except (UnverifiableError, ProbeError) as error:
        proof = replace(proof, reason=redact(str(error)))
    except OSError as error:
        reason = f"a proof needs some GB in {tempfile.gettempdir()}: {error.strerror}"
        proof = replace(proof, reason=redact(reason))
    yield events.ProofEnded(ready.case, proof)
    return proof


def _check(ready: Ready) -> None:
    """Raise for what has no reference, or shows no single steps."""
    case = ready.case
    if ready.stack.backend == "null":
        raise UnverifiableError("null trains nothing")
    if case.model not in catalog.names("native"):
        raise UnverifiableError(f"there is no reference for {case.model}")
    if case.devices > 1:
        raise UnverifiableError("only single devices are verified")
    if case.precision == "float16":
        raise UnverifiableError("float16 leaves steps out until it has found a scale of the loss")
    if not getattr(catalog.module("methods", case.method), "ONE_STEP", True):
        raise UnverifiableError(f"{case.method} shows no single steps")


def _reference(case: Case, own: Own) -> Generator[events.Event, None, Ready]:
    """What the reference's guest is started with: PyTorch on the CPU."""
    on_cpu = replace(case, stack=REFERENCE_STACK, device="cpu", precision="float32")
    reference = yield from readied(on_cpu, own)
    if isinstance(reference, NotReady):
        raise UnverifiableError(f"no reference: {reference.failure.message}")
    return reference


def _proved(
    ready: Ready, reference: Ready, folder: Path, proof: Proof
) -> Generator[events.Event, None, Proof]:
    """Have the stack train, and the reference say what that should have given."""
    case = ready.case
    with launch.start(reference, _made(folder / "reference")) as process:
        referee = _Referee(Conversation(process, SILENCE_SECONDS), case, proof.seed)
        yield events.StageEntered(case, "steps")
        run = _trained(ready, referee.described, folder / "run", proof.seed)
        proof = replace(proof, facts=redact_facts(run.facts))
        yield events.StageEntered(case, "reference")
        if fault := next(faults(referee.described, run.windows, run.seen, run.facts), None):
            return replace(proof, outcome=WRONG, reason=fault)
        plain, known = standard(referee.described), candidates(case, run.facts)
        found = verdict(referee.compare(run), plain, known)
        if found.right and applied(plain, found.explanations).unordered:
            # That cause is only known by a bound: without it, all the rest must agree exactly.
            yield events.StageEntered(case, "ordered steps")
            run = _trained(ready, referee.described, folder / "ordered", proof.seed, ordered=True)
            rest = [one for one in found.explanations if not one.change(plain).unordered]
            checks = referee.compare(run)(applied(plain, rest))
            if not holds(checks):
                found = replace(found, right=False, checks=checks)
        return _concluded(proof, found, run)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What the stack's guest told and saw of its steps, in a folder."""

    folder: Path
    windows: Sequence[Any]
    facts: Mapping[str, Any]
    given: Mapping[str, Any]
    seen: Mapping[str, Any]

    @property
    def losses(self) -> list[float]:
        """Of the steps that are compared."""
        return [window.loss for window in self.windows[: given.STEPS]]


def _trained(
    ready: Ready, described: Any, folder: Path, seed: int, *, ordered: bool = False
) -> _Run:
    """Have the stack train a few steps."""
    case = replace(ready.case, batch_size=described.batch, augment=False)
    ready = replace(ready, case=case, data=None, dataset_file=None)
    given.write(_made(folder) / "given.npz", described, seed)
    facts: dict[str, Any] = {}
    windows = []
    with launch.start(ready, folder) as process:
        conversation = Conversation(process, SILENCE_SECONDS)
        conversation.tell(launch.order(ready, seed, folder, ordered=ordered))
        facts |= _heard(conversation, wire.Compiled)
        for steps in [1] * given.STEPS + [given.MORE_STEPS]:
            conversation.tell(wire.Measure(steps=steps))
            windows.append(_answer(conversation, wire.Window))
        conversation.tell(wire.Finish())
        facts |= _heard(conversation, wire.Finished)
    return _Run(
        folder=folder,
        windows=windows,
        facts=facts,
        given=_arrays(folder / "given.npz"),
        seen=_arrays(folder / "seen.npz"),
    )


class _Referee:
    """The guest of the reference.

    Args:
        conversation: With it.
        case: Whose steps are judged.
        seed: Of the launch, and of perturbations.

    Attributes:
        described: What it says of its model.
    """

    def __init__(self, conversation: Conversation, case: Case, seed: int) -> None:
        self._conversation = conversation
        self._case = case
        self._seed = seed
        self._kept = _distances_file(case, seed)
        self._distances = _kept(self._kept)
        threads = launch.threads(case.threads)
        conversation.tell(wire.Reference(version=wire.VERSION, model=case.model, threads=threads))
        self.described = _answer(conversation, wire.Described)

    def compare(self, run: _Run) -> Callable[[Traits], list[Check]]:
        """What holds the steps of a run against what traits ask for."""

        @functools.cache
        def expected(variants: frozenset[str]) -> Mapping[str, Any]:
            return self._expect(run.folder, variants)

        def compared(traits: Traits) -> list[Check]:
            right = expected(traits.variants)
            evidence = Evidence(
                described=self.described,
                given=run.given,
                seen=run.seen,
                losses=run.losses,
                expected=right,
                distances=self._distances,
                roundoff=ROUNDOFFS[self._case.precision],
                late=expected(traits.variants | {LATE_WEIGHTS}) if traits.unordered else {},
            )
            return list(checks(evidence, traits))

        return compared

    def _expect(self, folder: Path, variants: frozenset[str]) -> Mapping[str, Any]:
        """What the steps that were seen should have given."""
        method = catalog.module("methods", self._case.method)
        batch = self.described.batch
        self._conversation.tell(
            wire.Expect(
                folder=str(folder),
                rows=given.rows(
                    batch * (given.STEPS + given.MORE_STEPS),
                    batch,
                    self._seed,
                    from_start=getattr(method, "FROM_START", False),
                ),
                variants=sorted(variants),
                roundoff=ROUNDOFFS[self._case.precision],
                perturbations=0 if self._distances else PERTURBATIONS,
                seed=self._seed,
            )
        )
        _answer(self._conversation, wire.Expected)
        found = _arrays(folder / "expected.npz")
        if not self._distances:
            tried = _below(found, "off/")
            _keep(self._kept, tried)
            self._distances = _grouped(tried)
        return found


def _concluded(proof: Proof, found: Verdict, run: _Run) -> Proof:
    """The proof with what was found."""
    right = replace(
        proof,
        outcome=EXPLAINED if found.explanations else SAME,
        reason="; ".join(f"{one.layer}: {one.name}" for one in found.explanations),
        explanations=tuple(one.name for one in found.explanations),
        checks=tuple(asdict(check) for check in worst(found.checks)),
        losses={"seen": tuple(run.losses)},
    )
    if found.right:
        return right
    return replace(right, outcome=WRONG, reason=told(found.checks), explanations=())


def _messages(conversation: Conversation, kind: type) -> Iterator[Any]:
    """What the guest says, up to and including a message of a kind.

    Raises:
        UnverifiableError: It failed.
    """
    for message in conversation.until(kind):
        if isinstance(message, wire.Failed):
            raise UnverifiableError(f"{message.stage}: {message.message}")
        yield message


def _answer(conversation: Conversation, kind: type) -> Any:
    """The guest's next message of a kind."""
    *_, message = _messages(conversation, kind)
    return message


def _heard(conversation: Conversation, kind: type) -> dict[str, Any]:
    """All facts that the guest tells up to a message of a kind."""
    facts: dict[str, Any] = {}
    for message in _messages(conversation, kind):
        facts |= getattr(message, "facts", {})
        if isinstance(message, wire.Built):
            facts["parameters"] = message.parameters
    return facts


def _arrays(path: Path) -> dict[str, Any]:
    with np.load(path) as file:
        return dict(file)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _distances_file(case: Case, seed: int) -> Path:
    """Where it is kept how far rounding leads: it costs most of a proof, and is the same again."""
    sources = [bundle.SOURCES / "reference.py", *sorted((bundle.SOURCES / "native").glob("*.py"))]
    of = digest([source.read_text("utf-8") for source in sources])
    return folders.cache() / "proofs" / f"{of}-{case.model}-{case.precision}-{seed}.npz"


def _keep(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write a file whole or not at all; without room for it the next proof tries out again."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".draft")
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)
        Path(draft).replace(path)


def _kept(path: Path) -> list[Mapping[str, Any]]:
    """What `_keep` wrote; nothing if it is not there, or damaged."""
    try:
        return _grouped(_arrays(path))
    except (OSError, EOFError, ValueError, zipfile.BadZipFile):
        return []


def _grouped(tried: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Distances by sample."""
    return [_below(tried, f"{sample}/") for sample in range(PERTURBATIONS)]


def _below(arrays: Mapping[str, Any], start: str) -> dict[str, Any]:
    """The arrays whose names begin so, without that."""
    return {name.removeprefix(start): v for name, v in arrays.items() if name.startswith(start)}
