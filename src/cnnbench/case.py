"""What to measure: a case, a budget, and the suite that joins them. Values only."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

DATA_FORMATS = ("channels_last", "channels_first")
PRECISIONS = ("float32", "bfloat16", "float16")
DEVICES = ("cpu", "gpu")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One point of the matrix.

    Attributes:
        stack: Name of a stack, or `local@<digest>` for an environment that the user has.
        model: Name of a model, or `<file>@<digest>` for the user's own.
        dataset: Name of a data set, or `<file or folder>@<digest>` for the user's own.
        method: How Keras is asked to train: `fit`, `train_on_batch`, `fit_generator`.
        data_format: `channels_last` or `channels_first`.
        batch_size: Images in one training step of one device.
        precision: Of computation; weights stay in float32.
        device: `cpu` or `gpu`.
        augment: Whether images are shifted and flipped at random while training.
        threads: CPUs that the guest may use; 0 means all that this process may use.
    """

    stack: str
    model: str
    dataset: str
    method: str
    data_format: str = "channels_last"
    batch_size: int = 32
    precision: str = "float32"
    device: str = "cpu"
    augment: bool = False
    threads: int = 0

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits of the canonical JSON: equal cases have equal ids."""
        return digest(asdict(self))

    @property
    def title(self) -> str:
        """The case in one line, for people."""
        parts = [self.stack, self.model, self.dataset, self.method, self.data_format]
        parts.append(f"batch {self.batch_size}")
        if self.precision != "float32":
            parts.append(self.precision)
        if self.device != "cpu":
            parts.append(self.device)
        if self.augment:
            parts.append("augmented")
        if self.threads:
            parts.append(f"{self.threads} threads")
        return " · ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How long to measure; `plan.py` has the rules that use it.

    Attributes:
        precision: Half-width of the interval, relative to the point, at which a case is settled.
        confidence: Of the interval.
        launches: Fewest and most launches of a case.
        warmup_seconds: Training discarded in each launch after the first step, at least.
        warmup_windows: Windows discarded in each launch, at least.
        windows: Fewest and most windows measured in a launch.
        window_seconds: Shortest window.
        case_seconds: No new launch of a case begins after this much time was spent on it.
        silence_seconds: A guest that says nothing for this long is killed.
    """

    precision: float
    confidence: float = 0.95
    launches: tuple[int, int]
    warmup_seconds: float
    warmup_windows: int
    windows: tuple[int, int]
    window_seconds: float
    case_seconds: float
    silence_seconds: float = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A named set of cases and a budget."""

    name: str
    about: str
    cases: tuple[Case, ...]
    budget: Budget


def digest(value: Any) -> str:
    """Twelve hexadecimal digits that name a JSON value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
