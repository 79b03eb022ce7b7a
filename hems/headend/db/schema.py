"""The tables: made on first use, guarded by a version number, brought up to date at start."""

from pathlib import Path
from typing import Final

from sqlalchemy import insert, inspect, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hems.headend.errors import StoreError
from hems.headend.models import SCHEMA_VERSION, Base, SchemaRow

_STEPS: Final = {
    1: ("ALTER TABLE event ADD COLUMN ramp_s FLOAT",),
    2: (
        "ALTER TABLE subscription ADD COLUMN told VARCHAR NOT NULL DEFAULT ''",
        "ALTER TABLE subscription ADD COLUMN told_change BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE subscription ADD COLUMN told_at FLOAT NOT NULL DEFAULT 0",
        "ALTER TABLE subscription ADD COLUMN taken BOOLEAN NOT NULL DEFAULT TRUE",
        "CREATE INDEX ix_subscription_resource ON subscription (resource)",
    ),
    3: (
        "ALTER TABLE meter ADD COLUMN phase INTEGER",
        "ALTER TABLE meter ADD COLUMN qualifier INTEGER",
        "ALTER TABLE home ADD COLUMN aggregator VARCHAR NOT NULL DEFAULT ''",
        "ALTER TABLE response ADD COLUMN agent VARCHAR",
        "CREATE INDEX ix_response_agent ON response (agent, id) WHERE agent IS NOT NULL",
        "ALTER TABLE usage_point ADD COLUMN agent VARCHAR",
        "CREATE INDEX ix_usage_point_agent ON usage_point (agent, id) WHERE agent IS NOT NULL",
    ),
}
"""What brings the tables of each earlier version to the next; new tables are made anyway.

PostgreSQL came with version 3.
"""


async def prepare_sqlite(connection: AsyncConnection, path: Path) -> None:
    """Make or check the tables of an SQLite file; its version is in `user_version`.

    Raises:
        StoreError: It is not a head-end's, or of a version that this program does not know.
    """
    version = (await connection.execute(text("PRAGMA user_version"))).scalar_one()
    _check(str(path), version, {0, *_STEPS, SCHEMA_VERSION})
    if version == 0:
        tables = await connection.execute(text("SELECT count(*) FROM sqlite_master"))
        if tables.scalar_one():
            raise StoreError(f"{path}: an SQLite file, but not of a head-end")
    await _step(connection, version)
    await connection.run_sync(Base.metadata.create_all)
    await connection.execute(text(f"PRAGMA user_version={SCHEMA_VERSION}"))


async def prepare_postgresql(connection: AsyncConnection, shown: str) -> None:
    """Make or check the tables of a PostgreSQL database; its version is in a table.

    Args:
        connection: On which no other worker does the same.
        shown: Where it is, for messages.

    Raises:
        StoreError: It holds others' tables, or is of a version that this program does not know.
    """
    names = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
    if SchemaRow.__tablename__ not in names:
        if names & set(Base.metadata.tables):
            raise StoreError(f"{shown}: has tables of somebody else")
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(insert(SchemaRow).values(version=SCHEMA_VERSION))
        return
    version = (await connection.execute(select(SchemaRow.version))).scalar_one()
    _check(shown, version, {*_STEPS, SCHEMA_VERSION})
    await _step(connection, version)
    await connection.run_sync(Base.metadata.create_all)
    await connection.execute(update(SchemaRow).values(version=SCHEMA_VERSION))


def _check(shown: str, version: int, known: set[int]) -> None:
    if version not in known:
        raise StoreError(
            f"{shown}: has schema version {version}, this program needs {SCHEMA_VERSION}"
        )


async def _step(connection: AsyncConnection, version: int) -> None:
    for step in range(version, SCHEMA_VERSION) if version else ():
        for statement in _STEPS[step]:
            await connection.execute(text(statement))
