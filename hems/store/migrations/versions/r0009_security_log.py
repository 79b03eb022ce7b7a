"""What bears on security, chained row by row; SQLite itself refuses to change any."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_ONLY_ADDED: Final = (
    (
        "CREATE TRIGGER security_log_stays BEFORE UPDATE ON security_log"
        " WHEN NEW.body IS NOT NULL OR NEW.seq IS NOT OLD.seq OR NEW.at IS NOT OLD.at"
        " OR NEW.digest IS NOT OLD.digest OR NEW.link IS NOT OLD.link"
        " BEGIN SELECT RAISE(ABORT, 'rows of the security log are not changed'); END"
    ),
    (
        "CREATE TRIGGER security_log_whole BEFORE DELETE ON security_log"
        " BEGIN SELECT RAISE(ABORT, 'rows of the security log are not taken out'); END"
    ),
)


def upgrade() -> None:
    """Make the table and what guards it."""
    op.create_table(
        "security_log",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("body", sa.Text),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("link", sa.LargeBinary, nullable=False),
    )
    for statement in _ONLY_ADDED:
        op.execute(statement)


def downgrade() -> None:
    """Drop it; what it says is lost."""
    op.drop_table("security_log")
