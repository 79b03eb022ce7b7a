"""The aggregator: what the utility above asks for, what is owed to it, how that is shared."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

MANY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""Numbers of what comes without end; SQLite numbers only what it calls INTEGER by itself."""


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "upstream_event",
        sa.Column("server", sa.String, primary_key=True),
        sa.Column("lfdi", sa.String, primary_key=True),
        sa.Column("mrid", sa.String, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("program", sa.String, nullable=False),
        sa.Column("program_name", sa.String, nullable=False),
        sa.Column("primacy", sa.Integer, nullable=False),
        sa.Column("mandatory", sa.Boolean, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("draw_start_s", sa.Integer, nullable=False),
        sa.Column("draw_duration_s", sa.Integer, nullable=False),
        sa.Column("draw_cancel_s", sa.Integer, nullable=False),
        sa.Column("phase", sa.String, nullable=False),
        sa.Column("opted_out", sa.Boolean, nullable=False),
        sa.Column("baseline_w", sa.Double),
        sa.Column("rejoined", sa.Boolean, nullable=False),
        sa.Column("override_since", sa.Double),
        sa.Column("overridden_s", sa.Double, nullable=False),
        sa.Column("applied", sa.LargeBinary, nullable=False),
        sa.Column("acknowledged", sa.Boolean, nullable=False),
        sa.Column("modes", sa.String),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "upstream_response",
        sa.Column("id", MANY, primary_key=True),
        sa.Column("server", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("lfdi", sa.String, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("modes", sa.String, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("reply_to", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("location", sa.String),
        sa.Column("detail", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("server", "subject", "lfdi", "status", "modes"),
        if_not_exists=True,
    )
    op.create_index(
        "ix_upstream_response_location", "upstream_response", ["location"], if_not_exists=True
    )
    op.create_table(
        "upstream_offset",
        sa.Column("server", sa.String, primary_key=True),
        sa.Column("offset_s", sa.Double, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "upstream_shared",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("server", sa.String, nullable=False),
        sa.Column("lfdi", sa.String, nullable=False),
        sa.Column("mrid", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("total_w", sa.BigInteger, nullable=False),
        sa.Column("start", sa.Double, nullable=False),
        sa.Column("end", sa.Double, nullable=False),
        sa.Column("short_w", sa.Double, nullable=False),
        sa.Column("shared_at", sa.Double, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("told", sa.String, nullable=False),
        sa.Column("closed", sa.Boolean, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_upstream_shared_closed", "upstream_shared", ["closed"], if_not_exists=True)
    op.create_table(
        "upstream_order",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("shared", sa.String, nullable=False),
        sa.Column("value_w", sa.BigInteger, nullable=False),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("start", sa.Double, nullable=False),
        sa.Column("end", sa.Double, nullable=False),
        sa.Column("mrid", sa.String),
        if_not_exists=True,
    )
    op.create_index("ix_upstream_order_end", "upstream_order", ["end"], if_not_exists=True)
    op.create_index("ix_upstream_order_shared", "upstream_order", ["shared"], if_not_exists=True)
    op.create_table(
        "upstream_share",
        sa.Column("order", sa.String, primary_key=True),
        sa.Column("home", sa.String, primary_key=True),
        sa.Column("borne_w", sa.Double, nullable=False),
        sa.Column("free_w", sa.BigInteger, nullable=False),
        sa.Column("baseline_w", sa.Double),
        sa.Column("left_at", sa.Double),
        if_not_exists=True,
    )
    op.create_table(
        "upstream_turn",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("holder", sa.String, nullable=False),
        sa.Column("until", sa.Double, nullable=False),
        if_not_exists=True,
    )
