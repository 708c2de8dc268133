"""Goals: how many of the held-out images were classified rightly after a window."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Adds the column; before, nothing was evaluated."""
    op.add_column("windows", sa.Column("accuracy", sa.Double))
