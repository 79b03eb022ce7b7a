"""A store with ten years in it: its size, a year asked of it, and its clearing."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hems.clock import SystemClock
from hems.housekeeping import LONG_KEPT_S, MINUTES_KEPT_S, SAMPLES_KEPT_S
from hems.sep2.book.ledger import EventRow
from hems.store.cipher import PAGE
from hems.store.store import Store, open_store
from tests.benchmarks.common import Figure, in_ms, percentile
from tests.benchmarks.store_rows import DEVICES
from tests.stored import looked_into

if TYPE_CHECKING:
    from sqlite3 import Connection

UNTIL: Final = int(datetime(2036, 1, 1, tzinfo=UTC).timestamp())
YEAR_S: Final = 365 * 86_400
EVERY_S: Final = 0.02
"""Between two writes of events while the past is cleared away."""
_EXTRA_S: Final = 40 * 86_400
"""For so long the hub was off, or its clock wrong: all of that goes at once."""

_FILLS: Final = {
    "quarters": (
        900,
        """INSERT INTO quarters SELECT :device, n, 15, p, 0, p, p + 900, s, s, s FROM (
        SELECT n, abs((n * 7919 + :device * 104729) % 4001) / 1.7 AS p, (n % 96) / 96.0 AS s
        FROM steps)""",
    ),
    "blocks": (
        10_800,
        """INSERT INTO blocks SELECT :device, n, 180, p, 0, p, p + 900, s, s FROM (
        SELECT n, abs((n * 7919 + :device * 104729) % 4001) / 1.7 AS p, (n % 8) / 8.0 AS s
        FROM steps)""",
    ),
    "minutes": (
        60,
        """INSERT INTO minutes SELECT :device, n, 60, p, s, p FROM (
        SELECT n, 60.0 * abs((n * 7919 + :device * 104729) % 4001) / 1.7 AS p,
        (n % 1440) / 1440.0 AS s FROM steps)""",
    ),
    "samples": (
        1,
        """INSERT INTO samples SELECT :device, n * 1000, p, NULL, NULL, NULL FROM (
        SELECT n, ((n * 7919 + :device * 104729) % 4001) / 1.7 AS p FROM steps)""",
    ),
}
_STEPS: Final = """
    WITH RECURSIVE steps(n) AS (
        SELECT :first UNION ALL SELECT n + 1 FROM steps WHERE n + 1 < :until
    )
"""


async def measure(folder: Path, years: int, rounds: int) -> dict[str, Figure]:
    """Fill a store with all that is kept of so many years; ask it, and clear it."""
    path = folder / "years.db"
    await (await open_store(path, SystemClock())).close()
    figures = await asyncio.to_thread(fill, path, years)
    store = await open_store(path, SystemClock())
    try:
        figures |= await _ask(store, rounds)
        figures |= await _clear(store)
    finally:
        await store.close()
    figures["store_mb_after_clearing"] = _mb(path)
    return figures


def fill(path: Path, years: int) -> dict[str, Figure]:
    """Write what is kept at `UNTIL`; returns the size of each part of it, MB."""
    kept_s = {
        "quarters": min(years * YEAR_S, LONG_KEPT_S),
        "blocks": min(years * YEAR_S, LONG_KEPT_S),
        "minutes": MINUTES_KEPT_S,
        "samples": SAMPLES_KEPT_S,
    }
    sizes: dict[str, Figure] = {}
    with looked_into(path) as database:
        database.execute("PRAGMA cache_size=-64000")
        for device in range(1, DEVICES + 1):
            database.execute("INSERT INTO devices VALUES (?, ?)", (device, f"device-{device - 1}"))
        before = _pages_mb(database)
        for table, (step_s, statement) in _FILLS.items():
            database.execute("BEGIN")
            first = round(UNTIL - kept_s[table]) // step_s
            for device in range(1, DEVICES + 1):
                values = {"device": device, "first": first, "until": UNTIL // step_s}
                head, _, rest = statement.partition("SELECT")
                database.execute(f"{head}{_STEPS} SELECT{rest}", values)
            database.execute("COMMIT")
            after = _pages_mb(database)
            sizes[f"{table}_mb"] = round(after - before, 1)
            before = after
        sizes["store_mb"] = round(before, 1)
        sizes["store_years"] = years
    return sizes


async def _ask(store: Store, rounds: int) -> dict[str, Figure]:
    months = [(_month(2035, m), _month(2035 + m // 12, m % 12 + 1)) for m in range(1, 13)]
    by_month, chart = list[float](), list[float]()
    for _ in range(rounds):
        begun = time.perf_counter()
        energies = await store.quarters.energy(months)
        by_month.append(time.perf_counter() - begun)
        assert all(each is not None for device in energies for each in device.periods)
        begun = time.perf_counter()
        series = await store.history.history(UNTIL - YEAR_S, UNTIL, 86_400)
        chart.append(time.perf_counter() - begun)
        assert len(series) == DEVICES
        assert None not in series[0].power_w
    return {
        "year_query_ms": in_ms(max(by_month)),
        "year_query_each_ms": [in_ms(each) for each in by_month],
        "year_chart_ms": in_ms(max(chart)),
    }


async def _clear(store: Store) -> dict[str, Figure]:
    """Clear away what is too old `_EXTRA_S` later, while events are written; and before that."""
    alone = await _events(store, asyncio.create_task(asyncio.sleep(2.0)))
    now = UNTIL + _EXTRA_S
    begun = time.perf_counter()
    clearing = asyncio.create_task(
        store.history.prune(
            now - SAMPLES_KEPT_S,
            minutes_before=now - MINUTES_KEPT_S,
            quarters_before=now - LONG_KEPT_S,
        )
    )
    beside = await _events(store, clearing)
    await clearing
    return {
        "event_write_p99_ms": in_ms(percentile(alone, 0.99)),
        "event_write_clearing_p99_ms": in_ms(percentile(beside, 0.99)),
        "event_write_clearing_max_ms": in_ms(max(beside)),
        "event_writes_clearing": len(beside),
        "clearing_s": round(time.perf_counter() - begun, 1),
    }


async def _events(store: Store, meanwhile: "asyncio.Task[None]") -> list[float]:
    """Write one event after the other until something is done; returns how long each took, s."""
    took: list[float] = []
    while not meanwhile.done() or not took:
        mrid = f"{len(took):032X}"
        event = EventRow(
            mrid, "utility", "DERControl", "P", "Peak", 1, True, bytes(900), 0, 0, 0, "received"
        )
        begun = time.perf_counter()
        await store.ledger.save([event], [])
        took.append(time.perf_counter() - begun)
        await asyncio.sleep(EVERY_S)
    return took


def _month(year: int, month: int) -> float:
    return datetime(year, month, 1, tzinfo=UTC).timestamp()


def _pages_mb(database: "Connection") -> float:
    (count,) = database.execute("PRAGMA page_count").fetchone()
    return int(count) * PAGE / 1e6


def _mb(path: Path) -> float:
    return round(path.stat().st_size / 1e6, 1)
