"""Workers that start on a database that is not of their schema, together or beside others."""

import asyncio
import logging
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from hems.headend.db import postgresql
from hems.headend.db.database import Database
from hems.headend.db.preparing import LOCK, prepare
from hems.headend.db.schema import REVISIONS, SINCE
from hems.headend.errors import StoreError
from hems.headend.models import HomeRow
from tests.hems.headend.db.former import (
    KINDS,
    Places,
    Where,
    everything,
    execute,
    in_child,
    start,
    still_there,
)
from tests.waiting import until

pytestmark = pytest.mark.requirement("LC-TEST", "PRV-INTEGRITY")

WAIT_S = 60.0
LATER = "UPDATE hems_revision SET version_num = '9999'"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", [3, None], ids=["former", "empty"])
def test_of_workers_that_start_together_one_changes_the_tables(
    places: Places, tmp_path: Path, kind: str, version: int | None
) -> None:
    where = places.new(kind) if version is None else places.former(kind, version)
    before = {} if version is None else everything(where)
    log = tmp_path / "log"

    def work() -> None:
        logging.basicConfig(filename=log, level=logging.INFO, force=True)
        start(where)

    children = [in_child(work) for _ in range(3)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 3
    still_there(where, before)
    done = log.read_text().count(f"is of schema {REVISIONS.newest} now") if log.exists() else 0
    assert done == (0 if version is None else 1)


async def waits(opening: "asyncio.Task[Database]", caplog: pytest.LogCaptureFixture) -> None:
    async def said() -> str:
        return caplog.text

    await until(said, lambda text: "waits for another" in text, WAIT_S, "it says that it waits")
    assert not opening.done()


async def test_a_worker_waits_for_another_that_changes_a_file(
    places: Places, caplog: pytest.LogCaptureFixture
) -> None:
    path = await asyncio.to_thread(places.former, "sqlite", 3)
    assert isinstance(path, Path)
    caplog.set_level(logging.INFO)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("BEGIN IMMEDIATE")
        opening = asyncio.create_task(Database.open(path, busy_timeout_s=0.05))
        await waits(opening, caplog)
        other.rollback()
        database = await opening
    await database.close()


async def test_a_worker_waits_for_another_that_changes_a_server(
    places: Places, caplog: pytest.LogCaptureFixture
) -> None:
    url = await asyncio.to_thread(places.former, "postgresql", 3)
    assert isinstance(url, str)
    caplog.set_level(logging.INFO)
    other = await postgresql.connect(url)
    await other.execute(f"SELECT pg_advisory_lock({LOCK})")
    opening = asyncio.create_task(Database.open(url))
    await waits(opening, caplog)
    await other.close()
    database = await opening
    await database.close()


async def test_it_does_not_wait_for_ever(places: Places) -> None:
    path = await asyncio.to_thread(places.former, "sqlite", 3)
    before = await asyncio.to_thread(everything, path)
    database = create_async_engine(f"sqlite+aiosqlite:///{path}")

    async def never(_: AsyncConnection) -> bool:
        return False

    with pytest.raises(StoreError, match="another has changed its tables"):
        await prepare(database, str(path), never, wait_s=0)
    await database.dispose()
    assert await asyncio.to_thread(everything, path) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_newer_schema_is_refused_in_one_sentence_and_left(places: Places, kind: str) -> None:
    where = places.new(kind)
    start(where)
    execute(where, LATER)
    before = everything(where)
    with pytest.raises(StoreError, match="a newer version wrote it: it is of schema 9999") as told:
        start(where)
    assert "\n" not in str(told.value)
    assert everything(where) == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", [4, None], ids=["former", "empty"])
def test_a_version_from_before_there_were_revisions_is_told(
    places: Places, kind: str, version: int | None
) -> None:
    """It refuses each version that it does not know, wherever it looks for it."""
    where = places.new(kind) if version is None else places.former(kind, version)
    start(where)
    look = "PRAGMA user_version" if kind == "sqlite" else "SELECT version FROM hems_schema"
    assert execute(where, look) == [(SINCE,)]


async def test_a_running_worker_goes_on_beside_a_later_schema_and_none_begins(
    places: Places,
) -> None:
    for kind in KINDS:
        where = await asyncio.to_thread(places.new, kind)
        running = await Database.open(where)
        await asyncio.to_thread(
            execute,
            where,
            "ALTER TABLE home ADD COLUMN later VARCHAR NOT NULL DEFAULT ''",
            LATER,
        )
        values = {"lfdi": "a", "pin": 1, "edition": "2018", "registered_at": 0.0}
        async with running.writing() as connection:
            await connection.execute(sa.insert(HomeRow).values(**values, in_band=False))
        async with running.reading() as connection:
            found = await connection.execute(sa.select(HomeRow.lfdi, HomeRow.aggregator))
            assert found.all() == [("a", "")]
        await refused(where)
        await running.close()


async def refused(where: Where) -> None:
    with pytest.raises(StoreError, match="a newer version wrote it"):
        await Database.open(where)


def test_tables_of_somebody_else_are_left(places: Places) -> None:
    file, server = places.new("sqlite"), places.new("postgresql")
    for where, said in ((file, "not of a head-end"), (server, "somebody else")):
        execute(where, "CREATE TABLE home (id INTEGER)")
        with pytest.raises(StoreError, match=said):
            start(where)
        assert list(everything(where)) == ["home"]
