"""A full disk: one clear error, what stands still reads, and it goes on when there is room."""

import asyncio
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from hems.clock import SystemClock
from hems.sep2.book.ledger import EventRow
from hems.store.errors import StoreFullError
from hems.store.history import Sample
from hems.store.key_file import key_path
from hems.store.schema import REVISIONS
from hems.store.sqlite import read_revision
from hems.store.store import deferred_store, open_store
from tests.stored import key_of

CLOCK = SystemClock()
SMALL = EventRow("A", "s", "DERControl", "p", "n", 1, False, b"", 0, 0, 0, "received")
BIG = replace(SMALL, mrid="B", body=bytes(1_000_000))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 4 MB; needs root and the right to mount."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a small disk needs root")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path, but: int = 0) -> Path:
    """Leave `but` bytes of room on a disk."""
    filler = disk / "filler"
    reserve = disk / "reserve"
    reserve.write_bytes(bytes(but))
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass  # full, as wanted
    reserve.unlink()
    return filler


async def test_a_disk_that_fills_up_and_is_cleared_again(small_disk: Path) -> None:
    store = await open_store(small_disk / "hems.db", CLOCK)
    await store.ledger.save([SMALL], [])
    filler = fill(small_disk)
    for _ in range(2):
        with pytest.raises(StoreFullError, match=r"hems\.db: the disk is full"):
            await store.ledger.save([BIG], [])
        with pytest.raises(StoreFullError):
            await store.history.append([Sample(float(n), "pv", 1.0) for n in range(100_000)])
    assert list(await store.ledger.events()) == [SMALL]
    filler.unlink()
    await store.ledger.save([BIG], [])
    await store.history.append([Sample(0.0, "pv", 1.0)])
    assert list(await store.ledger.events()) == [SMALL, BIG]
    assert [series.device for series in await store.history.history(0, 60, 60)] == ["pv"]
    await store.close()


async def test_no_room_to_make_a_store_at_all(small_disk: Path) -> None:
    filler = fill(small_disk)
    with pytest.raises(StoreFullError):
        await open_store(small_disk / "hems.db", CLOCK)
    filler.unlink()
    store = await open_store(small_disk / "hems.db", CLOCK)
    await store.ledger.save([SMALL], [])
    await store.close()


async def test_a_store_that_is_opened_as_soon_as_there_is_room(small_disk: Path) -> None:
    filler = fill(small_disk)
    store = deferred_store(small_disk / "hems.db", CLOCK)
    for _ in range(2):
        with pytest.raises(StoreFullError, match="the disk is full"):
            await store.ledger.events()
        with pytest.raises(StoreFullError):
            await store.history.append([Sample(0.0, "pv", 1.0)])
    filler.unlink()
    await asyncio.gather(store.ledger.save([SMALL], []), store.history.append([]))
    assert list(await store.ledger.events()) == [SMALL]
    await store.close()


async def test_a_migration_that_runs_out_of_room_leaves_an_empty_file(small_disk: Path) -> None:
    """Room for none, some, most and all of it: the tables stand with their revision or not."""
    refused = 0
    for room in range(0, 320 * 1024, 16 * 1024):
        path = small_disk / f"{room}.db"
        filler = fill(small_disk, but=room)
        try:
            store = await open_store(path, CLOCK)
        except StoreFullError:
            refused += 1
            assert not path.exists() or read_revision(path, key_of(path)) is None
        else:
            await store.close()
            assert read_revision(path, key_of(path)) == REVISIONS[-1]
        finally:
            filler.unlink()
            path.unlink(missing_ok=True)
            key_path(path).unlink(missing_ok=True)
    assert 0 < refused < 20


async def test_sqlite_s_own_limit_of_pages(path: Path) -> None:
    """The same error from SQLite, where nothing can be mounted."""
    store = await open_store(path, CLOCK)

    def limit(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA max_page_count=40")
        cursor.close()

    event.listen(store._database._ledger._engine, "connect", limit)
    await store.ledger.save([SMALL], [])
    with pytest.raises(StoreFullError):
        await store.ledger.save([BIG], [])
    smaller = replace(BIG, body=b"x")
    await store.ledger.save([smaller], [])
    assert list(await store.ledger.events()) == [SMALL, smaller]
    await store.close()
