"""`cnnbench gate`: stops a change that makes training slower."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from cnnbench import arms, comparison, prepare
from cnnbench import gate as rules
from cnnbench.cli import flags, output
from cnnbench.cli.common_case import Blocks, Margin, limits, single
from cnnbench.cli.measuring import INTERRUPTED, followed, here
from cnnbench.contest import Contest
from cnnbench.link import bundle
from cnnbench.report import gating
from cnnbench.report.junit import junit
from cnnbench.store.address import default_url
from cnnbench.store.database import Store

if TYPE_CHECKING:
    from cnnbench.case import Arm, Budget
    from cnnbench.comparison import Outcome
    from cnnbench.prepare import Own
    from cnnbench.record import Facts

Base = Annotated[
    str,
    typer.Option(
        "--base",
        metavar="AXIS=VALUE,...",
        help="What the head must not be slower than. Also python=PATH, rev=GIT-REVISION.",
    ),
]
Head = Annotated[
    str, typer.Option("--head", metavar="AXIS=VALUE,...", help="What is to pass; like --base.")
]
JUnit = Annotated[
    str | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML to a file.")
]
Summary = Annotated[
    str | None,
    typer.Option(
        "--summary",
        metavar="FILE",
        help="Append Markdown to a file.",
        envvar="GITHUB_STEP_SUMMARY",
    ),
]


def gate(  # noqa: PLR0917  one parameter a flag
    base: Base,
    head: Head,
    stack: flags.Stacks = None,
    model: flags.Models = None,
    dataset: flags.Datasets = None,
    method: flags.Methods = None,
    data_format: flags.Formats = None,
    batch_size: flags.BatchSizes = None,
    precision: flags.Precisions = None,
    device: flags.Devices = None,
    devices: flags.DeviceCounts = None,
    global_batch: flags.GlobalBatches = None,
    augment: flags.Augment = False,
    threads: flags.Threads = None,
    recipe: flags.Recipes = None,
    loader: flags.Loaders = None,
    budget: flags.Budgets = None,
    margin: Margin = None,
    blocks: Blocks = None,
    store: flags.StoreUrl = None,
    junit: JUnit = None,
    summary: Summary = None,
    json: flags.Json = None,
    data_dir: flags.DataDir = None,
    instance_type: flags.InstanceType = None,
    fresh: flags.Fresh = False,
    verify: flags.Verify = True,
) -> None:
    """Fail if the head trains slower than the base, by more than the margin, twice.

    A first comparison that finds the head slower is repeated with processes of its own; only if
    both find it, the gate fails. An interrupted gate goes on where it was.

    cnnbench gate --stack keras3-jax --model net.py --base rev=origin/main --head rev=HEAD

    cnnbench gate --model resnet20_cifar --base python=old/bin/python --head python=new/bin/python

    Exit status: 0 passed; 1 slower in both passes, or an arm cannot run; 3 undecided.
    """
    files = Files(junit=junit, summary=summary, json=json)
    files.check()
    own = prepare.Own(data_dir=data_dir)
    common = single(
        "--base and --head",
        stack=stack,
        model=model,
        dataset=dataset,
        method=method,
        data_format=data_format,
        batch_size=batch_size,
        precision=precision,
        device=device,
        devices=devices,
        global_batch=global_batch,
        augment=[True] if augment else None,
        threads=threads,
        recipe=recipe,
        loader=loader,
    )
    asked = limits(budget, margin, blocks)
    based, headed = arms.parse([base, head], common, own)
    machine = here(instance_type)
    with Store.open(store or default_url()) as opened:
        measuring = Passes(based, headed, asked, own, machine, opened, verify)
        found = measuring.run(resume=not fresh)
    command = gating.reproducing(sys.argv[1:], {"--base": based.case, "--head": headed.case})
    files.write(rules.decide(found), machine, command, measuring.seconds)
    raise typer.Exit(rules.decide(found).status)


@dataclass
class Passes:
    """Measures one pass, and a second one if the first must be confirmed.

    Attributes:
        base: As its user calls it.
        head: The same.
        budget: Of each pass.
        own: The user's own files and environments.
        machine: Facts of this host.
        store: Where launches go.
        verify: Whether training is proven to be right where that is not known.
        seconds: That measuring took so far.
    """

    base: Arm
    head: Arm
    budget: Budget
    own: Own
    machine: Facts
    store: Store
    verify: bool
    seconds: float = field(default=0.0, init=False)

    def run(self, *, resume: bool) -> list[Outcome]:
        """Measure; what each pass found.

        Raises:
            Exit: It was interrupted.
            StoreError: The store cannot be written any more.
        """
        first = self._kept() if resume else None
        found = [first or self._pass(1, resume=resume)]
        if rules.is_slower(found[0]):
            typer.echo("slower: a second pass is to confirm it", err=True)
            found.append(self._pass(2, resume=first is not None))
        return found

    def _pass(self, number: int, *, resume: bool) -> Outcome:
        compared = rules.arms_of(number, self.base, self.head)
        contest = Contest(
            compared,
            self.budget,
            self.own,
            self.machine,
            self.store,
            resume=resume,
            verify=self.verify,
        )
        begun = time.monotonic()
        cut_off = followed(contest.run())
        self.seconds += time.monotonic() - begun
        if isinstance(cut_off, KeyboardInterrupt):
            typer.echo("interrupted; the same command goes on from here", err=True)
            raise typer.Exit(INTERRUPTED)
        if cut_off is not None:
            raise cut_off
        return contest.outcome()

    def _kept(self) -> Outcome | None:
        """What the first pass found, if this gate was interrupted after it."""
        like = self.budget, bundle.digest(), self.machine.get("machine_id")
        campaign = rules.first_pass(self.store.campaigns(), self.base, self.head, like)
        if campaign is None:
            return None
        launches = self.store.launches(campaign=campaign)
        compared = rules.arms_of(1, self.base, self.head)
        now = {prepare.stack_of(self.own, arm.case.stack).fingerprint for arm in compared}
        found = comparison.outcome(launches, compared, self.budget)
        if {one.stack_fingerprint for one in launches} != now or not rules.is_slower(found):
            return None
        typer.echo("going on after a first pass that was slower", err=True)
        return found


@dataclass(frozen=True)
class Files:
    """Where the answer goes besides the terminal."""

    junit: str | None
    summary: str | None
    json: str | None

    def check(self) -> None:
        """Raise UsageError if one of them could not be written."""
        for option in ("junit", "summary", "json"):
            if target := getattr(self, option):
                output.check_target(target, f"--{option}")

    def write(self, decision: rules.Decision, machine: Facts, command: str, seconds: float) -> None:
        """Print the answer, and write what was asked for."""
        if self.json != "-":
            for found in decision.passes:
                output.print_comparison(found)
                typer.echo()
            typer.echo(f"{decision.word}: {decision.reason}")
        if self.junit:
            output.write_text(self.junit, junit(decision, seconds))
        if self.summary:
            output.write_text(self.summary, gating.summary(decision, command), append=True)
        if self.json:
            output.write_json(gating.document(decision, machine, command), self.json)
