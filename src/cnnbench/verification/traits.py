"""What a stack does, as far as frameworks differ in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnbench.verification.moving import Average
from cnnbench.verification.optimizers import Rule

if TYPE_CHECKING:
    from cnnbench.probe.wire import Described

PLAIN = Average()


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What training steps are held against.

    Attributes:
        rule: Of the optimiser.
        average: Of batch normalisation.
        running_mean: Whether the loss that is told is the mean of all steps so far.
        unordered: Whether weights may be updated while gradients still go back through them.
        variants: What the reference is to do otherwise, of those that `probe/reference.py` knows.
    """

    rule: Rule
    average: Average = PLAIN
    running_mean: bool = False
    unordered: bool = False
    variants: frozenset[str] = frozenset()


def standard(described: Described) -> Traits:
    """What the reference's model asks for, with the optimisers of Keras 2.1.5."""
    settings: dict[str, Any] = described.settings
    return Traits(rule=Rule(name=described.optimizer, **settings))
