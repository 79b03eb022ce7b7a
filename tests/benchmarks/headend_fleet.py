"""What a worker costs by the size of its fleet: rows of so many homes, and a load of a few of them.

All homes but those of the load are rows: registered, each with a usage point, a meter and readings.
They post nothing and hold no connection (what that costs, `headend_crowd` measures), but all that
goes through them, or keeps them in memory, or finds one among them, takes its time.
"""

import asyncio
import math
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Final

from certs.pki import Pki
from hems.headend.models import HomeRow, MeterRow, PointRow, ReadingRow
from hems.headend.store import Store
from tests.benchmarks.common import Figure, in_ms
from tests.benchmarks.headend_rig import PROGRAMS, Operator, Utility, running

FLEETS: Final = (100, 1_000, 10_000, 100_000)
READINGS: Final = 24
"""Of each home."""
ENTERED: Final = 20
EVENTS: Final = 5

_BATCH: Final = 10_000
_QUARTER_S: Final = 900
_HASH: Final = 0x9E3779B97F4A7C15
"""Odd, so that products with it are as different as what they are made of, and in no order."""

Load = Callable[[Utility], dict[str, Figure]]


async def enter(database: Path | str, lfdis: Iterable[str]) -> None:
    """Write the rows of registered homes to a new database."""
    store = await Store.open(database)
    try:
        await _write(store, HomeRow, (_home(lfdi, int(time.time())) for lfdi in lfdis))
    finally:
        await store.close()


async def fill(path: Path, homes: int, now: int) -> None:
    """Write the rows of homes and of what they have posted to a new SQLite file."""
    store = await Store.open(path)
    try:
        numbers = range(1, homes + 1)
        await _write(store, HomeRow, (_home(_lfdi(n), now) for n in numbers))
        await _write(store, PointRow, (_point(n) for n in numbers))
        await _write(store, MeterRow, (_meter(n) for n in numbers))
        await _write(
            store, ReadingRow, (_reading(n, i, now) for n in numbers for i in range(READINGS))
        )
    finally:
        await store.close()


async def _write(store: Store, table: Any, rows: Iterator[dict[str, object]]) -> None:
    while batch := list(islice(rows, _BATCH)):
        async with store.writing() as connection:
            await connection.execute(table.__table__.insert(), batch)


def _lfdi(number: int) -> str:
    return f"{(number * _HASH) % 2**64:016X}{number:024X}"


def _home(lfdi: str, now: int) -> dict[str, object]:
    return {
        "lfdi": lfdi,
        "pin": 111115,
        "edition": "csip-aus",
        "registered_at": float(now),
        "in_band": False,
        "last_contact": None,
        "aggregator": "",
    }


def _point(number: int) -> dict[str, object]:
    return {
        "id": number,
        "lfdi": _lfdi(number),
        "mrid": f"{number:032X}",
        "role": "site",
        "body": b"",
        "agent": None,
    }


def _meter(number: int) -> dict[str, object]:
    return {
        "id": number,
        "point": number,
        "mrid": f"{number:032X}",
        "description": "",
        "uom": 38,
        "flow": 1,
        "multiplier": 0,
        "phase": None,
        "qualifier": None,
    }


def _reading(number: int, index: int, now: int) -> dict[str, object]:
    return {
        "meter": number,
        "start": now - _QUARTER_S * (READINGS - index),
        "local_id": "",
        "duration_s": _QUARTER_S,
        "value": float(number % 5000),
    }


def measure_fleet(
    folder: Path, pki: Pki, size: int, lfdis: Sequence[str], load: Load
) -> dict[str, Figure]:
    """Measure one size.

    Args:
        folder: A new one.
        pki: Whose certificates are used.
        size: Homes.
        lfdis: Of the homes of the load, entered beside them.
        load: Measures the rates.
    """
    database = folder / "headend.sqlite"
    asyncio.run(fill(database, size, int(time.time())))
    begun = time.monotonic()
    with running(folder, pki, str(database), 1) as utility:
        figures: dict[str, Figure] = {
            "start_s": round(time.monotonic() - begun, 2),
            "rss_mb": round(utility.rss_kb() / 1024.0, 1),
            "database_mb": round(database.stat().st_size / 1e6, 1),
        }
        with closing(Operator(utility)) as operator:
            fresh = [_lfdi(size + n) for n in range(1, ENTERED + 1)]
            figures["enter_ms"] = _each(fresh, lambda lfdi: operator.enter([lfdi]))
            operator.enter(lfdis)
            figures["event_ms"] = _each(range(EVENTS), lambda n: _dispatch(operator, n))
        return figures | load(utility)


def _dispatch(operator: Operator, number: int) -> None:
    operator.post(
        "/events",
        {
            "program": PROGRAMS[0],
            "limit_import_w": 1500 + number,
            "start": f"+{60 + 20 * number}m",
            "minutes": 15,
        },
    )


def _each(items: Sequence[Any], act: Callable[[Any], object]) -> float:
    """Return how long an act takes, ms, in the median."""
    spent = []
    for item in items:
        begun = time.monotonic()
        act(item)
        spent.append(time.monotonic() - begun)
    return in_ms(statistics.median(spent))


def growth(fleets: dict[str, dict[str, Figure]], key: str) -> float | None:
    """Return by what factor a figure grows from the smallest fleet to the largest."""
    values = [row.get(key) for row in fleets.values()]
    if len(values) < 2 or not all(isinstance(v, int | float) and v > 0 for v in values):
        return None
    first, last = float(str(values[0])), float(str(values[-1]))
    return round(last / first, 2) if math.isfinite(last) else None
