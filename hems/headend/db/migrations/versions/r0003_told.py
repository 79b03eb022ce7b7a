"""Subscriptions say what a home was told last, so that any worker can go on from there."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns, and find subscriptions by what they are for."""
    for column in (
        sa.Column("told", sa.String, nullable=False, server_default=""),
        sa.Column("told_change", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("told_at", sa.Double, nullable=False, server_default="0"),
        sa.Column("taken", sa.Boolean, nullable=False, server_default=sa.true()),
    ):
        op.add_column("subscription", column)
    op.create_index("ix_subscription_resource", "subscription", ["resource"])
