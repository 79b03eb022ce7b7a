"""What is measured of the grid, for whom it may be seen, and who has seen it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "intervals",
        sa.Column("start", sa.Integer, primary_key=True),
        sa.Column("phase", sa.Text, primary_key=True),
        sa.Column("length_s", sa.Integer, nullable=False),
        sa.Column("power_w", sa.Float),
        sa.Column("reactive_var", sa.Float),
        sa.Column("voltage_v", sa.Float),
        sa.Column("voltage_least_v", sa.Float),
        sa.Column("voltage_most_v", sa.Float),
        sa.Column("frequency_hz", sa.Float),
        sa.Column("import_wh", sa.Float),
        sa.Column("export_wh", sa.Float),
        sa.Column("measured", sa.Float, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sightings",
        sa.Column("what", sa.Text, primary_key=True),
        sa.Column("phase", sa.Text, primary_key=True),
        sa.Column("began_at", sa.Float, primary_key=True),
        sa.Column("ended_at", sa.Float),
        sa.Column("extreme", sa.Float),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "grants",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("granted_at", sa.Float, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
    )
    op.create_table(
        "accesses",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("asked", sa.Text, nullable=False),
        sa.Column("allowed", sa.Boolean, nullable=False),
    )


def downgrade() -> None:
    """Drop them; what they hold is lost."""
    for table in ("accesses", "grants", "sightings", "intervals"):
        op.drop_table(table)
