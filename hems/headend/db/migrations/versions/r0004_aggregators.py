"""Aggregators speak for homes; meters say which phase, and what kind of value."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns, and find by its aggregator what was posted."""
    op.add_column("meter", sa.Column("phase", sa.Integer))
    op.add_column("meter", sa.Column("qualifier", sa.Integer))
    op.add_column("home", sa.Column("aggregator", sa.String, nullable=False, server_default=""))
    only = sa.text("agent IS NOT NULL")
    for table in ("response", "usage_point"):
        op.add_column(table, sa.Column("agent", sa.String))
        op.create_index(
            f"ix_{table}_agent",
            table,
            ["agent", "id"],
            sqlite_where=only,
            postgresql_where=only,
        )
