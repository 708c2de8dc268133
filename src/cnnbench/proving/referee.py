"""The guest of the reference, which says what the steps that a stack took should have given.

How far rounding leads, and how the loss falls, cost most of a proof and are the same again for the
same seed: they are kept.
"""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from cnnbench import catalog, folders, launch, recipes
from cnnbench.case import digest
from cnnbench.link import bundle
from cnnbench.probe import wire
from cnnbench.probe.reference import LATE_WEIGHTS
from cnnbench.proving import hearing
from cnnbench.verification import given, learning
from cnnbench.verification.checks import (
    Evidence,
    allowance,
    checks,
    gradient_norm,
    step_losses,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cnnbench.case import Case
    from cnnbench.link.conversation import Conversation
    from cnnbench.proving.trainee import Run
    from cnnbench.verification.checks import Check
    from cnnbench.verification.traits import Traits

# Largest relative error of one rounding: TF32 and float16 keep 11 bits, bfloat16 keeps 8.
ROUNDOFFS = {"float32": 2.0**-24, "tf32": 2.0**-11, "bfloat16": 2.0**-8, "float16": 2.0**-11}
# A roundoff so small that few values are on an edge; of a coarser, every sample has some.
FINE = 1e-6
PERTURBATIONS = 20
SURE = (
    "the network is so sure of each image of the first step that nothing is learned from them:"
    " prove it with another: cnnbench verify --seed"
)
SOURCES = ("reference.py", "exact.py", "changes.py", "learning.py", "native/*.py")


class Compare(Protocol):
    """Holds the steps of a run against what traits ask for."""

    def __call__(self, traits: Traits, *, whole: bool = False) -> list[Check]:
        """Everything compared.

        What values on an edge can do takes longest, and excuses gradients only: it is tried out
        where nothing else is off, until a step is found that it does not excuse.

        Args:
            traits: What the run is held to do.
            whole: Whether it is tried out where more is off, too: the run is wrong all the same,
                but all that is off is then known to be.
        """


class Referee:
    """Talks with the guest of the reference.

    Args:
        conversation: With it.
        case: Whose steps are judged.

    Attributes:
        described: What it says of its model.
    """

    def __init__(self, conversation: Conversation, case: Case) -> None:
        self._conversation = conversation
        self._case = case
        self._precision = recipes.rounds_like(case)
        self._roundoff = ROUNDOFFS[self._precision]
        self._tried: tuple[int, list[Mapping[str, Any]]] | None = None
        threads = launch.threads(case.threads)
        conversation.tell(wire.Reference(version=wire.VERSION, model=case.model, threads=threads))
        self.described: wire.Described = hearing.answer(conversation, wire.Described)

    def compare(self, run: Run) -> Compare:
        """What holds the steps of a run against what traits ask for."""

        @functools.cache
        def expected(variants: frozenset[str]) -> Mapping[str, Any]:
            return self._expect(run, variants)

        @functools.cache
        def edges(variants: frozenset[str], step: int) -> Mapping[str, Any]:
            return self._edges(run, variants, step)

        def compared(traits: Traits, *, whole: bool = False) -> list[Check]:
            right = expected(traits.variants)
            if gradient_norm(self.described, right, 1) == 0:
                raise hearing.UnverifiableError(SURE)
            found = held(traits, right)
            for step in self._on_edge(found, whole=whole):
                right = {**right, **edges(traits.variants, step)}
                found = held(traits, right)
                if not whole and any(check.excess > 1 for check in found if check.step == step):
                    break
            return found

        def held(traits: Traits, right: Mapping[str, Any]) -> list[Check]:
            evidence = Evidence(
                described=self.described,
                given=run.given,
                seen=run.seen,
                losses=run.losses[: given.STEPS],
                expected=right,
                distances=self._distances(run.seed),
                roundoff=self._roundoff,
                late=expected(traits.variants | {LATE_WEIGHTS}) if traits.unordered else {},
            )
            return list(checks(evidence, traits))

        return compared

    def _on_edge(self, found: Sequence[Check], *, whole: bool) -> list[int]:
        """The steps whose gradients are off, perhaps because of values on an edge."""
        off = [check for check in found if check.excess > 1]
        is_more = any(check.what != "gradient" for check in off)
        if self._roundoff > FINE or (is_more and not whole):
            return []
        return sorted({check.step for check in off if check.what == "gradient"})

    def learned(self, run: Run, traits: Traits) -> tuple[Check, Sequence[float]]:
        """Whether the loss falls as traits ask for, and how it should."""
        found = self._learn(run, traits)
        told = step_losses(run.losses, traits)
        return learning.check(told, found), found[0]

    def _expect(self, run: Run, variants: frozenset[str]) -> Mapping[str, Any]:
        """What the steps that were seen should have given."""
        known = self._distances(run.seed)
        perturbations = 0 if known else PERTURBATIONS
        self._ask(wire.Expect, run, variants, perturbations=perturbations)
        found = hearing.arrays(run.folder / "expected.npz")
        if not known:
            _keep(self._file("distances", run.seed), _below(found, "off/"))
            self._tried = run.seed, _grouped(_below(found, "off/"))
        return found

    def _edges(self, run: Run, variants: frozenset[str], step: int) -> Mapping[str, Any]:
        """How far values on an edge can move the gradients of a step."""
        self._ask(wire.Edges, run, variants, step=step)
        return hearing.arrays(run.folder / "edges.npz")

    def _ask(
        self, kind: Callable[..., Any], run: Run, variants: frozenset[str], **more: Any
    ) -> None:
        """Have the guest write what it finds of the steps that were seen."""
        self._conversation.tell(
            kind(
                folder=str(run.folder),
                rows=self._rows(run.seed, given.STEPS),
                variants=sorted(variants),
                roundoff=self._roundoff,
                seed=run.seed,
                **more,
            )
        )
        hearing.answer(self._conversation, wire.Expected)

    def _distances(self, seed: int) -> list[Mapping[str, Any]]:
        """How far rounding led, by samples; none if that was not tried yet."""
        if self._tried is None or self._tried[0] != seed:
            found = _kept(self._file("distances", seed))
            self._tried = (seed, _grouped(found)) if found else None
        return self._tried[1] if self._tried else []

    def _learn(self, run: Run, traits: Traits) -> Sequence[Sequence[float]]:
        """The losses of each step that training should have, and of some that are led astray."""
        asked = wire.Learn(
            folder=str(run.folder),
            rows=self._rows(run.seed, given.STEPS + given.LEARNING),
            variants=sorted(traits.variants),
            rule=asdict(traits.rule),
            roundoff=allowance(self._roundoff) * self._roundoff,
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


def _grouped(tried: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Distances by sample."""
    return [_below(tried, f"{sample}/") for sample in range(PERTURBATIONS)]


def _below(arrays: Mapping[str, Any], start: str) -> dict[str, Any]:
    """The arrays whose names begin so, without that."""
    return {name.removeprefix(start): v for name, v in arrays.items() if name.startswith(start)}
