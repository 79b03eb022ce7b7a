"""Accounts: what each quarter-hour cost, and what of the last ones is not settled."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "accounts",
        sa.Column("start", sa.Integer, primary_key=True),
        sa.Column("import_wh", sa.Float, nullable=False),
        sa.Column("export_wh", sa.Float, nullable=False),
        sa.Column("sun_wh", sa.Float, nullable=False),
        sa.Column("self_wh", sa.Float, nullable=False),
        sa.Column("used_wh", sa.Float, nullable=False),
        sa.Column("own_wh", sa.Float, nullable=False),
        sa.Column("cost", sa.Float, nullable=False),
        sa.Column("revenue", sa.Float, nullable=False),
        sa.Column("charges", sa.Float, nullable=False),
        sa.Column("carbon_kg", sa.Float),
        sa.Column("cost_no_control", sa.Float),
        sa.Column("cost_greedy", sa.Float),
        sa.Column("measured", sa.Float, nullable=False),
        sa.Column("registers", sa.Boolean, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
    )
    op.create_table(
        "account_minutes",
        sa.Column("at", sa.Integer, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "account_state",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Drop them; what they hold is lost."""
    op.drop_table("account_state")
    op.drop_table("account_minutes")
    op.drop_table("accounts")
