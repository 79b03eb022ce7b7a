"""A grant that was withdrawn is marked so: its end alone would not outlast a clock set back."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the mark."""
    op.add_column("grants", sa.Column("withdrawn_at", sa.Float))


def downgrade() -> None:
    """Drop it; what was withdrawn keeps its end."""
    op.drop_column("grants", "withdrawn_at")
