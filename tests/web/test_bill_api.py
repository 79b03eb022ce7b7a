"""GET /api/bill: a month's bill, over sockets, from accounts on the disk."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import aiohttp
import pytest

from hems.cem.civil import day_start
from tests.web.past import BERLIN, past
from tests.web.surface import ScriptedHome
from web.server import serving
from web.settings import WebSettings

pytestmark = pytest.mark.requirement("ROLE-UI")
MAY, JUNE, JULY = (day_start(date(2026, month, 1), BERLIN) for month in (5, 6, 7))


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    settings = WebSettings(port=0, time_zone=BERLIN.key, static_dir=tmp_path / "static")
    async with past(tmp_path, JUNE + 13 * 86_400 + 3600) as made:
        await made.cost(MAY, made.clock.at)
        async with (
            serving(ScriptedHome(), settings, made.clock, made.parts()) as url,
            aiohttp.ClientSession(url) as session,
        ):
            yield session


async def test_the_last_month_that_is_over(client: aiohttp.ClientSession) -> None:
    async with client.get("/api/bill") as response:
        assert response.status == 200
        bill = await response.json()
    assert (bill["month"], bill["first"], bill["last"]) == ("2026-05", "2026-05-01", "2026-05-31")
    assert (bill["newest"], bill["running"]) == ("2026-06", False)
    assert (bill["start"], bill["end"]) == (MAY, JUNE)
    assert bill["customer"]["home"] == "Birch Lane 7"
    (account,) = bill["accounts"]
    assert account["whole"]["currency"] == "EUR"
    assert [band["low_per_kwh"] for band in account["taken"]] == [0.24, 0.32]
    assert len(account["days"]) == 31
    assert account["whole"]["saved_no_control"] == pytest.approx(31 * 96 * (0.01 + 0.008 - 0.005))


async def test_the_running_month_and_one_without_anything(client: aiohttp.ClientSession) -> None:
    async with client.get("/api/bill?month=2026-06") as response:
        bill = await response.json()
    assert (bill["running"], len(bill["accounts"][0]["days"])) == (True, 14)
    assert bill["accounts"][0]["whole"]["measured"] == 1.0
    async with client.get("/api/bill?month=2025-02") as response:
        bill = await response.json()
    assert (bill["accounts"], bill["last"]) == ([], "2025-02-28")


@pytest.mark.parametrize("month", ["2026-13", "2026-6", "1969-01", "june", "3000-01"])
async def test_no_month_is_refused(client: aiohttp.ClientSession, month: str) -> None:
    async with client.get(f"/api/bill?month={month}") as response:
        assert response.status == 400
        assert "month" in (await response.json())["error"]
