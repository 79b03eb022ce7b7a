"""Operators, their orders and their trail; what is settled; what is looked at."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

MANY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""Numbers of what comes without end; SQLite numbers only what it calls INTEGER by itself."""


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "operator_trail",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("person", sa.String, nullable=False),
        sa.Column("of", sa.Integer, nullable=False),
        sa.Column("body", sa.String, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("link", sa.LargeBinary, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_operator_trail_of", "operator_trail", ["of"], if_not_exists=True)
    op.create_index("ix_operator_trail_person", "operator_trail", ["person"], if_not_exists=True)
    op.create_table(
        "operator_attempt",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last", sa.Double, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_operator_attempt_last", "operator_attempt", ["last"], if_not_exists=True)
    op.create_table(
        "order_key",
        sa.Column("person", sa.String, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("made", sa.String, nullable=False),
        sa.Column("kept_at", sa.Double, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_order_key_kept_at", "order_key", ["kept_at"], if_not_exists=True)
    op.create_table(
        "own_event",
        sa.Column("mrid", sa.String, primary_key=True),
        sa.Column("key", sa.String, nullable=False, unique=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("modes", sa.String, nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("duration_s", sa.Integer, nullable=False),
        sa.Column("accepted_at", sa.Double, nullable=False),
        sa.Column("cancelled_at", sa.Double),
        sa.Column("ramp_s", sa.Double),
        sa.Column("binding", sa.Boolean, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "own_event_home",
        sa.Column("mrid", sa.String, primary_key=True),
        sa.Column("lfdi", sa.String, primary_key=True),
        if_not_exists=True,
    )
    op.create_index("ix_own_event_home_lfdi", "own_event_home", ["lfdi"], if_not_exists=True)
    op.create_table(
        "settlement",
        sa.Column("event", sa.String, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("made_by", sa.String, nullable=False),
        sa.Column("homes", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "telecontrol_order",
        sa.Column("common", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("address", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("centre", sa.String, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("event", sa.String, nullable=False),
        sa.Column("ordered_at", sa.Double, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "monitor_fact",
        sa.Column("number", MANY, primary_key=True),
        sa.Column("minute", sa.Integer, nullable=False),
        sa.Column("worker", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_monitor_fact_minute", "monitor_fact", ["minute"], if_not_exists=True)
    op.create_table(
        "monitor_signal",
        sa.Column("number", MANY, primary_key=True),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("seen", sa.Double, nullable=False),
        sa.Column("ended", sa.Double),
        sa.Column("evidence", sa.BigInteger, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_monitor_signal_ended", "monitor_signal", ["ended"], if_not_exists=True)
    op.create_table(
        "monitor_place",
        sa.Column("lfdi", sa.String, primary_key=True),
        sa.Column("address", sa.String, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "monitor_habit",
        sa.Column("lfdi", sa.String, primary_key=True),
        sa.Column("silent_s", sa.Double, nullable=False),
        sa.Column("learned", sa.Double, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "monitor_round",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        if_not_exists=True,
    )
