"""Second factors, tokens that may do less than their role, consents, and guests that end."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables and columns; accounts of guests without an end get one, a year from now."""
    op.add_column("credentials", sa.Column("used_at", sa.Float))
    op.add_column("tokens", sa.Column("rights", sa.Text))
    op.add_column("tokens", sa.Column("network", sa.Text))
    op.add_column("tokens", sa.Column("person", sa.Integer))
    op.create_table(
        "consents",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("person", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("rights", sa.Text, nullable=False),
        sa.Column("granted_by", sa.Text, nullable=False),
        sa.Column("granted_at", sa.Float, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
        sa.Column("withdrawn_at", sa.Float),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "factor_roles",
        sa.Column("role", sa.Text, primary_key=True),
    )
    op.execute(
        "UPDATE people SET until = CAST(strftime('%s', 'now', '+366 days') AS REAL)"
        " WHERE until IS NULL AND role IN ('installer', 'provider', 'aggregator')"
    )


def downgrade() -> None:
    """Drop them: consents are lost, and nobody has a second factor any more."""
    op.drop_table("factor_roles")
    op.drop_table("consents")
    op.execute("DELETE FROM credentials WHERE kind <> 'password'")
    # What may do less than its role, or less far, would do more without these.
    op.execute(
        "DELETE FROM tokens WHERE rights IS NOT NULL OR network IS NOT NULL OR person IS NOT NULL"
    )
    for column in ("person", "network", "rights"):
        op.drop_column("tokens", column)
    op.drop_column("credentials", "used_at")
