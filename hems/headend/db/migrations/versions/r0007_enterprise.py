"""The enterprise side: messages of IEC 61968, orders by them, subscribers."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

MANY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""Numbers of what comes without end; SQLite numbers only what it calls INTEGER by itself."""


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "cim_message",
        sa.Column("number", MANY, primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("direction", sa.String, nullable=False),
        sa.Column("carrier", sa.String, nullable=False),
        sa.Column("peer", sa.String, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("message_id", sa.String, nullable=False),
        sa.Column("correlation_id", sa.String, nullable=False),
        sa.Column("verb", sa.String, nullable=False),
        sa.Column("noun", sa.String, nullable=False),
        sa.Column("pattern", sa.String, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("octets", sa.Integer, nullable=False),
        sa.Column("result", sa.String, nullable=False),
        sa.Column("code", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_cim_message_at", "cim_message", ["at"], if_not_exists=True)
    op.create_index("ix_cim_message_id", "cim_message", ["message_id"], if_not_exists=True)
    op.create_table(
        "cim_taken",
        sa.Column("peer", sa.String, primary_key=True),
        sa.Column("message_id", sa.String, primary_key=True),
        sa.Column("meaning", sa.String, nullable=False),
        sa.Column("taken_at", sa.Double, nullable=False),
        sa.Column("carrier", sa.String, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("next_at", sa.Double),
        if_not_exists=True,
    )
    op.create_index("ix_cim_taken_next", "cim_taken", ["next_at"], if_not_exists=True)
    op.create_table(
        "cim_order",
        sa.Column("peer", sa.String, primary_key=True),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("part", sa.Integer, primary_key=True),
        sa.Column("message_id", sa.String, nullable=False),
        sa.Column("noun", sa.String, nullable=False),
        sa.Column("given_at", sa.Double, nullable=False),
        sa.Column("event", sa.String, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_cim_order_event", "cim_order", ["event"], if_not_exists=True)
    op.create_table(
        "cim_group",
        sa.Column("mrid", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False, unique=True),
        sa.Column("description", sa.String, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "cim_member",
        sa.Column("mrid", sa.String, primary_key=True),
        sa.Column("lfdi", sa.String, primary_key=True),
        if_not_exists=True,
    )
    op.create_table(
        "cim_subscription",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("peer", sa.String, nullable=False),
        sa.Column("noun", sa.String, nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.UniqueConstraint("peer", "noun", "address"),
        if_not_exists=True,
    )
    op.create_table(
        "cim_post",
        sa.Column("number", MANY, primary_key=True),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("message_id", sa.String, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("next_at", sa.Double, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("audit", sa.BigInteger, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_cim_post_next", "cim_post", ["next_at"], if_not_exists=True)
    op.create_table(
        "cim_mark",
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        if_not_exists=True,
    )
