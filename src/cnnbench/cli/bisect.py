"""`cnnbench bisect`: since which version, or which commit, is it slower?"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from cnnbench import arms, bisection, comparison, prepare, revisions
from cnnbench.bisection import CANNOT_RUN, UNDECIDED
from cnnbench.cli import flags, output
from cnnbench.cli.common_case import UNDECIDED as UNDECIDED_STATUS
from cnnbench.cli.common_case import Blocks, Margin, limits, single
from cnnbench.cli.measuring import followed, here, leave_early
from cnnbench.cli.run import stacks_named
from cnnbench.contest import Contest
from cnnbench.envs import versions
from cnnbench.errors import UsageError
from cnnbench.link import bundle
from cnnbench.report import bisections
from cnnbench.store.address import default_url
from cnnbench.store.database import Store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cnnbench.case import Arm, Budget
    from cnnbench.comparison import Outcome
    from cnnbench.prepare import Own
    from cnnbench.record import Facts

Revisions = Annotated[
    str | None,
    typer.Option(
        "--revisions", metavar="A..B", help="Git revisions of your own model: v1.0..main."
    ),
]


def bisect(  # noqa: PLR0917  one parameter a flag
    stack: flags.Stacks = None,
    revisions: Revisions = None,
    model: flags.Models = None,
    dataset: flags.Datasets = None,
    method: flags.Methods = None,
    data_format: flags.Formats = None,
    batch_size: flags.BatchSizes = None,
    precision: flags.Precisions = None,
    device: flags.Devices = None,
    threads: flags.Threads = None,
    recipe: flags.Recipes = None,
    loader: flags.Loaders = None,
    budget: flags.Budgets = None,
    margin: Margin = None,
    blocks: Blocks = None,
    store: flags.StoreUrl = None,
    json: flags.Json = None,
    data_dir: flags.DataDir = None,
    instance_type: flags.InstanceType = None,
    fresh: flags.Fresh = False,
    verify: flags.Verify = True,
) -> None:
    """Find the version of a stack, or the commit of your own model, since which speed is another.

    The ends are compared, then the middle with the first, and so on; at last the two neighbours
    that are left. What cannot run is passed over. An interrupted search goes on where it was.

    cnnbench bisect --stack keras3-tensorflow@2.19..2.21 --model resnet20_cifar

    cnnbench bisect --stack keras3-jax --model net.py --revisions v1.0..main

    Exit status: 0 found, or no change beyond the margin; 1 an end cannot run; 3 undecided.
    """
    if json:
        output.check_target(json)
    own = prepare.Own(data_dir=data_dir)
    common = single(
        "one search for each",
        stack=stack,
        model=model,
        dataset=dataset,
        method=method,
        data_format=data_format,
        batch_size=batch_size,
        precision=precision,
        device=device,
        threads=threads,
        recipe=recipe,
        loader=loader,
    )
    candidates = _candidates(own, common.pop("stack", ""), revisions, common.get("model", ""))
    asked = limits(budget, margin, blocks)
    machine = here(instance_type)
    with Store.open(store or default_url()) as opened:
        searching = _Search(
            candidates=candidates,
            common=common,
            budget=asked,
            own=own,
            machine=machine,
            store=opened,
            fresh=fresh,
            verify=verify,
        )
        answer = searching.run()
    names = [" ".join(filter(None, (one.name, one.subject))) for one in candidates]
    if json != "-":
        typer.echo(bisections.markdown(answer, names, searching.outcomes))
    if json:
        output.write_json(bisections.document(answer, names, searching.outcomes, machine), json)
    if answer.word == UNDECIDED:
        raise typer.Exit(1 if searching.is_broken else UNDECIDED_STATUS)


class _Candidate(NamedTuple):
    """What may be where it changed: as an arm says it, and what its commit says of itself."""

    name: str
    axis: str
    subject: str = ""


def _candidates(own: Own, stack: str, span: str | None, model: str) -> list[_Candidate]:
    """What is searched, in order.

    Raises:
        UsageError: Nothing is, or two things are.
    """
    names = stacks_named(own, [stack], None) or [] if stack else []
    if span is None:
        if len(names) < 2:  # noqa: PLR2004
            raise UsageError(
                "say what to search: --stack keras3-jax@0.8..0.10, or --revisions A..B of --model "
                "FILE.py"
            )
        return [_Candidate(name.partition(versions.AT)[2], f"stack={name}") for name in names]
    if len(names) != 1 or not model.endswith(".py"):
        raise UsageError(
            "--revisions needs one --stack, and --model FILE.py whose revisions they are"
        )
    found = revisions.between(Path(model).expanduser(), span)
    return [
        _Candidate(commit[:8], f"rev={commit},stack={names[0]}", subject)
        for commit, subject in found
    ]


@dataclass(kw_only=True)
class _Search:
    """Measures what a bisection asks for.

    Attributes:
        candidates: In order.
        common: What all have in common, by axis.
        budget: Of each comparison.
        own: The user's own files and environments.
        machine: Facts of this host.
        store: Where launches go.
        fresh: Whether nothing that is kept is used.
        verify: Whether training is proven to be right where that is not known.
        outcomes: Of each comparison, in order.
        is_broken: Whether the last comparison had an arm that cannot run.
    """

    candidates: Sequence[_Candidate]
    common: Mapping[str, Any]
    budget: Budget
    own: Own
    machine: Facts
    store: Store
    fresh: bool
    verify: bool
    outcomes: list[Outcome] = field(default_factory=list, init=False)
    is_broken: bool = field(default=False, init=False)

    def run(self) -> bisection.Answer:
        """Measure until it is known where the speed changed."""
        searching = bisection.search(len(self.candidates))
        asked = next(searching)
        while True:
            verdict = self._verdict(*(self.candidates[at] for at in asked))
            try:
                asked = searching.send(verdict)
            except StopIteration as end:
                found: bisection.Answer = end.value
                return found

    def _verdict(self, *pair: _Candidate) -> str:
        said = [f"name={one.name},{one.axis}" for one in pair]
        try:
            compared = arms.parse(said, self.common, self.own)
        except UsageError as error:
            if not self.outcomes:
                raise  # an end is what the user says
            typer.echo(f"{pair[-1].name} is passed over: {error}", err=True)
            return CANNOT_RUN
        return self._compared(compared)

    def _compared(self, pair: Sequence[Arm]) -> str:
        found = self._kept(pair) or self._measured(pair)
        self.outcomes.append(found)
        self.is_broken = bool(found.failures)
        return CANNOT_RUN if found.failures else found.comparisons[0].verdict

    def _measured(self, pair: Sequence[Arm]) -> Outcome:
        contest = Contest(
            pair,
            self.budget,
            self.own,
            self.machine,
            self.store,
            resume=not self.fresh,
            verify=self.verify,
        )
        leave_early(followed(contest.run()))
        return contest.outcome()

    def _kept(self, pair: Sequence[Arm]) -> Outcome | None:
        """What an earlier search found of a pair, of the same stacks on this machine."""
        if self.fresh:
            return None
        stacks = {prepare.stack_of(self.own, arm.case.stack).fingerprint for arm in pair}
        conditions = self.budget, bundle.digest(), self.machine.get("machine_id")
        for campaign in reversed(self.store.campaigns()):
            alike = (
                campaign.ended_at is not None
                and campaign.suite == comparison.SUITE
                and campaign.arms == tuple(pair)
                and campaign.conditions == conditions
            )
            if alike:
                launches = self.store.launches(campaign=campaign.id)
                found = comparison.outcome(launches, pair, self.budget)
                if {one.stack_fingerprint for one in launches} == stacks and not found.failures:
                    return found
        return None
