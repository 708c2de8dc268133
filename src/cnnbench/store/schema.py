"""The tables. Rows are inserted the moment they are known and never changed.

    campaigns ─┬─ campaign_processes   a row for each host process that worked on it, in order
               ├─ campaign_ends        at most one
               └─ launches ─┬─ windows
                            └─ launch_ends   at most one; a launch without it is in flight or lost
    proofs                     of what launches are of; the newest of a subject holds

What is learned later has a table of its own, so that nothing need be updated. `ordinal` is the
order of insertion: wall clocks are set back at times, it never is. `arms` are the names of the arms
of a comparison, in the order of the cases in `plan`; NULL for a campaign that compares nothing. A
change here needs a new file in `migrations/versions`; a test holds the two against each other.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Dialect

VERSION_TABLE = "cnnbench_schema"


class Real(Double[float]):
    """A double that keeps NaN: SQLite stores NaN as NULL, so there it is the text `NaN`."""

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """What turns a value into what the driver stores."""
        return _nan_to_text if dialect.name == "sqlite" else None

    def result_processor(
        self,
        dialect: Dialect,  # noqa: ARG002
        coltype: Any,  # noqa: ARG002
    ) -> Callable[[Any], Any]:
        """What turns what the driver read into a value."""
        return _to_float


def _nan_to_text(value: float | None) -> float | str | None:
    return "NaN" if value is not None and math.isnan(value) else value


def _to_float(value: Any) -> float | None:
    return None if value is None else float(value)


metadata = MetaData()

campaigns = Table(
    "campaigns",
    metadata,
    Column("ordinal", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("suite", Text, nullable=False),
    Column("budget", JSON, nullable=False),
    Column("probe_digest", Text, nullable=False),
    Column("machine", JSON, nullable=False),
    Column("plan", JSON, nullable=False),
    Column("arms", JSON(none_as_null=True)),
    UniqueConstraint("id", name="campaigns_id"),
    Index("campaigns_digest", "digest"),
)

campaign_processes = Table(
    "campaign_processes",
    metadata,
    Column("ordinal", Integer, primary_key=True),
    Column("campaign", Text, ForeignKey("campaigns.id"), nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("process_started_at", Double, nullable=False),
    Index("campaign_processes_campaign", "campaign"),
)

campaign_ends = Table(
    "campaign_ends",
    metadata,
    Column("campaign", Text, ForeignKey("campaigns.id"), primary_key=True),
    Column("ended_at", Text, nullable=False),
)

# `case` is the truth; the columns after it are copies of its fields, to be queried by hand.
launches = Table(
    "launches",
    metadata,
    Column("ordinal", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("campaign", Text, ForeignKey("campaigns.id"), nullable=False),
    Column("case_id", Text, nullable=False),
    Column("case", JSON, nullable=False),
    Column("stack", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("data_format", Text, nullable=False),
    Column("batch_size", BigInteger, nullable=False),
    Column("precision", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("stack_fingerprint", Text, nullable=False),
    Column("probe_digest", Text, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("machine", JSON, nullable=False),
    Column("arm", Text, nullable=False, server_default=""),
    Column("block", Integer),
    UniqueConstraint("id", name="launches_id"),
    Index("launches_campaign", "campaign"),
    Index("launches_case_id", "case_id"),
)

windows = Table(
    "windows",
    metadata,
    Column("launch", Text, ForeignKey("launches.id"), primary_key=True),
    Column("index", Integer, primary_key=True, autoincrement=False),
    Column("role", Text, nullable=False),
    Column("steps", BigInteger, nullable=False),
    Column("images", BigInteger, nullable=False),
    Column("seconds", Real, nullable=False),
    Column("started", Real, nullable=False),
    Column("fence", Real, nullable=False),
    Column("loss", Real),
    Column("accuracy", Real),
)

launch_ends = Table(
    "launch_ends",
    metadata,
    Column("launch", Text, ForeignKey("launches.id"), primary_key=True),
    Column("stages", JSON, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("failure", JSON(none_as_null=True)),
    Column("ended_at", Text, nullable=False),
)

proofs = Table(
    "proofs",
    metadata,
    Column("ordinal", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("subject", JSON, nullable=False),
    Column("made_at", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("explanations", JSON, nullable=False),
    Column("checks", JSON, nullable=False),
    Column("losses", JSON, nullable=False),
    Column("facts", JSON, nullable=False),
    UniqueConstraint("id", name="proofs_id"),
    Index("proofs_subject_id", "subject_id"),
)
