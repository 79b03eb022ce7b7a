"""The database of a fleet of 100,000 homes is brought up by a worker that is killed on the way."""

import asyncio
import signal
from pathlib import Path

import asyncpg
import pytest

from certs.pki import Pki
from hems.headend.db import postgresql
from hems.headend.db.schema import REVISIONS
from tests.faults.manager import started
from tests.hems.headend.db.former import Places, execute, make
from tests.hems.headend.test_headend_process import toml
from tests.waiting import until

pytestmark = [
    pytest.mark.deep,
    pytest.mark.timeout(3600),
    pytest.mark.requirement("LC-TEST", "PRV-INTEGRITY"),
]

WITHIN_S = 1500.0
HOMES = """
INSERT INTO home (lfdi, pin, edition, registered_at, in_band)
SELECT lpad(to_hex(n), 40, '0'), 123455, '2018', 1, false FROM generate_series(1, 100000) n
"""
READINGS = """
INSERT INTO reading (meter, start, local_id, duration_s, value)
SELECT n, 900 * r, '', 300 + r, n + r
FROM generate_series(1, 100000) n, generate_series(1, 20) r
"""
TOTAL = "SELECT count(*), sum(duration_s), sum(value) FROM reading"


async def test_it_goes_on_where_it_was_and_the_service_manager_is_told(
    places: Places, pki: Pki, tmp_path: Path
) -> None:
    url = places.new("postgresql")
    assert isinstance(url, str)
    await asyncio.to_thread(make, url, 3, rows=False)
    await asyncio.to_thread(execute, url, HOMES, READINGS)
    before = await asyncio.to_thread(execute, url, TOTAL)
    config = tmp_path / "headend.toml"
    config.write_text(toml(pki).replace("data.sqlite", url))
    run = ("headend", "run", "--config", str(config))
    beside = await postgresql.connect(url)

    async def filled() -> bool:
        try:
            found = await beside.fetch("SELECT 1 FROM reading WHERE duration_wide > 0 LIMIT 1")
        except asyncpg.UndefinedColumnError:
            return False
        return bool(found)

    async with started(tmp_path, *run) as first:
        await until(filled, bool, WITHIN_S, "its first slice is done")
        first.send(signal.SIGKILL)
        await first.ended()
    await beside.close()
    async with started(tmp_path, *run) as second:
        await second.manager.hears("EXTEND_TIMEOUT_USEC=", WITHIN_S)
        await second.manager.hears("READY=1", WITHIN_S)
        assert second.logged("of its rows are done")
        assert second.logged(f"is of schema {REVISIONS.newest} now")
        assert await second.end() == 0
    assert await asyncio.to_thread(execute, url, TOTAL) == before
    assert await asyncio.to_thread(execute, url, "SELECT count(*) FROM home") == [(100_000,)]
