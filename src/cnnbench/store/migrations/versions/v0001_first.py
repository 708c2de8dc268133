"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes every table."""
    _campaigns()
    _launches()


def _campaigns() -> None:
    op.create_table(
        "campaigns",
        sa.Column("ordinal", sa.Integer, primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("started_at", sa.Text, nullable=False),
        sa.Column("suite", sa.Text, nullable=False),
        sa.Column("budget", sa.JSON, nullable=False),
        sa.Column("probe_digest", sa.Text, nullable=False),
        sa.Column("machine", sa.JSON, nullable=False),
        sa.Column("plan", sa.JSON, nullable=False),
        sa.UniqueConstraint("id", name="campaigns_id"),
    )
    op.create_index("campaigns_digest", "campaigns", ["digest"])
    op.create_table(
        "campaign_processes",
        sa.Column("ordinal", sa.Integer, primary_key=True),
        sa.Column("campaign", sa.Text, sa.ForeignKey("campaigns.id"), nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.BigInteger, nullable=False),
        sa.Column("process_started_at", sa.Double, nullable=False),
    )
    op.create_index("campaign_processes_campaign", "campaign_processes", ["campaign"])
    op.create_table(
        "campaign_ends",
        sa.Column("campaign", sa.Text, sa.ForeignKey("campaigns.id"), primary_key=True),
        sa.Column("ended_at", sa.Text, nullable=False),
    )


def _launches() -> None:
    op.create_table(
        "launches",
        sa.Column("ordinal", sa.Integer, primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("campaign", sa.Text, sa.ForeignKey("campaigns.id"), nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("case", sa.JSON, nullable=False),
        sa.Column("stack", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("dataset", sa.Text, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("data_format", sa.Text, nullable=False),
        sa.Column("batch_size", sa.BigInteger, nullable=False),
        sa.Column("precision", sa.Text, nullable=False),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("stack_fingerprint", sa.Text, nullable=False),
        sa.Column("probe_digest", sa.Text, nullable=False),
        sa.Column("started_at", sa.Text, nullable=False),
        sa.Column("machine", sa.JSON, nullable=False),
        sa.UniqueConstraint("id", name="launches_id"),
    )
    op.create_index("launches_campaign", "launches", ["campaign"])
    op.create_index("launches_case_id", "launches", ["case_id"])
    op.create_table(
        "windows",
        sa.Column("launch", sa.Text, sa.ForeignKey("launches.id"), primary_key=True),
        sa.Column("index", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("steps", sa.BigInteger, nullable=False),
        sa.Column("images", sa.BigInteger, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("started", sa.Double, nullable=False),
        sa.Column("fence", sa.Double, nullable=False),
        sa.Column("loss", sa.Double),
    )
    op.create_table(
        "launch_ends",
        sa.Column("launch", sa.Text, sa.ForeignKey("launches.id"), primary_key=True),
        sa.Column("stages", sa.JSON, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("failure", sa.JSON(none_as_null=True)),
        sa.Column("ended_at", sa.Text, nullable=False),
    )
