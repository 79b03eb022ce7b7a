"""Of which revision a database is: a new one is made, an older one brought up, a newer refused."""

import logging
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, insert, inspect, select, text, update

from hems.headend.db.tables import TABLES
from hems.headend.errors import StoreError
from hems.headend.models import SchemaRow
from hems.revisions import Revisions

REVISIONS: Final = Revisions(
    Path(__file__).parent / "migrations",
    ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010"),
    "hems_revision",
)
COUNTED: Final = 4
"""Versions 1 to this were counted by hand, in SQLite's `user_version` or a table in PostgreSQL;
they are the first revisions."""
SINCE: Final = COUNTED + 1
"""What stands there since: programs of that time refuse it as a version that they do not know."""

_log = logging.getLogger(__name__)


def standing(connection: Connection, shown: str) -> str | None:
    """Return of which revision a database is; None of one that is empty.

    Args:
        connection: Reads it.
        shown: Where it is, for messages.

    Raises:
        StoreError: A newer version wrote it, or it is somebody else's.
    """
    names = set(inspect(connection).get_table_names())
    if REVISIONS.table in names:
        revision: str | None = REVISIONS.read(connection) or "unknown"
    elif connection.dialect.name == "sqlite":
        revision = _counted_in_file(connection, shown, names)
    else:
        revision = _counted_in_table(connection, shown, names)
    if revision is None or revision in REVISIONS.known:
        return revision
    raise StoreError(
        f"{shown}: a newer version wrote it: it is of schema {revision}, this program knows"
        f" {REVISIONS.newest} and older; install the newer version again"
    )


def bring_up(connection: Connection, shown: str) -> None:
    """Make the tables of an empty database, or bring those of an older one up to date.

    Args:
        connection: Nobody else does the same at the time. Of SQLite it has a transaction open, and
            what is done is part of that; of PostgreSQL it has none, and has none at the end.
        shown: Where it is, for messages.

    Raises:
        StoreError: As of `standing`.
    """
    by_steps = connection.dialect.name == "postgresql"
    revision = standing(connection, shown)
    if revision is None:
        TABLES.create_all(connection, checkfirst=False)  # `standing` saw that it is empty
        REVISIONS.stamp(connection)
        _tell_elders(connection)
    elif not inspect(connection).has_table(REVISIONS.table):
        REVISIONS.stamp(connection, revision)
        _tell_elders(connection)
    if by_steps:
        connection.commit()
    if revision is None or revision == REVISIONS.newest:
        return
    _log.info("%s: is brought from schema %s to %s", shown, revision, REVISIONS.newest)
    REVISIONS.upgrade(connection)
    _log.info("%s: is of schema %s now", shown, REVISIONS.newest)


def _counted_in_file(connection: Connection, shown: str, names: set[str]) -> str | None:
    version = connection.execute(text("PRAGMA user_version")).scalar_one()
    if version == 0 and names:
        raise StoreError(f"{shown}: an SQLite file, but not of a head-end")
    return _revision(version) if version else None


def _counted_in_table(connection: Connection, shown: str, names: set[str]) -> str | None:
    if SchemaRow.__tablename__ in names:
        return _revision(connection.execute(select(SchemaRow.version)).scalar_one())
    if names & set(TABLES.tables):
        raise StoreError(f"{shown}: has tables of somebody else")
    return None


def _revision(version: int) -> str:
    return f"{version:04}" if version <= COUNTED else f"version {version}"


def _tell_elders(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.execute(text(f"PRAGMA user_version={SINCE}"))
        return
    if not connection.execute(update(SchemaRow).values(version=SINCE)).rowcount:
        connection.execute(insert(SchemaRow).values(version=SINCE))
