"""Quarter-hours of what the devices measured; those of old minutes are made while the hub runs."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables, and note which devices have old minutes.

    A year of minutes takes many seconds to add up: the hub does that bit by bit once it runs.
    """
    op.add_column("minutes", sa.Column("taken_sum_w", sa.Float))
    op.create_table(
        "quarters",
        sa.Column("device", sa.Integer, primary_key=True),
        sa.Column("quarter", sa.Integer, primary_key=True),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("taken_sum_w", sa.Float, nullable=False),
        sa.Column("given_sum_w", sa.Float, nullable=False),
        sa.Column("low_w", sa.Float, nullable=False),
        sa.Column("high_w", sa.Float, nullable=False),
        sa.Column("soc", sa.Float),
        sa.Column("soc_low", sa.Float),
        sa.Column("soc_high", sa.Float),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "blocks",
        sa.Column("device", sa.Integer, primary_key=True),
        sa.Column("block", sa.Integer, primary_key=True),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("taken_sum_w", sa.Float, nullable=False),
        sa.Column("given_sum_w", sa.Float, nullable=False),
        sa.Column("low_w", sa.Float, nullable=False),
        sa.Column("high_w", sa.Float, nullable=False),
        sa.Column("soc_low", sa.Float),
        sa.Column("soc_high", sa.Float),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "quarters_owed",
        sa.Column("device", sa.Integer, primary_key=True),
        sa.Column("before", sa.Integer, nullable=False),
    )
    op.execute(
        "INSERT INTO quarters_owed (device, before)"
        " SELECT id, newest / 15 + 1 FROM"
        " (SELECT id, (SELECT max(minute) FROM minutes WHERE device = devices.id) AS newest"
        " FROM devices) WHERE newest IS NOT NULL"
    )


def downgrade() -> None:
    """Drop them; what has no minutes any more is lost."""
    op.drop_table("quarters_owed")
    op.drop_table("blocks")
    op.drop_table("quarters")
    op.drop_column("minutes", "taken_sum_w")
