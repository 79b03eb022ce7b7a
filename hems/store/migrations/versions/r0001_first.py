"""Events, responses, offsets, effects, settings and history."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    _ledger()
    _history()
    op.create_table(
        "settings",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Drop everything."""
    for table in (
        "minutes",
        "samples",
        "devices",
        "settings",
        "effects",
        "server_offsets",
        "responses",
        "events",
    ):
        op.drop_table(table)


def _ledger() -> None:
    op.create_table(
        "events",
        sa.Column("server", sa.Text, primary_key=True),
        sa.Column("mrid", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("program", sa.Text, nullable=False),
        sa.Column("program_name", sa.Text, nullable=False),
        sa.Column("primacy", sa.Integer, nullable=False),
        sa.Column("mandatory", sa.Boolean, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("draw_start_s", sa.Integer, nullable=False),
        sa.Column("draw_duration_s", sa.Integer, nullable=False),
        sa.Column("draw_cancel_s", sa.Integer, nullable=False),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("opted_out", sa.Boolean, nullable=False),
        sa.Column("baseline_w", sa.Float),
        sa.Column("changed_at", sa.Float, nullable=False),
    )
    op.create_table(
        "responses",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("lfdi", sa.Text, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("modes", sa.Text, nullable=False),
        sa.Column("created", sa.Integer, nullable=False),
        sa.Column("reply_to", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("location", sa.Text),
        sa.UniqueConstraint("subject", "lfdi", "status", "modes", name="responses_once"),
    )
    op.create_index(
        "responses_owed", "responses", ["created"], sqlite_where=sa.text("location IS NULL")
    )
    op.create_table(
        "server_offsets",
        sa.Column("server", sa.Text, primary_key=True),
        sa.Column("offset_s", sa.Float, nullable=False),
        sa.Column("saved_at", sa.Float, nullable=False),
    )
    op.create_table(
        "effects",
        sa.Column("event", sa.Text, primary_key=True),
        sa.Column("mode", sa.Text, primary_key=True),
        sa.Column("device", sa.Text, primary_key=True),
        sa.Column("value", sa.Float),
        sa.Column("setpoint_w", sa.Float),
        sa.Column("observed_w", sa.Float),
        sa.Column("received_at", sa.Float),
        sa.Column("decided_at", sa.Float),
        sa.Column("written_at", sa.Float),
        sa.Column("observed_at", sa.Float),
        sa.Column("responded_at", sa.Float),
        sa.Column("reason", sa.Text),
        sqlite_with_rowid=False,
    )


def _history() -> None:
    op.create_table(
        "devices",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "samples",
        sa.Column("device", sa.Integer, primary_key=True),
        sa.Column("at_ms", sa.Integer, primary_key=True),
        sa.Column("power_w", sa.Float, nullable=False),
        sa.Column("soc", sa.Float),
        sa.Column("temp_c", sa.Float),
        sa.Column("voltage_v", sa.Float),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "minutes",
        sa.Column("device", sa.Integer, primary_key=True),
        sa.Column("minute", sa.Integer, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("power_sum_w", sa.Float, nullable=False),
        sa.Column("soc", sa.Float),
        sqlite_with_rowid=False,
    )
