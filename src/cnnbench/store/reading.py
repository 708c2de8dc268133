"""Rows to values: campaigns and launches as they were given to the store."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, func, select

from cnnbench.case import Arm, Budget, Case
from cnnbench.record import Failure, Launch, Window
from cnnbench.store.codec import from_dict, unpack, unpack_proof
from cnnbench.store.process import Process
from cnnbench.store.schema import (
    campaign_ends,
    campaign_processes,
    campaigns,
    launch_ends,
    launches,
    proofs,
    windows,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection, Row, RowMapping

    from cnnbench.proof import Proof
    from cnnbench.record import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One endeavour to measure a plan of cases; it may have taken several processes.

    Attributes:
        id: Unique.
        digest: Of all that must be equal for a campaign to be resumed.
        suite: Name of the suite.
        budget: How long to measure.
        probe_digest: Digest of the guest's sources.
        machine: Facts of the host.
        plan: What to measure.
        started_at: UTC, ISO 8601.
        ended_at: The same; None if it is under way or was interrupted.
        arms: What is compared, if anything is.
    """

    id: str
    digest: str
    suite: str
    budget: Budget
    probe_digest: str
    machine: Facts
    plan: tuple[Case, ...]
    started_at: str
    ended_at: str | None
    arms: tuple[Arm, ...] = ()

    @property
    def conditions(self) -> tuple[Budget, str, object]:
        """Budget, guest and machine: of campaigns that share them, one may stand for another."""
        return self.budget, self.probe_digest, self.machine.get("machine_id")


def all_campaigns(connection: Connection) -> list[Campaign]:
    """Every campaign, in the order of their starts."""
    query = (
        select(campaigns, campaign_ends.c.ended_at)
        .outerjoin(campaign_ends)
        .order_by(campaigns.c.ordinal)
    )
    return [_campaign(row) for row in connection.execute(query)]


def ended_campaign(connection: Connection, digest: str) -> str | None:
    """The latest campaign with this digest that has an end."""
    query = (
        select(campaigns.c.id)
        .join(campaign_ends)
        .where(campaigns.c.digest == digest)
        .order_by(campaigns.c.ordinal.desc())
        .limit(1)
    )
    found: str | None = connection.execute(query).scalar()
    return found


def open_campaigns(connection: Connection, digest: str) -> list[tuple[str, Process]]:
    """Campaigns with this digest and without an end, latest first, each with its last process."""
    last = (
        select(func.max(campaign_processes.c.ordinal))
        .group_by(campaign_processes.c.campaign)
        .scalar_subquery()
    )
    query = (
        select(campaigns.c.id, campaign_processes)
        .join(campaign_processes)
        .outerjoin(campaign_ends, campaign_ends.c.campaign == campaigns.c.id)
        .where(campaigns.c.digest == digest, campaign_ends.c.campaign.is_(None))
        .where(campaign_processes.c.ordinal.in_(last))
        .order_by(campaigns.c.ordinal.desc())
    )
    return [
        (row.id, Process(host=row.host, pid=row.pid, process_started_at=row.process_started_at))
        for row in connection.execute(query)
    ]


def chosen_launches(
    connection: Connection, *, campaign: str | None, complete: bool
) -> list[Launch]:
    """Launches of one campaign or of all, in the order of their starts."""
    query = select(launches.c.id).outerjoin(launch_ends)
    if campaign is not None:
        query = query.where(launches.c.campaign == campaign)
    if complete:
        query = query.where(launch_ends.c.launch.is_not(None))
    return _load(connection, query)


def launches_of(connection: Connection, ids: Sequence[str]) -> list[Launch]:
    """The launches with these ids, of those that there are."""
    return _load(connection, select(launches.c.id).where(launches.c.id.in_(ids)))


def ended_launches(connection: Connection) -> dict[str, str]:
    """The campaign of each launch that ended, by the launch's id."""
    query = select(launches.c.id, launches.c.campaign).join(launch_ends)
    return {row.id: row.campaign for row in connection.execute(query)}


def newest_launches(connection: Connection) -> dict[tuple[Case, object], list[Launch]]:
    """For each case and machine, the complete launches of the latest campaign that has any of it.

    The latest is the one that began last, which may have come from elsewhere before others did.
    """
    latest = func.first_value(launches.c.campaign).over(
        partition_by=(launches.c.case_id, launches.c.machine["machine_id"].as_string()),
        order_by=(campaigns.c.started_at.desc(), campaigns.c.ordinal.desc()),
    )
    ended = (
        select(launches.c.id, launches.c.campaign, latest.label("latest"))
        .join(campaigns, campaigns.c.id == launches.c.campaign)
        .join(launch_ends, launch_ends.c.launch == launches.c.id)
        .where(campaigns.c.arms.is_(None))
        .subquery()
    )
    found = _load(connection, select(ended.c.id).where(ended.c.campaign == ended.c.latest))
    query = select(campaigns.c.id).order_by(campaigns.c.started_at, campaigns.c.ordinal)
    order = {campaign: at for at, campaign in enumerate(connection.scalars(query))}
    newest: dict[tuple[Case, object], list[Launch]] = {}
    # A case that has since grown a field has two ids in the store and is one case here.
    for launch in sorted(found, key=lambda launch: order[launch.campaign]):
        subject = launch.case, launch.machine.get("machine_id")
        known = newest.get(subject, [])
        kept = known if known and known[0].campaign == launch.campaign else []
        newest[subject] = [*kept, launch]
    return newest


def newest_proof(connection: Connection, subject: str) -> Proof | None:
    """The newest proof of a subject, by the subject's id."""
    query = (
        select(proofs)
        .where(proofs.c.subject_id == subject)
        .order_by(proofs.c.ordinal.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().first()
    return None if row is None else unpack_proof(row["id"], row)


def all_proofs(connection: Connection) -> list[Proof]:
    """Every proof, in the order in which they were made."""
    rows = connection.execute(select(proofs).order_by(proofs.c.ordinal)).mappings()
    return [unpack_proof(row["id"], row) for row in rows]


def state(connection: Connection) -> str:
    """How much there is, of all that only grows."""
    tables = (campaigns, launch_ends, proofs)
    counts = (connection.scalar(select(func.count()).select_from(table)) for table in tables)
    return "-".join(map(str, counts))


def _load(connection: Connection, ids: Select[tuple[str]]) -> list[Launch]:
    """The launches with these ids. Ends are read first: a launch that has one has every window."""
    query = (
        select(launches, launch_ends)
        .outerjoin(launch_ends)
        .where(launches.c.id.in_(ids))
        .order_by(launches.c.ordinal)
    )
    rows = connection.execute(query).all()
    timed = (
        select(windows).where(windows.c.launch.in_(ids)).order_by(windows.c.launch, windows.c.index)
    )
    grouped = groupby(connection.execute(timed).mappings(), itemgetter("launch"))
    seen = {launch: tuple(map(_window, group)) for launch, group in grouped}
    return [_launch(row, seen.get(row.id, ())) for row in rows]


def _campaign(row: Row[Any]) -> Campaign:
    plan = tuple(from_dict(Case, case) for case in row.plan)
    return Campaign(
        id=row.id,
        digest=row.digest,
        suite=row.suite,
        budget=from_dict(Budget, row.budget),
        probe_digest=row.probe_digest,
        machine=unpack(row.machine),
        plan=plan,
        started_at=row.started_at,
        ended_at=row.ended_at,
        arms=tuple(
            Arm(name=name, case=case) for name, case in zip(row.arms or (), plan, strict=False)
        ),
    )


def _launch(row: Row[Any], seen: tuple[Window, ...]) -> Launch:
    return Launch(
        id=row.id,
        campaign=row.campaign,
        case=from_dict(Case, row.case),
        number=row.number,
        seed=row.seed,
        stack_fingerprint=row.stack_fingerprint,
        probe_digest=row.probe_digest,
        started_at=row.started_at,
        machine=unpack(row.machine),
        stages=unpack(row.stages or {}),
        facts=unpack(row.facts or {}),
        windows=seen,
        failure=None if row.failure is None else from_dict(Failure, row.failure),
        arm=row.arm,
        block=row.block,
    )


def _window(row: RowMapping) -> Window:
    return Window(**{name: value for name, value in row.items() if name != "launch"})
