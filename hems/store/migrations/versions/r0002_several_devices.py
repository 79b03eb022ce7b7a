"""Events and responses of several EndDevices and servers; overrides; what was applied.

Until now one home talked to one server, so each row says by others whose it is: an event is of the
EndDevice that answered last, a response is owed to the server of its event.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_EVENT = (
    "server, mrid, kind, program, program_name, primacy, mandatory, body, draw_start_s, "
    "draw_duration_s, draw_cancel_s, phase, opted_out, baseline_w, changed_at"
)
_RESPONSE = "id, subject, lfdi, status, modes, created, reply_to, kind, location"


def upgrade() -> None:
    """Make both tables anew: SQLite cannot change a table's key in place."""
    op.drop_index("responses_owed", "responses")
    op.rename_table("events", "events_0001")
    op.rename_table("responses", "responses_0001")
    _events(
        sa.Column("lfdi", sa.Text, primary_key=True),
        sa.Column("rejoined", sa.Boolean, nullable=False),
        sa.Column("override_since", sa.Float),
        sa.Column("overridden_s", sa.Float, nullable=False),
        sa.Column("applied", sa.LargeBinary, nullable=False),
        sa.Column("acknowledged", sa.Boolean, nullable=False),
        sa.Column("modes", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
    )
    _responses(
        ("server", "subject", "lfdi", "status", "modes"),
        sa.Column("server", sa.Text, nullable=False),
        sa.Column("detail", sa.LargeBinary, nullable=False),
    )
    op.execute(
        f"""
        INSERT INTO events (lfdi, rejoined, overridden_s, applied, acknowledged, reason, {_EVENT})
        SELECT coalesce((SELECT lfdi FROM responses_0001 ORDER BY id DESC LIMIT 1), ''),
               0, 0.0, x'', 0, '', {_EVENT}
        FROM events_0001
        """  # noqa: S608 - names of this file
    )
    op.execute(
        f"""
        INSERT INTO responses (server, detail, {_RESPONSE})
        SELECT coalesce(
                   (SELECT server FROM events_0001 WHERE mrid = subject
                    ORDER BY changed_at DESC LIMIT 1),
                   (SELECT server FROM server_offsets ORDER BY saved_at DESC LIMIT 1),
                   (SELECT server FROM events_0001 ORDER BY changed_at DESC LIMIT 1),
                   ''
               ),
               x'', {_RESPONSE}
        FROM responses_0001
        """  # noqa: S608 - names of this file
    )
    op.drop_table("events_0001")
    op.drop_table("responses_0001")
    op.create_index(
        "responses_owed",
        "responses",
        ["server", "created"],
        sqlite_where=sa.text("location IS NULL"),
    )


def downgrade() -> None:
    """Make the tables as they were; of one event for several devices one row stays."""
    op.drop_index("responses_owed", "responses")
    op.rename_table("events", "events_0002")
    op.rename_table("responses", "responses_0002")
    _events()
    _responses(("subject", "lfdi", "status", "modes"))
    op.execute(f"INSERT OR IGNORE INTO events ({_EVENT}) SELECT {_EVENT} FROM events_0002")  # noqa: S608 - names of this file
    op.execute(
        f"INSERT OR IGNORE INTO responses ({_RESPONSE}) SELECT {_RESPONSE} FROM responses_0002"  # noqa: S608 - names of this file
    )
    op.drop_table("events_0002")
    op.drop_table("responses_0002")
    op.create_index(
        "responses_owed", "responses", ["created"], sqlite_where=sa.text("location IS NULL")
    )


def _events(*more: sa.Column[str] | sa.Column[bool] | sa.Column[float] | sa.Column[bytes]) -> None:
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
        *more,
    )


def _responses(key: tuple[str, ...], *more: sa.Column[str] | sa.Column[bytes]) -> None:
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
        *more,
        sa.UniqueConstraint(*key, name="responses_once"),
    )
