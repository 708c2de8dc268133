"""What to measure: a case, a budget, and the suite that joins them. Values only."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

DATA_FORMATS = ("channels_last", "channels_first")
PRECISIONS = ("float32", "tf32", "bfloat16", "float16")
DEVICES = ("cpu", "gpu")
KERAS = "keras"  # the loader that a method has by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One point of the matrix.

    Attributes:
        stack: Name of a stack, or `local@<digest>` for an environment that the user has.
        model: Name of a model, or `<file>@<digest>` for the user's own.
        dataset: Name of a data set, or `<file or folder>@<digest>` for the user's own.
        method: How Keras is asked to train: `fit`, `train_on_batch`, `fit_generator`...
        data_format: `channels_last` or `channels_first`.
        batch_size: Images in one training step of one device.
        precision: Of computation; weights stay in float32. `tf32` is float32 whose matrix products
            an NVIDIA card may round to 10 bits; `float32` is never rounded.
        device: `cpu` or `gpu`.
        augment: Whether images are shifted and flipped at random while training.
        threads: CPUs that the guest may use; 0 means all that this process may use.
        devices: How many devices share a training step, each with `batch_size` images.
        until: Share of the held-out images that are to be classified rightly for a launch to end;
            None where speed is measured.
        recipes: Names of changes that may make it faster, in alphabetical order.
        loader: How batches are read while training; `keras` where Keras reads them, or where all is
            in memory.
        experiment: Name of the part of its work that is left out; empty where it is training.
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
    devices: int = 1
    until: float | None = None
    recipes: tuple[str, ...] = ()
    loader: str = KERAS
    experiment: str = ""

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits of the canonical JSON: equal cases have equal ids."""
        return digest(asdict(self))

    @property
    def global_batch(self) -> int:
        """Images in one training step of all devices together."""
        return self.batch_size * self.devices

    def has(self, wanted: Mapping[str, Collection[Any] | None]) -> bool:
        """Whether each axis has one of the values that are wanted of it; None wants all."""
        return all(v is None or getattr(self, axis) in v for axis, v in wanted.items())

    @property
    def title(self) -> str:
        """The case in one line, for people."""
        parts = [self.stack, self.model, self.dataset, self.method, self.data_format]
        shared = f" = {self.devices} x {self.batch_size}" if self.devices > 1 else ""
        parts.append(f"batch {self.global_batch}{shared}")
        if self.precision != "float32":
            parts.append(self.precision)
        if self.device != "cpu" or self.devices > 1:
            parts.append(self.device if self.devices == 1 else f"{self.devices} {self.device}s")
        if self.augment:
            parts.append("augmented")
        if self.threads:
            parts.append(f"{self.threads} threads")
        if self.loader != KERAS:
            parts.append(f"loader {self.loader}")
        parts += self.recipes
        if self.experiment:
            parts.append(f"experiment {self.experiment}")
        if self.until is not None:
            parts.append(f"until {100 * self.until:g} %")
        return " · ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How long to measure; `plan.py` has the rules that use it.

    Attributes:
        precision: Half-width of the interval, relative to the point, at which a case is settled;
            also the change of speed that makes a launch unsteady.
        confidence: Of the interval, over all looks at the growing number of launches together.
        launches: Of a case that count: at the first look, and at the last.
        warmup_seconds: Training discarded in each launch after the first step, at least.
        warmup_windows: Windows discarded in each launch, at least.
        windows: Fewest and most windows measured in a launch; twice that where it is not steady.
        window_seconds: Shortest window.
        case_seconds: No new launch of a case begins after this much time was spent on it.
        silence_seconds: A guest that says nothing for this long is killed.
        exclusive: Whether a GPU that somebody else uses is refused.
        margin: The smallest difference between two speeds that matters, relative.
        blocks: Of a comparison that count: at the first look, and at the last.
        disturbance: Share of the CPUs' time that others may take from a launch that counts.
        passes: Through the images, after which a launch gives its goal up.
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
    exclusive: bool = False
    margin: float = 0.02
    blocks: tuple[int, int] = (5, 20)
    disturbance: float = 0.05
    passes: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One side of a comparison.

    Attributes:
        name: Unique in its comparison.
        case: What is measured.
    """

    name: str
    case: Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A named set of cases and a budget.

    Attributes:
        name: Of its file.
        about: One line for people.
        cases: Each once.
        budget: How long to measure each.
        published: The sections of the published tables whose rows the cases are.
    """

    name: str
    about: str
    cases: tuple[Case, ...]
    budget: Budget
    published: tuple[str, ...] = ()


def digest(value: Any) -> str:
    """Twelve hexadecimal digits that name a JSON value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
