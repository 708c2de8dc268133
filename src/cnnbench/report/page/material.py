"""What a page is made of: all that was measured, with what is concluded of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from cnnbench import plan
from cnnbench.judge import judge
from cnnbench.report.conclusions import conclusions, outcomes
from cnnbench.store.exchange import newest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cnnbench.comparison import Outcome
    from cnnbench.judge import Judgement
    from cnnbench.proof import Proof
    from cnnbench.record import Launch
    from cnnbench.result import Estimate, Result
    from cnnbench.store.exchange import Origin, Recorded


@dataclass(frozen=True, kw_only=True)
class Material:
    """All that a page tells.

    Attributes:
        recorded: Every launch, the campaigns that they are of, and proofs.
    """

    recorded: Recorded

    @cached_property
    def proofs(self) -> Sequence[Proof]:
        """The newest proof of each subject, in the order in which they were made."""
        return list({proof.subject: proof for proof in self.recorded.proofs}.values())

    @cached_property
    def results(self) -> list[Result]:
        """The result of each case on each machine, by its last campaign, in the tables' order."""
        return conclusions(newest(self.recorded))

    @cached_property
    def timed(self) -> Mapping[int, Estimate]:
        """Images per second by the place of a result, of those that have them and no goal."""
        return {
            place: result.images_per_second
            for place, result in enumerate(self.results)
            if result.images_per_second and result.case.until is None
        }

    @cached_property
    def comparisons(self) -> list[Outcome]:
        """The outcome of each comparison."""
        return outcomes(self.recorded)

    @cached_property
    def launches(self) -> Mapping[str, Launch]:
        """Every launch by its id."""
        return {launch.id: launch for launch in self.recorded.launches}

    def campaigns(self, suite: str) -> Iterator[tuple[Origin, Sequence[Launch]]]:
        """The campaigns of one name whose arms met in blocks, each with its launches."""
        launches: dict[str, list[Launch]] = defaultdict(list)
        for launch in self.recorded.launches:
            launches[launch.campaign].append(launch)
        for name, origin in self.recorded.campaigns.items():
            if origin.suite == suite and origin.arms and name in launches:
                yield origin, launches[name]

    @cached_property
    def judgements(self) -> Mapping[str, Judgement]:
        """What each launch of a result is good for, by its id; none for those that failed."""
        used = (self.launches[name] for result in self.results for name in result.launches)
        return {
            launch.id: judge(launch, self.recorded.campaigns[launch.campaign].budget)
            for launch in used
            if launch.failure is None
        }

    def speeds(self, result: Result) -> list[float]:
        """Images per second of each launch of a result that counts."""
        judged = [self.judgements[name] for name in result.launches if name in self.judgements]
        return [value for one in judged if one.counts and (value := plan.speed(one.launch))]
