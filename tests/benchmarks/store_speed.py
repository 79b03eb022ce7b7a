"""How fast samples and events are written, beside plain SQLite on the same disk in the same run.

The plain file is what the standard library's `sqlite3` makes of it: the same rows, the same number
of them a transaction, WAL and the same `synchronous`; no encryption, no sums over the samples, no
threads. Each round writes a batch into the one and then into the other, the order changing.
"""

import sqlite3
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from hems.clock import SystemClock
from hems.recorder import FLUSH_EVERY_S
from hems.sep2.book.ledger import EventRow
from hems.store.history import Sample
from hems.store.store import Store, open_store
from tests.benchmarks.common import Figure
from tests.benchmarks.store_rows import DEVICES, samples

START: Final = 1_800_057_600
BATCHES: Final = 10
"""Minutes of one round."""
EVENTS: Final = 20
"""Durable transactions of one round."""
_SAMPLES: Final = """
    CREATE TABLE samples (device INTEGER, at_ms INTEGER, power_w REAL NOT NULL, soc REAL,
    temp_c REAL, voltage_v REAL, PRIMARY KEY (device, at_ms)) WITHOUT ROWID
"""
_EVENTS: Final = "CREATE TABLE events (mrid TEXT PRIMARY KEY, body BLOB, phase TEXT)"


async def measure(folder: Path, rounds: int) -> dict[str, Figure]:
    """Write; returns rows and transactions a second, medians over the rounds."""
    path = folder / "speed.db"
    store = await open_store(path, SystemClock())
    took: dict[str, list[float]] = {"ours": [], "plain": [], "ours_one": [], "plain_one": []}
    with closing(sqlite3.connect(folder / "plain.db", isolation_level=None)) as plain:
        for statement in ("PRAGMA journal_mode=WAL", _SAMPLES, _EVENTS):
            plain.execute(statement)
        for number in range(rounds):
            at = START + number * BATCHES * round(FLUSH_EVERY_S)
            turns: list[tuple[str, Callable[[], Awaitable[None]]]] = [
                ("ours", lambda at=at: _ours(store, at)),  # type: ignore[misc] # a default binds it
                ("plain", lambda at=at: _plain(plain, at)),  # type: ignore[misc] # the same
                ("ours_one", lambda n=number: _ours_one(store, n)),  # type: ignore[misc] # the same
                ("plain_one", lambda n=number: _plain_one(plain, n)),  # type: ignore[misc] # the same
            ]
            for name, write in reversed(turns) if number % 2 else turns:
                begun = time.perf_counter()
                await write()
                took[name].append(time.perf_counter() - begun)
    await store.close()
    rows = BATCHES * round(FLUSH_EVERY_S) * DEVICES
    typical = {name: statistics.median(each) for name, each in took.items()}
    return {
        "writes_per_s": round(rows / typical["ours"]),
        "sqlite_plain_writes_per_s": round(rows / typical["plain"]),
        "durable_per_s": round(EVENTS / typical["ours_one"], 1),
        "sqlite_plain_durable_per_s": round(EVENTS / typical["plain_one"], 1),
        "write_rounds": rounds,
    }


async def _ours(store: Store, start: int) -> None:
    for batch in _batches(start):
        await store.history.append(batch)


async def _plain(plain: sqlite3.Connection, start: int) -> None:
    plain.execute("PRAGMA synchronous=NORMAL")
    for batch in _batches(start):
        plain.execute("BEGIN")
        plain.executemany(
            "INSERT INTO samples VALUES (?, ?, ?, ?, ?, ?)",
            [
                (int(s.device[-1]), round(s.at * 1000), s.power_w, s.soc, s.temp_c, s.voltage_v)
                for s in batch
            ],
        )
        plain.execute("COMMIT")


async def _ours_one(store: Store, number: int) -> None:
    for n in range(EVENTS):
        mrid = f"{number:016X}{n:016X}"
        event = EventRow(
            mrid, "utility", "DERControl", "P", "Peak", 1, True, bytes(900), 0, 0, 0, "received"
        )
        await store.ledger.save([event], [])


async def _plain_one(plain: sqlite3.Connection, number: int) -> None:
    plain.execute("PRAGMA synchronous=FULL")
    for n in range(EVENTS):
        mrid = f"{number:016X}{n:016X}"
        plain.execute("BEGIN")
        plain.execute("INSERT INTO events VALUES (?, ?, 'received')", (mrid, bytes(900)))
        plain.execute("COMMIT")


def _batches(start: int) -> list[list[Sample]]:
    step = round(FLUSH_EVERY_S)
    return [samples(range(at, at + step)) for at in range(start, start + BATCHES * step, step)]
