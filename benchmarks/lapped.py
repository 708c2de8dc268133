"""Arms that are launched in blocks which all of them are in, to be looked at together."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from cnnbench import prepare, tuning
from cnnbench.cli.measuring import followed, here
from cnnbench.race import Race

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnbench import tuned
    from cnnbench.case import Arm
    from cnnbench.store.database import Store


def lapped(
    arms: Sequence[Arm],
    store: Store,
    part_of: str,
    blocks: int,
    *,
    verify: bool = True,
    own: prepare.Own | None = None,
) -> tuned.Lap:
    """Launch arms in so many blocks; those that were launched before are not launched again.

    Args:
        arms: By name.
        store: Where launches go.
        part_of: What they are launched for.
        blocks: How many.
        verify: Whether training is proven to be right.
        own: The user's own environments, if arms are of some.

    Raises:
        KeyboardInterrupt: It was interrupted; the same call goes on.
    """
    own = own or prepare.Own()
    named = [replace(arm, case=prepare.named(arm.case, own)) for arm in arms]
    race = Race(
        named,
        tuning.RULES._replace(blocks=(blocks, blocks)),
        tuning.value_of("throughput"),
        name="lapped",
        part_of=part_of,
        stay=[arm.name for arm in named],
        budget=tuning.BUDGET,
        own=own,
        machine=here(None),
        store=store,
        verify=verify,
    )
    if (cut_off := followed(race.run())) is not None:
        raise KeyboardInterrupt from cut_off
    return tuning.lap("all", named, race)


def speed(blocks: Sequence[dict[str, float]], name: str) -> float:
    """Geometric mean of an arm's speeds over blocks; 0 where it is in none."""
    logs = [block[name] for block in blocks if name in block]
    return math.exp(sum(logs) / len(logs)) if logs else 0.0
