"""What bears on security, chained row by row; SQLite itself refuses to change any."""

import sqlalchemy as sa
from alembic import op

from hems.store.schema import ONLY_ADDED

revision = "0009"
down_revision = "0008"


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
    for statement in ONLY_ADDED:
        op.execute(statement)


def downgrade() -> None:
    """Drop it; what it says is lost."""
    op.drop_table("security_log")
