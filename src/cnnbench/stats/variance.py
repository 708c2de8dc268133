"""Where the noise comes from, and how to spend time against it.

A group is a launch and its values are windows; or a block, and windows of one arm over another.
Source: Kalibera & Jones, "Rigorous Benchmarking in Reasonable Time", ISMM 2013: variances from a
one-way random-effects analysis, and values enough in each group that the mean is most precise in a
given time. Their optimum, sqrt(cost of a group / cost of a value) * within / between, is of many
groups. Few are needed here, and only some numbers of them are looked at, so that plans are compared
by what they cost in all; of many groups the answer is theirs.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cnnbench.stats.distributions import normal_quantile, student_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

# What the search for a number of groups gives up at.
MOST_GROUPS = 10_000


class Spread(NamedTuple):
    """Standard deviations: of the values inside a group, and of the groups' true means."""

    within: float
    between: float


def spread(groups: Sequence[Sequence[float]]) -> Spread | None:
    """The two parts of the noise; None if fewer than two groups have two values.

    The moment estimate for groups of different sizes; a negative variance between groups, which
    means that none is seen, is 0.
    """
    found = [np.asarray(group, dtype=float) for group in groups if len(group) > 1]
    if len(found) < 2:  # noqa: PLR2004
        return None
    sizes = np.array([len(group) for group in found])
    means = np.array([group.mean() for group in found])
    total = sizes.sum()
    within = sum(float(((g - g.mean()) ** 2).sum()) for g in found) / (total - len(found))
    middle = float(sizes @ means) / total
    among = float(sizes @ (means - middle) ** 2) / (len(found) - 1)
    typical = (total - (sizes**2).sum() / total) / (len(found) - 1)
    return Spread(math.sqrt(within), math.sqrt(max(0.0, (among - within) / typical)))


class Plan(NamedTuple):
    """How to reach a precision: values in each group, groups, and what all that costs."""

    values: int
    groups: int
    cost: float


def cheapest(
    noise: Spread,
    group_cost: float,
    value_cost: float,
    *,
    half_width: float,
    limits: tuple[int, int],
    looks: Sequence[int],
    confidence: float,
) -> Plan:
    """The plan that brings the interval of the mean to a half-width at the least cost.

    Args:
        noise: Within and between groups.
        group_cost: Of a group without its values, in any unit.
        value_cost: Of a value, in the same unit.
        half_width: In the unit of the noise, above 0.
        limits: Fewest and most values of a group.
        looks: Numbers of groups that are looked at; more of them may be needed.
        confidence: Of the interval.
    """
    fewest, most = limits
    plans = []
    for values in range(fewest, most + 1):
        deviation = math.sqrt(noise.between**2 + noise.within**2 / values)
        needed = groups_needed(deviation, half_width, confidence)
        groups = next((look for look in looks if look >= needed), needed)
        plans.append(Plan(values, groups, groups * (group_cost + values * value_cost)))
    return min(plans, key=lambda plan: (plan.cost, plan.values))


def groups_needed(deviation: float, half_width: float, confidence: float) -> int:
    """How many groups bring Student's interval of their mean to a half-width; at most MOST_GROUPS.

    Args:
        deviation: Standard deviation of the groups' means.
        half_width: In the same unit, above 0.
        confidence: Of the interval.
    """
    normal = normal_quantile(0.5 + confidence / 2) * deviation / half_width
    n = max(2, min(math.ceil(normal**2), MOST_GROUPS))  # Student's interval is never narrower
    while n < MOST_GROUPS:
        if student_quantile(n - 1, 0.5 + confidence / 2) * deviation / math.sqrt(n) <= half_width:
            break
        n += 1
    return n
