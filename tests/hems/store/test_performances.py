"""The records' table: records in place of records, quarter-hours, the fourth revision."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from hems.clock import SystemClock
from hems.store.performances import Interval
from hems.store.store import Store, open_store
from programs.performance import Performance
from tests.hems.store.test_migration import HOME, first_revision, move

T = 1_800_000_000.0
RECORD = Performance(
    programme="peak-shaving",
    event="0A",
    asked_by="Evening peak",
    starts_at=T,
    ends_at=T + 1800.0,
    asked=1500.0,
    unit="W",
    baseline_w=2100.5,
    baseline_by="the meter before it",
    delivered_wh=300.25,
    settled_s=2.0,
    inside_share=1.0,
    deviation=0.0,
    kind="import-limit",
    lfdi=HOME,
)


async def test_a_record_takes_the_place_of_the_one_before(store: Store) -> None:
    kept = store.performances
    await kept.put(RECORD)
    await kept.put(replace(RECORD, rebound_w=120.0))
    await kept.put(replace(RECORD, kind="load-limit"))
    await kept.put(replace(RECORD, programme="envelope", kind="export-limit", inside_share=None))
    found = await kept.find(T, T + 1.0, "peak-shaving")
    assert [each.record for each in found] == [
        replace(RECORD, rebound_w=120.0),
        replace(RECORD, kind="load-limit"),
    ]
    assert len(await kept.find(T, T + 1.0)) == 3
    assert await kept.find(T + 1800.0, T + 9e9) == []
    assert await kept.find(0.0, T) == []


async def test_quarter_hours_come_after_and_go_with_a_new_record(store: Store) -> None:
    kept = store.performances
    await kept.put(RECORD)
    assert await kept.unsettled(T + 1799.0) == []
    assert await kept.unsettled(T + 1800.0) == [RECORD]
    quarters = (Interval(T, 900.0, 525.125, None), Interval(T + 900.0, 900.0, None, 300.0))
    await kept.put_intervals(RECORD, quarters)
    assert await kept.unsettled(T + 9e9) == []
    (found,) = await kept.find(T, T + 1.0)
    assert found.intervals == quarters
    await kept.put(RECORD)
    (again,) = await kept.find(T, T + 1.0)
    assert again.intervals == ()


async def test_old_records_go(store: Store) -> None:
    for day in range(0, 400, 20):
        begins = T + day * 86_400.0
        await store.performances.put(replace(RECORD, starts_at=begins, ends_at=begins + 60.0))
    await store.performances.prune(T + 200.0 * 86_400)
    assert len(await store.performances.find(0.0, 1e11)) == 10


async def test_a_store_of_before_the_records_gets_them(path: Path) -> None:
    first_revision(path, responses=True)
    move(path, "0003")
    store = await open_store(path, SystemClock())
    await store.performances.put(RECORD)
    assert len(await store.performances.find(T, T + 1.0)) == 1
    assert {row.lfdi for row in await store.ledger.events()} == {HOME}
    await store.close()


def test_the_fourth_revision_can_be_taken_back(path: Path) -> None:
    move(path, "0004", "-1")
    with closing(sqlite3.connect(path)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert "accounts" in tables
    assert "performance" not in tables
