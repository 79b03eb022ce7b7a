"""What was measured lies by time: a minute of all devices is on few pages; older stores follow."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.clock import SystemClock
from hems.store.cipher import PAGE
from hems.store.history import Sample
from hems.store.store import Store, open_store
from tests.hems.store.test_migration import move
from tests.stored import execute, looked_into

pytestmark = pytest.mark.requirement("PRV-INTEGRITY")

BEFORE = "0010"
NOW_MS = 1_800_000_000_000
SLICE = {"samples": 1_800_000, "minutes": 1440, "quarters": 960, "blocks": 960}
"""How much the revision takes over at once."""
TIMES = {"samples": "at_ms", "minutes": "minute", "quarters": "quarter", "blocks": "block"}
EDGES = st.tuples(st.sampled_from([0, 1, 7, 1_000_000]), st.integers(-2, 2), st.integers(-1, 1))
KEYS = st.lists(st.tuples(st.sampled_from([1, 2, 9]), EDGES), unique=True, max_size=25)
"""Devices, and instants beside the edges of slices, with gaps of none, of some, and of many."""

Rows = Sequence[tuple[object, ...]]


def rows(path: Path, table: str) -> Rows:
    """Return a table's rows as they lie."""
    return execute(path, f"SELECT * FROM {table}")  # noqa: S608 - a table's own name


def fill(path: Path, table: str, keys: Sequence[tuple[int, tuple[int, int, int]]]) -> None:
    """Write rows that differ in each column."""
    with looked_into(path) as database:
        width = len(database.execute(f"PRAGMA table_info({table})").fetchall())
        for number, (device, (slices, part, more)) in enumerate(keys):
            at = slices * SLICE[table] + part * SLICE[table] // 2 + more
            values = [device, at, *(number + n / 8 for n in range(width - 2))]
            places = ", ".join("?" for _ in values)
            database.execute(f"INSERT OR IGNORE INTO {table} VALUES ({places})", values)  # noqa: S608 - as above


@settings(max_examples=8, deadline=None)
@given(KEYS)
def test_each_row_is_taken_over_and_back(
    tmp_path_factory: pytest.TempPathFactory, keys: list[tuple[int, tuple[int, int, int]]]
) -> None:
    path = tmp_path_factory.mktemp("by_time") / "hems.db"
    move(path, BEFORE)
    for table in SLICE:
        fill(path, table, keys)
    before = {table: rows(path, table) for table in SLICE}
    for found in before.values():
        assert [row[:2] for row in found] == sorted(row[:2] for row in found)
    move(path, "0011")
    for table, found in before.items():
        assert rows(path, table) == sorted(found, key=lambda row: (row[1], row[0]))
    move(path, "-1")
    assert {table: rows(path, table) for table in SLICE} == before


@pytest.mark.parametrize("table", TIMES)
@pytest.mark.parametrize("grown", [False, True], ids=["new", "grown"])
async def test_new_stores_and_older_ones_have_the_same_order(
    path: Path, table: str, grown: bool
) -> None:
    if grown:
        move(path, BEFORE)
    await (await open_store(path, SystemClock())).close()
    key = execute(path, "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", (table,))
    assert key == [(TIMES[table],), ("device",)]


async def test_a_minute_of_ten_devices_touches_few_pages_more_than_of_one(
    store: Store, path: Path
) -> None:
    """As SQLite's log counts them; by device, ten would touch ten times as many."""
    begun = NOW_MS // 1000
    for devices in (1, 10):  # a past, in which each device has many pages
        for hour in range(8):
            at = begun + 3600 * (hour + 8 * (devices == 10))
            await store.history.append(minutes(at, devices, seconds=3600, every=5))
    log = path.with_name(f"{path.name}-wal")
    touched = []
    for minute, devices in enumerate((1, 10)):
        with looked_into(path) as database:
            assert database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        at = begun + 16 * 3600 + 60 * minute
        await store.history.append(minutes(at, devices, seconds=60, every=10))
        touched.append(log.stat().st_size // PAGE)
    one, ten = touched
    assert 4 <= one <= 12, touched
    assert ten <= one + 12, touched


def minutes(start: int, devices: int, *, seconds: int, every: int) -> list[Sample]:
    return [
        Sample(start + s, f"d{device}", 100.0 * device + s)
        for s in range(0, seconds, every)
        for device in range(devices)
    ]
