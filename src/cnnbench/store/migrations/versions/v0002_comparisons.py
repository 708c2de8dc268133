"""Comparisons: the arms of a campaign, and the arm and block of a launch."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds the columns; what was stored before compared nothing."""
    op.add_column("campaigns", sa.Column("arms", sa.JSON(none_as_null=True)))
    op.add_column("launches", sa.Column("arm", sa.Text, nullable=False, server_default=""))
    op.add_column("launches", sa.Column("block", sa.Integer))
