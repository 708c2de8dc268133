"""Results of raw launches, whether a store holds them or a file."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from cnnbench.comparison import outcome
from cnnbench.report.table import place
from cnnbench.result import conclude

if TYPE_CHECKING:
    from cnnbench.comparison import Outcome
    from cnnbench.record import Launch
    from cnnbench.result import Result
    from cnnbench.store.exchange import Recorded


def conclusions(recorded: Recorded) -> list[Result]:
    """The result of each case on each machine, in the order of the tables; not of comparisons.

    Args:
        recorded: Launches of which those of one case on one machine are of one campaign, as
            `exchange.newest` leaves them.
    """
    groups: dict[object, list[Launch]] = defaultdict(list)
    for launch in (launch for launch in recorded.launches if launch.block is None):
        groups[launch.case, launch.machine.get("machine_id")].append(launch)
    budgets = {name: campaign.budget for name, campaign in recorded.campaigns.items()}
    found = [conclude(group, budgets[group[-1].campaign]) for group in groups.values()]
    return sorted(found, key=lambda result: place(result.case))


def outcomes(recorded: Recorded) -> list[Outcome]:
    """The outcome of each comparison, in the order of their campaigns."""
    groups: dict[str, list[Launch]] = defaultdict(list)
    for launch in recorded.launches:
        groups[launch.campaign].append(launch)
    return [
        outcome(groups[name], campaign.arms, campaign.budget)
        for name, campaign in recorded.campaigns.items()
        if campaign.arms and name in groups
    ]
