"""Results of raw launches, whether a store holds them or a file."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from cnnbench.comparison import SUITE, outcome
from cnnbench.convergence import conclude_all
from cnnbench.report.table import place

if TYPE_CHECKING:
    from cnnbench.case import Case
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
    machines: dict[object, dict[Case, list[Launch]]] = defaultdict(lambda: defaultdict(list))
    for launch in (launch for launch in recorded.launches if launch.block is None):
        machines[launch.machine.get("machine_id")][launch.case].append(launch)
    budgets = {name: campaign.budget for name, campaign in recorded.campaigns.items()}
    found = [
        result
        for groups in machines.values()
        for result in conclude_all(groups, lambda launch: budgets[launch.campaign])
    ]
    return sorted(found, key=lambda result: place(result.case))


def outcomes(recorded: Recorded) -> list[Outcome]:
    """The outcome of each comparison, in the order of their campaigns."""
    groups: dict[str, list[Launch]] = defaultdict(list)
    for launch in recorded.launches:
        groups[launch.campaign].append(launch)
    return [
        outcome(groups[name], campaign.arms, campaign.budget)
        for name, campaign in recorded.campaigns.items()
        if campaign.suite == SUITE and name in groups
    ]
