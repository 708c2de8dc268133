"""Which arms of a race go on, and when it is over. Pure.

Arms are launched in blocks, as in a comparison; after each block those leave that have lost. An arm
has lost where it is proven to be behind the leader: a one-sided t-test of an additive model
(`stats/additive.py`), whose level is shared among all arms and all blocks that may come
(Bonferroni), so that the best arm leaves with a probability of at most 1 - confidence. One block
tells nothing of noise; after it those leave that are `COARSE` times behind, as no noise makes it.

Source: Birattari et al., "A racing algorithm for configuring metaheuristics", GECCO 2002, with a
parametric test in the place of Friedman's, for there are few blocks.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from cnnbench.stats import additive
from cnnbench.stats.distributions import student_quantile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COARSE = 1.5


class Rules(NamedTuple):
    """Of a race.

    Attributes:
        confidence: That the best arm stays in it.
        margin: The smallest relative difference that matters: a race of arms closer than that is
            over.
        blocks: Fewest and most.
    """

    confidence: float
    margin: float
    blocks: tuple[int, int]


class Standing(NamedTuple):
    """Of a race, after some blocks.

    Attributes:
        leader: The arm that is ahead.
        inside: Arms that may be the best, the leader among them, by how far they are ahead.
        behind: By how much each arm is behind the leader, as a ratio of at most 1.
        is_over: Whether more blocks would tell nothing that matters.
    """

    leader: str
    inside: tuple[str, ...]
    behind: Mapping[str, float]
    is_over: bool


def replayed(
    blocks: Sequence[Mapping[str, float]], arms: Sequence[str], rules: Rules
) -> Standing | None:
    """How a race stands, whose arms left one after the other; None before its first block.

    Args:
        blocks: Of all of it, in order.
        arms: Those that can run.
        rules: Of the race.
    """
    found: Standing | None = None
    for count in range(1, len(blocks) + 1):
        found = standing(blocks[:count], found.inside if found else arms, rules)
    return found


def standing(
    blocks: Sequence[Mapping[str, float]], running: Sequence[str], rules: Rules
) -> Standing:
    """How a race stands.

    Args:
        blocks: Logarithms by arm of what is to be large; those that left are in the early ones
            only, and one whose launch did not count is left out. At least one.
        running: Arms that have not left; at least one is in a block.
        rules: Of the race.
    """
    found = additive.fit(blocks)
    unmeasured = [name for name in running if name not in found.names]
    running = [name for name in running if name in found.names]
    leader = max(running, key=lambda name: found.effects[found.names.index(name)])
    tail = (1 - rules.confidence) / (max(len(found.names) - 1, 1) * rules.blocks[1])
    quantile = -student_quantile(found.freedom, tail) if found.freedom else math.nan
    inside, close = [], True
    for name in running:
        behind, error = found.difference(leader, name)
        if error is None:
            stays = behind <= math.log(COARSE)
            close = close and name == leader
        else:
            stays = behind <= quantile * error
            close = close and behind + quantile * error <= math.log1p(rules.margin)
        if stays:
            inside.append(name)
    behind_by = {n: math.exp(-found.difference(leader, n)[0]) for n in found.names}
    inside.sort(key=lambda name: -behind_by[name])
    inside += unmeasured
    fewest, most = rules.blocks
    alone = len(inside) == 1
    return Standing(
        leader=leader,
        inside=tuple(inside),
        behind=behind_by,
        is_over=len(blocks) >= most or (len(blocks) >= fewest and (alone or close)),
    )
