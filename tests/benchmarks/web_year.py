"""Two years of ten devices at every minute, and how soon the page's history tells of the last."""

import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import aiohttp

from hems.store.store import open_store
from tests.benchmarks.common import Figure, in_ms
from tests.web.past import Past
from tests.web.surface import ScriptedClock, ScriptedHome
from web.server import serving
from web.settings import WebSettings

DEVICES: Final = 10
MINUTE_S: Final = 60
QUARTER_S: Final = 900
_FROM: Final = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())
_UNTIL: Final = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
"""The first instant after the year that is viewed."""

_FILL: Final = """
    INSERT INTO minutes (device, minute, count, power_sum_w, soc, taken_sum_w)
    WITH RECURSIVE past(minute) AS (
        SELECT :first UNION ALL SELECT minute + 1 FROM past WHERE minute + 1 < :until
    )
    SELECT :device, minute, 60, power, (minute % 1440) / 1440.0, max(power, 0) FROM (
        SELECT minute, 60.0 * (((minute * 7919 + :device * 104729) % 4001) - 1500) AS power
        FROM past
    )
"""
"""Means of minutes between -1.5 and 2.5 kW, different in each, from one second's reading each."""


async def year_view(folder: Path, views: int) -> dict[str, Figure]:
    """Fill a store and time the view of its last year, by day and by month, over HTTP.

    Args:
        folder: Where the store is made.
        views: How many are timed; the slowest counts.
    """
    path, clock = folder / "year.db", ScriptedClock(_UNTIL)
    await (await open_store(path, clock)).close()
    filled_s = _fill(path)
    store = await open_store(path, clock)
    try:
        begun = time.monotonic()
        await store.quarters.fill()
        added_up_s = time.monotonic() - begun
        parts = Past(store, path, clock, ZoneInfo("UTC")).parts()
        async with (
            serving(ScriptedHome(), WebSettings(port=0, time_zone="UTC"), clock, parts) as url,
            aiohttp.ClientSession(url) as client,
        ):
            days = [await _view(client, "day") for _ in range(views)]
            months = [await _view(client, "month") for _ in range(views)]
    finally:
        await store.close()
    return {
        "year_view_ms": in_ms(max(months)),
        "year_view_each_ms": [in_ms(each) for each in months],
        "year_by_day_ms": in_ms(max(days)),
        "year_rows": DEVICES * (_UNTIL - _FROM) // MINUTE_S,
        "year_filled_s": round(filled_s, 1),
        "year_added_up_s": round(added_up_s, 1),
    }


def _fill(path: Path) -> float:
    """Write the minutes, their quarter-hours still to be made; returns how long it took."""
    begun = time.monotonic()
    with closing(sqlite3.connect(path)) as database:
        for device in range(1, DEVICES + 1):
            database.execute("INSERT INTO devices VALUES (?, ?)", (device, f"device-{device}"))
            times = {
                "device": device,
                "first": _FROM // MINUTE_S,
                "until": _UNTIL // MINUTE_S,
            }
            database.execute(_FILL, times)
            owed = (device, _UNTIL // QUARTER_S)
            database.execute("INSERT INTO quarters_owed VALUES (?, ?)", owed)
        database.commit()
    return time.monotonic() - begun


async def _view(client: aiohttp.ClientSession, step: str) -> float:
    """Ask for the last year, compared with the one before; returns how long that took, s."""
    asked = {"from": "2025-01-01", "to": "2026-01-01", "step": step, "compare": "year"}
    begun = time.monotonic()
    async with client.get("/api/history/energy", params=asked) as answer:
        assert answer.status == 200, await answer.text()
        told = await answer.json()
    taken_s = time.monotonic() - begun
    for table in (told, told["compared"]):
        assert len(table["devices"]) == DEVICES
        for device in table["devices"]:
            assert set(device["measured"]) == {1.0}
    return taken_s
