"""Changing all rows of a long table by a revision: a slice of them, a commit, the next."""

import logging
import time
from typing import Final

import sqlalchemy as sa
from alembic import op

SLICE: Final = 50_000
"""Rows that are changed at once: a second's work or so."""
SAY_EVERY_S: Final = 10.0

_log = logging.getLogger(__name__)


def in_slices(table: str, statement: str) -> None:
    """Run a statement over all rows of a table by their `id`; the log says how far it is.

    For PostgreSQL, and for revisions that then begin anew where they were cut off: what the
    revision has done so far is committed first, and each slice by itself.

    Args:
        table: Which.
        statement: Changes those rows with `:least` <= id < `:beyond` that are not changed yet.
    """
    rows = sa.table(table, sa.column("id"))
    change = sa.text(statement)
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        first, last = connection.execute(
            sa.select(sa.func.min(rows.c.id), sa.func.max(rows.c.id))
        ).one()
        if first is None:
            return
        said_at = time.monotonic()
        for least in range(first, last + 1, SLICE):
            connection.execute(change, {"least": least, "beyond": least + SLICE})
            if time.monotonic() - said_at >= SAY_EVERY_S:
                said_at = time.monotonic()
                part = (least + SLICE - first) / (last + 1 - first)
                _log.info("%s: %.0f %% of its rows are done", table, 100 * min(part, 1))
