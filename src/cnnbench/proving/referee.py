"""The guest of the reference, which says what the steps that a stack took should have given.

How far rounding leads, and how the loss falls, cost most of a proof and are the same again for the
same seed: they are kept.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnbench import catalog, folders, launch, recipes
from cnnbench.case import digest
from cnnbench.link import bundle
from cnnbench.probe import wire
from cnnbench.proving import hearing
from cnnbench.verification import given, learning
from cnnbench.verification.checks import allowance, step_losses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cnnbench.case import Case
    from cnnbench.link.conversation import Conversation
    from cnnbench.proving.trainee import Run
    from cnnbench.verification.checks import Check
    from cnnbench.verification.traits import Traits

# Largest relative error of one rounding: TF32 and float16 keep 11 bits, bfloat16 keeps 8.
ROUNDOFFS = {"float32": 2.0**-24, "tf32": 2.0**-11, "bfloat16": 2.0**-8, "float16": 2.0**-11}
PERTURBATIONS = 20
SOURCES = ("reference.py", "exact.py", "changes.py", "learning.py", "native/*.py")


class Referee:
    """Talks with the guest of the reference.

    Args:
        conversation: With it.
        case: Whose steps are judged.

    Attributes:
        described: What it says of its model.
        roundoff: Of the case's precision.
    """

    def __init__(self, conversation: Conversation, case: Case) -> None:
        self._conversation = conversation
        self._case = case
        self._precision = recipes.rounds_like(case)
        self.roundoff = ROUNDOFFS[self._precision]
        threads = launch.threads(case.threads)
        conversation.tell(wire.Reference(version=wire.VERSION, model=case.model, threads=threads))
        self.described: wire.Described = hearing.answer(conversation, wire.Described)

    def expected(self, run: Run, variants: frozenset[str]) -> Mapping[str, Any]:
        """What the steps that were seen should have given."""
        self._ask(wire.Expect, run, variants)
        return hearing.arrays(run.folder / "expected.npz")

    def perturbed(self, run: Run, variants: frozenset[str], step: int) -> Mapping[str, Any]:
        """How far rounding leads a step away; the plain network's first is the same every time."""
        place = self._file("perturbed", run.seed)
        is_same = step == 1 and not variants
        found = _kept(place) if is_same else {}
        if not found:
            more = {"perturbations": PERTURBATIONS}
            self._ask(wire.Perturb, run, variants, **self._how(run, step), **more)
            found = hearing.arrays(run.folder / "perturbed.npz")
            if is_same:
                _keep(place, found)
        return found

    def edges(self, run: Run, variants: frozenset[str], step: int, coins: int) -> Mapping[str, Any]:
        """How far values on an edge can move the gradients of a step."""
        self._ask(wire.Edges, run, variants, **self._how(run, step), coins=coins)
        return hearing.arrays(run.folder / "edges.npz")

    def learned(self, run: Run, traits: Traits) -> tuple[Check, Sequence[float]]:
        """Whether the loss falls as traits ask for, and how it should."""
        found = self._learn(run, traits)
        told = step_losses(run.losses, traits)
        return learning.check(told, found), found[0]

    def _how(self, run: Run, step: int) -> dict[str, Any]:
        """How a step is tried out."""
        return {"roundoff": self.roundoff, "seed": run.seed, "step": step}

    def _ask(
        self, kind: Callable[..., Any], run: Run, variants: frozenset[str], **more: Any
    ) -> None:
        """Have the guest write what it finds of the steps that were seen."""
        self._conversation.tell(
            kind(
                folder=str(run.folder),
                rows=self._rows(run.seed, given.STEPS),
                variants=sorted(variants),
                **more,
            )
        )
        hearing.answer(self._conversation, wire.Expected)

    def _learn(self, run: Run, traits: Traits) -> Sequence[Sequence[float]]:
        """The losses of each step that training should have, and of some that are led astray."""
        asked = wire.Learn(
            folder=str(run.folder),
            rows=self._rows(run.seed, given.STEPS + given.LEARNING),
            variants=sorted(traits.variants),
            rule=asdict(traits.rule),
            roundoff=allowance(self.roundoff) * self.roundoff,
            trajectories=learning.TRAJECTORIES,
            seed=run.seed,
        )
        place = self._file(f"losses-{digest([*asked[1:]])}", run.seed)
        found = _kept(place)
        if not found:
            self._conversation.tell(asked)
            found = {"losses": np.array(hearing.answer(self._conversation, wire.Learned).losses)}
            _keep(place, found)
        losses: list[list[float]] = found["losses"].tolist()
        return losses

    def _rows(self, seed: int, steps: int) -> list[list[int]]:
        """The images that each step trained on."""
        method = catalog.module("methods", self._case.method)
        from_start = getattr(method, "FROM_START", False)
        return given.rows(self.described.batch, seed, steps, from_start=from_start)

    def _file(self, what: str, seed: int) -> Path:
        """Where something is kept that is the same again for this reference and seed."""
        sources = [path for name in SOURCES for path in sorted(bundle.SOURCES.glob(name))]
        sources.append(Path(given.__file__))
        of = digest([source.read_text("utf-8") for source in sources])
        name = f"{of}-{self._case.model}-{self._precision}-{seed}-{what}.npz"
        return folders.cache() / "proofs" / name


def _keep(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write a file whole or not at all; without room for it the next proof tries out again."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".draft")
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)
        Path(draft).replace(path)


def _kept(path: Path) -> Mapping[str, Any]:
    """What `_keep` wrote; nothing if it is not there, or damaged."""
    try:
        return hearing.arrays(path)
    except (OSError, EOFError, ValueError, zipfile.BadZipFile):
        return {}
