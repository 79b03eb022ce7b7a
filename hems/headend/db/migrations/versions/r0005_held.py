"""What is held in memory with its log of changes, what was sent when, old readings thinned.

Before there were revisions, tables were made wherever one was missing, whatever the version counted
by hand. So from here to 0009 a table may be there already.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

MANY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""Numbers of what comes without end; SQLite numbers only what it calls INTEGER by itself."""


def upgrade() -> None:
    """Make the tables; the first that thinned readings called their number by another name."""
    op.create_table(
        "hems_schema",
        sa.Column("version", sa.Integer, primary_key=True),
        if_not_exists=True,
    )
    op.create_table(
        "change",
        sa.Column("number", MANY, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "item",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("body", sa.String, nullable=False),
        sa.UniqueConstraint("kind", "id"),
        if_not_exists=True,
    )
    op.create_table(
        "notified",
        sa.Column("mrid", sa.String, primary_key=True),
        sa.Column("lfdi", sa.String, primary_key=True),
        sa.Column("sent_at", sa.Double, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_notified_sent_at", "notified", ["sent_at"], if_not_exists=True)
    op.create_table(
        "thinned",
        sa.Column("meter", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("slot", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("duration_s", sa.BigInteger, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("readings", sa.Integer, nullable=False),
        sa.Column("total", sa.Double, nullable=False),
        sa.Column("weighted", sa.Double, nullable=False),
        sa.Column("least", sa.Double, nullable=False),
        sa.Column("greatest", sa.Double, nullable=False),
        sa.Column("last", sa.Double, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.Column("marks", sa.String, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_thinned_start", "thinned", ["start"], if_not_exists=True)
    names = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("thinned")}
    if "count" in names:
        op.execute('ALTER TABLE thinned RENAME COLUMN "count" TO readings')
