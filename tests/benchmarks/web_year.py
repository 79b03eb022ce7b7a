"""Two years of ten devices at every minute, and how soon the page's history tells of the last."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import aiohttp

from hems.store.store import open_store
from tests.benchmarks.common import Figure, in_ms
from tests.stored import looked_into
from tests.web.past import Past
from tests.web.surface import ScriptedClock, ScriptedHome
from web.server import serving
from web.settings import WebSettings

DEVICES: Final = 10
MINUTE_S: Final = 60
QUARTER_S: Final = 900
ZONE: Final = "Europe/Berlin"
"""Its midnights lie within the blocks of hours that the history keeps, as most zones' do."""
_FROM: Final = int(datetime(2023, 12, 31, tzinfo=UTC).timestamp())
_UNTIL: Final = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
"""Some instant after the year that is viewed."""

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
    """Fill a store and time the views of its last year over HTTP, alone and beside the one before.

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
        parts = Past(store, path, clock, ZoneInfo(ZONE)).parts()
        async with (
            serving(ScriptedHome(), WebSettings(port=0, time_zone=ZONE), clock, parts) as url,
            aiohttp.ClientSession(url) as client,
        ):
            months, days, months_beside, days_beside = [
                [await _view(client, step, beside=beside) for _ in range(views)]
                for beside in (False, True)
                for step in ("month", "day")
            ]
    finally:
        await store.close()
    return {
        "year_view_ms": in_ms(max(months)),
        "year_view_each_ms": [in_ms(each) for each in months],
        "year_by_day_ms": in_ms(max(days)),
        "year_by_day_each_ms": [in_ms(each) for each in days],
        "year_compared_ms": in_ms(max(months_beside)),
        "year_by_day_compared_ms": in_ms(max(days_beside)),
        "year_rows": DEVICES * (_UNTIL - _FROM) // MINUTE_S,
        "year_filled_s": round(filled_s, 1),
        "year_added_up_s": round(added_up_s, 1),
    }


def _fill(path: Path) -> float:
    """Write the minutes, their quarter-hours still to be made; returns how long it took."""
    begun = time.monotonic()
    with looked_into(path) as database:
        database.execute("BEGIN")
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
        database.execute("COMMIT")
    return time.monotonic() - begun


async def _view(client: aiohttp.ClientSession, step: str, *, beside: bool) -> float:
    """Ask for the last year, perhaps beside the one before; returns how long that took, s."""
    asked = {"from": "2025-01-01", "to": "2026-01-01", "step": step}
    if beside:
        asked["compare"] = "year"
    begun = time.monotonic()
    async with client.get("/api/history/energy", params=asked) as answer:
        assert answer.status == 200, await answer.text()
        told = await answer.json()
    taken_s = time.monotonic() - begun
    for table in (told, told["compared"]) if beside else (told,):
        assert len(table["devices"]) == DEVICES
        for device in table["devices"]:
            assert set(device["measured"]) == {1.0}
    return taken_s
