"""Performance: what was delivered of what was asked, and its quarter-hours for settlement."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "performance",
        sa.Column("programme", sa.Text, primary_key=True),
        sa.Column("event", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("starts_at", sa.Float, primary_key=True),
        sa.Column("ends_at", sa.Float, nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("asked", sa.Float, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("baseline_w", sa.Float),
        sa.Column("baseline_by", sa.Text, nullable=False),
        sa.Column("promised_wh", sa.Float),
        sa.Column("delivered_wh", sa.Float),
        sa.Column("settled_s", sa.Float),
        sa.Column("inside_share", sa.Float),
        sa.Column("deviation", sa.Float),
        sa.Column("rebound_w", sa.Float),
        sa.Column("comfort_minutes", sa.Float, nullable=False),
        sa.Column("measured_share", sa.Float, nullable=False),
        sa.Column("score", sa.Float),
        sa.Column("opted_out", sa.Boolean, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("lfdi", sa.Text, primary_key=True),
        sa.Column("intervals", sa.Text),
    )
    op.create_index("performance_ends", "performance", ["ends_at"])


def downgrade() -> None:
    """Drop it; what it holds is lost."""
    op.drop_table("performance")
