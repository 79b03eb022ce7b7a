"""Events say how fast to move."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column."""
    op.add_column("event", sa.Column("ramp_s", sa.Double))
