"""Intervals of readings may be of any length that a reading can say, in PostgreSQL too.

Its first tables had four octets for them; they are filled anew by and by, as there are as many
readings as homes have sent. SQLite has one kind of whole number only.
"""

import sqlalchemy as sa
from alembic import op

from hems.headend.db.slices import in_slices

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Widen the column where it is narrow; what was filled before a power cut stays filled."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    columns = {each["name"]: each["type"] for each in sa.inspect(connection).get_columns("reading")}
    if isinstance(columns["duration_s"], sa.BigInteger):
        return
    op.execute("ALTER TABLE reading ADD COLUMN IF NOT EXISTS duration_wide BIGINT")
    fill = "UPDATE reading SET duration_wide = duration_s WHERE duration_wide IS NULL"
    in_slices("reading", f"{fill} AND id >= :least AND id < :beyond")
    # A worker of the former version may have written meanwhile; from here on none does.
    op.execute("LOCK TABLE reading IN ACCESS EXCLUSIVE MODE")
    op.execute(fill)
    op.execute("ALTER TABLE reading DROP COLUMN duration_s")
    op.execute("ALTER TABLE reading RENAME COLUMN duration_wide TO duration_s")
    op.execute("ALTER TABLE reading ALTER COLUMN duration_s SET NOT NULL")
