"""A store on a disk that gives it no more, or not all of it: that is no damaged file."""

import asyncio
import os
from contextlib import suppress
from pathlib import Path

import pytest

from certs.keys.store import KeyStore
from hems.clock import SystemClock
from hems.commands.store_start import opened_store
from hems.housekeeping import Housekeeping
from hems.scenarios.virtual_time import VirtualClock, run_at_once
from hems.store.cipher import StoreFile, opened
from hems.store.errors import StoreAwayError
from hems.store.key_file import read_key
from hems.store.sqlite import read_through, store_errors
from hems.store.store import open_store
from tests.block_disk import BlockDisk, disk_or_skip

pytestmark = pytest.mark.requirement("LC-TEST")


async def made(path: Path) -> StoreFile:
    """Return a store of some megabytes."""
    await (await open_store(path, SystemClock())).close()
    file = StoreFile(path, read_key(path, KeyStore()))
    with opened(file) as connection:
        connection.execute("CREATE TABLE bulk (content)")
        connection.execute("BEGIN")
        for _ in range(2000):
            connection.execute("INSERT INTO bulk VALUES (?)", (os.urandom(4000),))
        connection.execute("COMMIT")
    return file


async def test_a_disk_that_has_gone_is_named_as_that(tmp_path: Path) -> None:
    with disk_or_skip(tmp_path / "block") as disk:
        file = await made(disk.at / "hems.db")
        with opened(file) as connection:
            assert connection.execute("SELECT count(*) FROM bulk").fetchone() == (2000,)
            disk.pull()
            for order in ("SELECT sum(length(content)) FROM bulk", "BEGIN IMMEDIATE"):
                with pytest.raises(StoreAwayError) as caught, store_errors(file.path):
                    connection.execute(order).fetchall()
                assert "damaged" not in str(caught.value)
                assert "Input/output error" in str(caught.value)


async def test_a_store_of_which_the_disk_does_not_give_all_is_left_where_it_is(
    tmp_path: Path,
) -> None:
    with disk_or_skip(tmp_path / "block") as disk:
        path = disk.at / "hems.db"
        await made(path)
        # Somebody writes over its tables, so that it looks damaged; and the disk fails behind.
        with path.open("r+b") as content:
            content.seek(4096)
            content.write(b"\xa5" * 16 * 4096)
        disk.sync()
        with path.open("rb") as content:
            os.posix_fadvise(content.fileno(), 128 * 1024, 0, os.POSIX_FADV_DONTNEED)
        disk.shrink()
        with pytest.raises(StoreAwayError, match="Input/output error"):
            read_through(path)
        found = await opened_store(path, SystemClock(), KeyStore())
        try:
            assert path.exists()
            assert not list(path.parent.glob("*.damaged-*"))
            assert found.trouble is not None
            assert "cannot be reached" in found.trouble
            assert "Input/output error" in found.trouble
        finally:
            await found.store.close()


def test_the_owner_is_told_of_a_store_that_is_not_given_to_its_end(tmp_path: Path) -> None:
    alarms: list[str] = []

    async def live(disk: BlockDisk) -> None:
        clock = VirtualClock(asyncio.get_running_loop(), 1_800_000_000.0)
        store = await open_store(disk.at / "hems.db", clock)
        keeping = Housekeeping(
            store,
            clock,
            alarm=lambda _text: None,
            report=lambda: None,
            refresh=lambda: None,
            damaged=lambda text: alarms.append(text) if text else None,
        )
        disk.pull()
        task = asyncio.create_task(keeping.run())
        await asyncio.sleep(6.5 * 3600.0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await store.close()

    with disk_or_skip(tmp_path / "block") as disk:
        run_at_once(live(disk))
    assert alarms
    assert all("cannot be read to its end" in each for each in alarms)
    assert all("Input/output error" in each for each in alarms)
