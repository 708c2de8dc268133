"""The store: opened, written row by row, and read. Nothing in it is ever changed."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import insert, select

from cnnbench.errors import StoreError
from cnnbench.store import adding, address, engine, migrate, reading, rows
from cnnbench.store.codec import pack, to_dict
from cnnbench.store.process import may_live, this_process
from cnnbench.store.schema import (
    campaign_ends,
    campaign_processes,
    campaigns,
    launch_ends,
    launches,
    proofs,
    windows,
)
from cnnbench.store.trouble import told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import Table
    from sqlalchemy.engine import URL, Connection, Engine

    from cnnbench.case import Budget, Case
    from cnnbench.proof import Proof
    from cnnbench.record import Facts, Failure, Launch, Window
    from cnnbench.store.adding import Added
    from cnnbench.store.exchange import Recorded
    from cnnbench.store.reading import Campaign


class Store:
    """An open store; every method is one transaction, and raises `StoreError` in one line."""

    def __init__(self, engine: Engine, url: URL, *, read_only: bool) -> None:
        self._engine = engine
        self._url = url
        self._read_only = read_only

    @classmethod
    def open(cls, place: str | Path, *, read_only: bool = False) -> Self:
        """Opens a store; for writing, it is made or brought to this version where need be.

        Args:
            place: Path of an SQLite file, or any SQLAlchemy URL.
            read_only: Whether to change nothing, the schema included.

        Raises:
            StoreError: It cannot be reached, read or written, it is not a store, its driver is
                not installed, or its schema is newer (read-only: or older) than this cnnbench.
        """
        url = address.parse(place)
        store = cls(
            engine.reading(url) if read_only else engine.writing(url), url, read_only=read_only
        )
        try:
            store._prepare()
        except BaseException:
            store.close()
            raise
        return store

    @property
    def name(self) -> str:
        """Where it is, for people: no user, no password."""
        return address.show(self._url)

    def close(self) -> None:
        """Ends every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin_campaign(
        self,
        *,
        digest: str,
        suite: str,
        budget: Budget,
        probe_digest: str,
        machine: Facts,
        plan: Sequence[Case],
        arms: Sequence[str] | None = None,
    ) -> str:
        """Records a campaign, kept by this process from now on, and returns its id.

        Args:
            digest: Of all that must be equal for the campaign to be resumed.
            suite: Name of the suite.
            budget: How long to measure.
            probe_digest: Digest of the guest's sources.
            machine: Facts of the host.
            plan: What to measure.
            arms: Names of the arms, one for each case, if the cases are to be compared.
        """
        campaign = new_id()
        with self._writing() as connection:
            _add(
                connection,
                campaigns,
                id=campaign,
                digest=digest,
                started_at=now(),
                suite=suite,
                budget=to_dict(budget),
                probe_digest=probe_digest,
                machine=pack(machine),
                plan=[to_dict(case) for case in plan],
                arms=None if arms is None else list(arms),
            )
            _add(connection, campaign_processes, campaign=campaign, **asdict(this_process()))
        return campaign

    def end_campaign(self, campaign: str) -> None:
        """Records that nothing is left to launch."""
        with self._writing() as connection:
            _add(connection, campaign_ends, campaign=campaign, ended_at=now())

    def ended(self, digest: str) -> str | None:
        """The latest campaign with this digest that came to its end."""
        with self._reading() as connection:
            return reading.ended_campaign(connection, digest)

    def unfinished(self, digest: str) -> str | None:
        """The latest campaign with this digest that its processes left without an end.

        One whose process lives, or ran on another host, is not told: it may be under way.
        """
        with self._reading() as connection:
            return _abandoned(connection, digest)

    def resume_campaign(self, digest: str) -> str | None:
        """Takes over the `unfinished` campaign, if there is one, for this process.

        Of two processes that ask at once, one gets it and the other does not.
        """
        with self._writing() as connection:
            migrate.exclusively(connection)
            campaign = _abandoned(connection, digest)
            if campaign is not None:
                _add(connection, campaign_processes, campaign=campaign, **asdict(this_process()))
        return campaign

    def begin_launch(self, launch: Launch) -> None:
        """Records what is known of a launch at its start; what comes later has its own methods."""
        with self._writing() as connection:
            _add(connection, launches, **rows.launch(launch))

    def add_window(self, launch_id: str, window: Window) -> None:
        """Records a window of a launch that has begun."""
        with self._writing() as connection:
            _add(connection, windows, **rows.window(launch_id, window))

    def end_launch(
        self,
        launch_id: str,
        stages: Mapping[str, float],
        facts: Facts,
        failure: Failure | None,
    ) -> None:
        """Records the end of a launch; from now on it is a result."""
        with self._writing() as connection:
            _add(connection, launch_ends, **rows.end(launch_id, stages, facts, failure, now()))

    def add(self, recorded: Recorded) -> Added:
        """Records whole campaigns from elsewhere, all or nothing; what is known stays as it is.

        Raises:
            StoreError: A launch that is known has other windows here.
        """
        with self._writing() as connection:
            migrate.exclusively(connection)
            return adding.add(connection, recorded)

    def add_proof(self, proof: Proof) -> None:
        """Records a proof; from now on it holds for its subject."""
        with self._writing() as connection:
            _add(connection, proofs, **rows.proof(proof))

    def proof(self, subject: str) -> Proof | None:
        """The newest proof of a subject, by the subject's id."""
        with self._reading() as connection:
            return reading.newest_proof(connection, subject)

    def proofs(self) -> list[Proof]:
        """Every proof, in the order in which they were made."""
        with self._reading() as connection:
            return reading.all_proofs(connection)

    def state(self) -> str:
        """Changes whenever there is more to conclude from."""
        with self._reading() as connection:
            return reading.state(connection)

    def launches(self, *, campaign: str | None = None, complete: bool = True) -> list[Launch]:
        """Launches in the order of their starts.

        Args:
            campaign: Only of this one.
            complete: Leave out launches without an end: in flight, or lost with their host.
        """
        with self._reading() as connection:
            return reading.chosen_launches(connection, campaign=campaign, complete=complete)

    def ended_launches(self) -> dict[str, str]:
        """The campaign of each launch that ended, by the launch's id."""
        with self._reading() as connection:
            return reading.ended_launches(connection)

    def newest_launches(self) -> dict[tuple[Case, object], list[Launch]]:
        """For each case and machine, the complete launches of the latest campaign with any of it.

        Comparisons are not among them: their launches alternate, window by window.
        """
        with self._reading() as connection:
            return reading.newest_launches(connection)

    def latest_campaign(self) -> str | None:
        """The id of the campaign that started last."""
        with self._reading() as connection:
            return connection.scalar(
                select(campaigns.c.id).order_by(campaigns.c.ordinal.desc()).limit(1)
            )

    def campaigns(self) -> list[Campaign]:
        """Every campaign, in the order of their starts."""
        with self._reading() as connection:
            return reading.all_campaigns(connection)

    def _prepare(self) -> None:
        if self._read_only:
            with self._reading() as connection:
                migrate.check(connection, self.name)
            return
        with self._writing() as connection:
            migrate.upgrade(connection, self.name)
            engine.prove_writable(connection)
        with told(self._url, "write to"):
            engine.use_wal(self._engine)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with told(self._url, "read"), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        if self._read_only:
            raise StoreError(f"cannot write to {self.name}: it was opened to be read")
        with told(self._url, "write to"), self._engine.begin() as connection:
            yield connection


def new_id() -> str:
    """An id for a campaign or a launch: twelve random hexadecimal digits."""
    return uuid.uuid4().hex[:12]


def now() -> str:
    """UTC, ISO 8601, to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _add(connection: Connection, table: Table, **row: Any) -> None:
    connection.execute(insert(table), row)


def _abandoned(connection: Connection, digest: str) -> str | None:
    candidates = reading.open_campaigns(connection, digest)
    return next((campaign for campaign, process in candidates if not may_live(process)), None)
