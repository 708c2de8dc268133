"""What disturbed a launch, by what was watched while it ran; blind to how fast it was.

A launch, or a block of launches, that was disturbed is measured again and does not count. Only what
was recorded is a cause: a speed that looks odd is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnbench.case import Budget
    from cnnbench.record import Facts

MIB = 2**20
SWAPPED_IN = 16 * MIB  # bytes read back from swap that slow a launch down

# Reasons of NVIDIA's driver that are faults; a power cap is how many cards are sold.
SLOWED = ("hardware slowdown", "heat", "power brake")


def disturbances(facts: Facts, budget: Budget) -> tuple[str, ...]:
    """Each cause in a few words; none if the launch counts.

    Args:
        facts: Of the launch, with the conditions before and after it.
        budget: Says what share of the CPUs' time others may take.
    """
    if facts.get("backend") == "null":
        return ()  # its clock is virtual
    return tuple(_found(facts, budget.disturbance))


def foreign_share(facts: Facts) -> float | None:
    """Share of the CPUs' time that went to other programs while a launch ran, 0 to 1."""
    total, busy, own = (_grown(facts, f"{name}_seconds") for name in ("cpu", "busy", "own"))
    if not total or busy is None or own is None:
        return None
    return max(0.0, busy - own) / total


def steal_share(facts: Facts) -> float | None:
    """Share of the CPUs' time that the hypervisor kept while a launch ran, 0 to 1."""
    total, steal = _grown(facts, "cpu_seconds"), _grown(facts, "steal_seconds")
    return None if not total or steal is None else max(0.0, steal) / total


def _found(facts: Facts, tolerated: float) -> Iterator[str]:
    foreign, steal = foreign_share(facts), steal_share(facts)
    if foreign is not None and foreign > tolerated:
        yield f"other programs took {foreign:.0%} of the CPUs"
    if steal is not None and steal > tolerated:
        yield f"the hypervisor took {steal:.0%} of the CPUs"
    if (swapped := _grown(facts, "swapped_in_bytes") or 0) > SWAPPED_IN:
        yield f"{swapped / MIB:.0f} MiB came back from swap"
    if _grown(facts, "cpu_throttles"):
        yield "the CPU was too hot and slowed itself down"
    reasons = str(facts.get("gpu_throttle_reasons") or "")
    if any(word in reasons for word in SLOWED):
        yield f"a GPU was slowed down: {reasons}"


def _grown(facts: Facts, name: str) -> float | None:
    """By how much a counter grew during the launch."""
    before, after = facts.get(f"{name} before"), facts.get(f"{name} after")
    if isinstance(before, int | float) and isinstance(after, int | float):
        return after - before
    return None
