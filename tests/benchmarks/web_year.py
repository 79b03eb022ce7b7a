"""A year of ten devices at every minute, and how soon the page's history tells its days."""

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import aiohttp

from hems.clock import SystemClock
from hems.store.store import Store, open_store
from hems.surface import Series
from tests.benchmarks.common import Figure, in_ms
from tests.web.surface import ScriptedHome
from web.server import serving
from web.settings import WebSettings

DEVICES: Final = 10
DAY_S: Final = 86_400
DAYS: Final = 365
MINUTE_S: Final = 60
QUARTER_S: Final = 900

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


class KeptHome(ScriptedHome):
    """The scripted home with a store for its past."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    async def history(self, start: float, end: float, step_s: int) -> Sequence[Series]:
        kept = await self._store.history.history(start, end, step_s)
        return [Series(each.device, each.at, each.power_w, each.soc) for each in kept]


async def year_view(folder: Path, views: int) -> dict[str, Figure]:
    """Fill a store with a year and time the view of its days, over HTTP.

    Args:
        folder: Where the store is made.
        views: How many are timed; the slowest counts.
    """
    path, clock = folder / "year.db", SystemClock()
    until = int(clock.now()) // DAY_S * DAY_S
    await (await open_store(path, clock)).close()
    filled_s = _fill(path, until)
    store = await open_store(path, clock)
    try:
        begun = time.monotonic()
        await store.quarters.fill()
        added_up_s = time.monotonic() - begun
        async with (
            serving(KeptHome(store), WebSettings(port=0, time_zone="UTC"), clock) as url,
            aiohttp.ClientSession(url) as client,
        ):
            taken = [await _view(client, until) for _ in range(views)]
    finally:
        await store.close()
    return {
        "year_view_ms": in_ms(max(taken)),
        "year_view_each_ms": [in_ms(each) for each in taken],
        "year_rows": DEVICES * DAYS * DAY_S // MINUTE_S,
        "year_filled_s": round(filled_s, 1),
        "year_added_up_s": round(added_up_s, 1),
    }


def _fill(path: Path, until: int) -> float:
    """Write a year's minutes, their quarter-hours still to be made; returns how long it took."""
    begun = time.monotonic()
    with closing(sqlite3.connect(path)) as database:
        for device in range(1, DEVICES + 1):
            database.execute("INSERT INTO devices VALUES (?, ?)", (device, f"device-{device}"))
            database.execute(
                _FILL,
                {
                    "device": device,
                    "first": (until - DAYS * DAY_S) // MINUTE_S,
                    "until": until // MINUTE_S,
                },
            )
            owed = (device, until // QUARTER_S)
            database.execute("INSERT INTO quarters_owed VALUES (?, ?)", owed)
        database.commit()
    return time.monotonic() - begun


async def _view(client: aiohttp.ClientSession, until: int) -> float:
    """Ask for the days of the year before an instant; returns how long that took, s."""
    asked = {"start": str(until - DAYS * DAY_S), "end": str(until), "step": str(DAY_S)}
    begun = time.monotonic()
    async with client.get("/api/history", params=asked) as answer:
        assert answer.status == 200, await answer.text()
        told = await answer.json()
    taken_s = time.monotonic() - begun
    assert len(told["series"]) == DEVICES
    for series in told["series"]:
        assert len(series["power_w"]) == DAYS
        assert None not in series["power_w"]
    return taken_s
