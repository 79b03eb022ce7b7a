"""Databases as former versions made them, by those versions' own statements, with rows in all."""

import asyncio
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from hems.headend.db import postgresql
from hems.headend.db.database import Database
from hems.headend.db.schema import REVISIONS
from hems.headend.models import SchemaRow
from tests.postgres import Postgres

RELEASED = Path(__file__).parent / "released"
"""What each version said to make its tables, the third and fourth to either database."""
ROWS = 3
OWN = {REVISIONS.table, SchemaRow.__tablename__}
RENAMED = {("thinned", "count"): "readings"}

T = TypeVar("T")
Where = Path | str
KINDS = ("sqlite", "postgresql")
Rows = Counter[tuple[object, ...]]
Tables = dict[str, tuple[list[str], Rows]]
"""Of each table its columns, and how often it has which row."""


@dataclass
class Places:
    """Where databases are made."""

    folder: Path
    request: pytest.FixtureRequest
    made: int = 0

    def new(self, kind: str) -> Where:
        """Return a place for one more."""
        self.made += 1
        if kind == "sqlite":
            return self.folder / f"{self.made}.sqlite"
        server: Postgres = self.request.getfixturevalue("postgres")
        return server.database()

    def former(self, kind: str, version: int) -> Where:
        """Return a database of a former version."""
        where = self.new(kind)
        make(where, version)
        return where


def inside(where: Where, work: Callable[[sa.Connection], T]) -> T:
    """Run a transaction in a database that no program has open here; not within an event loop."""

    async def run() -> T:
        if isinstance(where, Path):
            engine = create_async_engine(f"sqlite+aiosqlite:///{where}", poolclass=NullPool)
        else:
            engine = postgresql.engine(where)
        try:
            async with engine.begin() as connection:
                return await connection.run_sync(work)
        finally:
            await engine.dispose()

    return asyncio.run(run())


def execute(where: Where, *statements: str) -> list[tuple[object, ...]]:
    """Run statements; return what the last of them gave, if anything."""

    def work(connection: sa.Connection) -> list[tuple[object, ...]]:
        for statement in statements:
            result = connection.exec_driver_sql(statement)
        return [tuple(row) for row in result] if result.returns_rows else []

    return inside(where, work)


def start(where: Where) -> None:
    """Have a worker open the database, and close it."""

    async def run() -> None:
        database = await Database.open(where)
        await database.close()

    asyncio.run(run())


def make(where: Where, version: int, *, rows: bool = True) -> None:
    """Make a database of a version that was counted by hand."""
    kind = "sqlite" if isinstance(where, Path) else "postgresql"
    sql = (RELEASED / f"{version}.{kind}.sql").read_text(encoding="utf-8")
    if isinstance(where, Path):
        where.touch(0o600)
        counted = f"PRAGMA user_version={version}"
    else:
        counted = f"INSERT INTO hems_schema VALUES ({version})"  # noqa: S608 - a number of our own
    execute(where, *filter(str.strip, sql.split(";\n")), counted)
    if rows:
        inside(where, _fill)


def _fill(connection: sa.Connection) -> None:
    for table in _tables(connection).sorted_tables:
        if table.name not in OWN:
            connection.execute(
                sa.insert(table),
                [
                    {column.name: _value(column, number) for column in table.columns}
                    for number in range(1, ROWS + 1)
                ],
            )


def _value(column: sa.Column[object], number: int) -> object:
    """Return something for a column that is another in each row."""
    match column.type:
        case sa.Boolean():
            return bool(number % 2)
        case sa.Integer():
            return number
        case sa.Float() | sa.Double():
            return number + 0.5
        case sa.LargeBinary():
            return column.name.encode() + bytes([number])
    return f"{column.name} {number}"


def _tables(connection: sa.Connection) -> sa.MetaData:
    found = sa.MetaData()
    found.reflect(connection)
    return found


def everything(where: Where) -> Tables:
    """Return all that a database holds but of which version it is."""

    def work(connection: sa.Connection) -> Tables:
        return {
            table.name: (
                list(table.columns.keys()),
                Counter(tuple(row) for row in connection.execute(sa.select(table))),
            )
            for table in _tables(connection).sorted_tables
            if table.name not in OWN
        }

    return inside(where, work)


def still_there(where: Where, before: Tables) -> None:
    """See that a database is of the present revision, and has each row that it had, once."""
    found = everything(where)
    for table, (columns, wanted) in before.items():
        has, rows = found[table]
        places = [has.index(RENAMED.get((table, column), column)) for column in columns]
        assert Counter(tuple(row[at] for at in places) for row in rows.elements()) == wanted, table
    told = execute(where, f"SELECT version_num FROM {REVISIONS.table}")  # noqa: S608 - our own name
    assert told == [(REVISIONS.newest,)]


def in_child(work: Callable[[], None]) -> int:
    """Run something in a process of its own, without waiting for it."""
    child = os.fork()
    if child == 0:
        ended = 1
        try:
            work()
            ended = 0
        finally:
            os._exit(ended)
    return child
