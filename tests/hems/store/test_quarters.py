"""Energies by period: against a plain recount, over an update, and after old minutes have gone."""

import asyncio
import math
import re
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Select
from sqlalchemy.dialects import sqlite

from hems.clock import SystemClock
from hems.store.history import Sample
from hems.store.quarters import (
    OF_BLOCKS,
    OF_MINUTES,
    OF_QUARTERS,
    DeviceEnergy,
    Energy,
    Period,
)
from hems.store.store import Store, open_store
from tests.hems.store.test_migration import move
from tests.stored import execute, looked_into

pytestmark = pytest.mark.requirement("BUC-13")

T0 = 1_800_000_000 - 1_800_000_000 % 10_800
HOUR = 3600.0


async def test_import_and_export_do_not_cancel(store: Store) -> None:
    """Half of each minute 1.2 kW are taken, half of it 0.6 kW are given."""
    batch = [Sample(T0 + s, "meter", 1200.0 if s % 60 < 30 else -600.0) for s in range(3600)]
    await store.history.append(batch[:1111])
    await store.history.append(batch[1111:])
    (meter,) = await store.quarters.energy([(T0, T0 + HOUR), (T0 + HOUR, T0 + 2 * HOUR)])
    assert meter.device == "meter"
    hour, later = meter.periods
    assert later is None
    assert hour is not None
    assert [hour.taken_wh, hour.given_wh] == pytest.approx([600.0, 300.0])
    assert [hour.low_w, hour.high_w, hour.mean_w] == pytest.approx([300.0] * 3)
    assert (hour.soc_low, hour.soc_high, hour.measured_s) == (None, None, 3600)


async def test_what_was_not_measured_is_not_made_up(store: Store) -> None:
    await store.history.append([Sample(T0 + s, "pv", -600.0) for s in range(1200)])
    (pv,) = await store.quarters.energy([(T0, T0 + 86_400)])
    (day,) = pv.periods
    assert day is not None
    assert [day.given_wh, day.measured_s, day.mean_w] == pytest.approx([200.0, 1200.0, -600.0])


async def test_the_range_of_a_charge(store: Store) -> None:
    socs = [0.5, 0.4, None, 0.7, 0.6]
    await store.history.append(
        [Sample(T0 + i * HOUR, "battery", 0.0, soc=soc) for i, soc in enumerate(socs)]
    )
    (battery,) = await store.quarters.energy([(T0, T0 + 5 * HOUR), (T0 + 2 * HOUR, T0 + 3 * HOUR)])
    assert [(p.soc_low, p.soc_high) for p in battery.periods if p] == [(0.4, 0.7), (None, None)]


SAMPLES = st.lists(
    st.builds(
        Sample,
        at=st.integers(0, 40 * 3600).map(lambda s: float(T0 + s)),
        device=st.sampled_from(["a", "b"]),
        power_w=st.integers(-5000, 5000).map(float),
        soc=st.none() | st.integers(0, 100).map(lambda percent: percent / 100),
    ),
    unique_by=lambda sample: (sample.device, sample.at),
    max_size=80,
)
EDGES = st.lists(st.integers(0, 170), min_size=2, max_size=9, unique=True).map(
    lambda quarters: [T0 + q * 900.0 for q in sorted(quarters)]
)


@settings(max_examples=30, deadline=None)
@given(SAMPLES, st.integers(0, 80), EDGES, st.sampled_from([1, 7, 3000]))
async def test_a_plain_recount_finds_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    samples: list[Sample],
    cut: int,
    edges: list[float],
    most: int,
) -> None:
    """However few rows are added up at once."""
    store = await open_store(tmp_path_factory.mktemp("q") / "hems.db", SystemClock())
    await store.history.append(samples[:cut])
    await store.history.append(samples[cut:])
    periods = list(pairwise(edges))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("hems.store.quarters._MOST_ROWS", most)
        found = await store.quarters.energy(periods)
        minutes = await store.quarters.energy(periods, by_minute=True)
    await store.close()
    assert_same(found, recount(samples, periods))
    assert_same(minutes, recount(samples, periods))


def recount(samples: Iterable[Sample], periods: Sequence[Period]) -> list[DeviceEnergy]:
    """Add samples up, minute by minute."""
    by_minute: dict[tuple[str, int], list[Sample]] = {}
    for sample in sorted(samples, key=lambda s: s.at):
        by_minute.setdefault((sample.device, math.floor(sample.at / 60)), []).append(sample)
    return [
        DeviceEnergy(device, [_recount(by_minute, device, *period) for period in periods])
        for device in sorted({device for device, _ in by_minute})
    ]


def _recount(
    by_minute: dict[tuple[str, int], list[Sample]], device: str, start: float, end: float
) -> Energy | None:
    mine = [v for (d, m), v in by_minute.items() if d == device and start <= m * 60 < end]
    if not mine:
        return None
    means = [sum(s.power_w for s in each) / len(each) for each in mine]
    # Of a minute the last state of charge that was told counts.
    socs = [told[-1] for each in mine if (told := [s.soc for s in each if s.soc is not None])]
    return Energy(
        sum(sum(max(s.power_w, 0.0) for s in each) / len(each) for each in mine) / 60,
        sum(sum(max(-s.power_w, 0.0) for s in each) / len(each) for each in mine) / 60,
        min(means),
        max(means),
        min(socs, default=None),
        max(socs, default=None),
        len(mine) * 60.0,
    )


def assert_same(found: Sequence[DeviceEnergy], expected: Sequence[DeviceEnergy]) -> None:
    assert [each.device for each in found] == [each.device for each in expected]
    for one, other in zip(found, expected, strict=True):
        for seen, counted in zip(one.periods, other.periods, strict=True):
            assert (seen is None) == (counted is None)
            if seen is not None and counted is not None:
                for name in Energy.__slots__:
                    assert getattr(seen, name) == pytest.approx(getattr(counted, name)), name


@pytest.mark.parametrize("question", [OF_BLOCKS, OF_QUARTERS, OF_MINUTES])
async def test_each_period_is_looked_up_and_nothing_else(path: Path, question: Select[Any]) -> None:
    """SQLite's planner once looked at every period for each row: a year took minutes."""
    await (await open_store(path, SystemClock())).close()
    text = str(question.compile(dialect=sqlite.dialect()))
    with looked_into(path) as database:
        found = database.execute(f"EXPLAIN QUERY PLAN {text}", [None] * text.count("?"))
        plan = [row[-1] for row in found]
    assert plan[0].startswith("SCAN anon_1"), plan
    assert re.search(r"USING PRIMARY KEY \((block|quarter|minute)>\? AND \1<\?\)", plan[1]), plan


async def test_quarter_hours_outlive_their_minutes(store: Store) -> None:
    await store.history.append([Sample(T0 + s, "pv", -900.0) for s in range(0, 7200, 10)])
    before = await store.quarters.energy([(T0, T0 + 7200)])
    await store.history.prune(T0 + 7200, minutes_before=T0 + 3600)
    assert await store.quarters.energy([(T0, T0 + 7200)]) == before
    (by_minute,) = await store.quarters.energy([(T0, T0 + 7200)], by_minute=True)
    assert by_minute.periods[0] is not None
    assert by_minute.periods[0].measured_s == 3600


async def test_a_clock_set_back_by_weeks_does_not_undo_what_is_known(store: Store) -> None:
    await store.history.append([Sample(T0 + s, "pv", -900.0) for s in range(0, 900, 10)])
    await store.history.prune(T0 + 900, minutes_before=T0 + 900)
    await store.history.append([Sample(T0 + 400.5, "pv", -100.0)])
    (pv,) = await store.quarters.energy([(T0, T0 + 900)])
    assert pv.periods[0] is not None
    assert pv.periods[0].given_wh == pytest.approx(225.0)


def old_store(path: Path) -> None:
    """Make a store of the revision before, with three weeks of one device and a day of another."""
    move(path, "0007")
    now = int(T0) // 60
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO devices VALUES (1, 'meter'), (2, 'pv'), (3, 'new')")
        rows: list[tuple[int, int, int, float, float | None]] = [
            (1, m, 60, 60 * (600.0 if m % 2 else -300.0), None) for m in range(now - 30_240, now)
        ]
        rows += [(2, m, 60, 60 * -1200.0, 0.5) for m in range(now - 31_700, now - 30_260)]
        connection.executemany("INSERT INTO minutes VALUES (?, ?, ?, ?, ?)", rows)


async def test_old_minutes_are_added_up_after_an_update(path: Path) -> None:
    old_store(path)
    store = await open_store(path, SystemClock())
    # The running hub writes into the quarter-hour in which the old one stopped.
    await store.history.append([Sample(T0 - 1 + s, "meter", 1200.0) for s in range(61)])
    found = {
        each.device: each.periods[0]
        for each in await store.quarters.energy([(T0 - 40 * 86_400, T0 + 900)])
    }
    await store.close()
    meter, pv = found["meter"], found["pv"]
    assert meter is not None
    assert pv is not None
    assert found["new"] is None
    assert meter.taken_wh == pytest.approx(15_120 * 10 + 20 + (1200 - 600) / 61 / 60, rel=1e-6)
    assert meter.given_wh == pytest.approx(15_120 * 5)
    assert meter.measured_s == (30_240 + 1) * 60
    assert [pv.given_wh, pv.soc_low, pv.measured_s] == pytest.approx([28_800.0, 0.5, 86_400.0])
    assert rows(path, "quarters_owed") == 0


async def test_an_update_that_is_cut_short_goes_on_at_the_next_start(path: Path) -> None:
    old_store(path)
    store = await open_store(path, SystemClock())
    await store.history.history(T0, T0 + 60, 60)  # whoever opens it first has it to itself
    filling = asyncio.create_task(store.quarters.fill())
    while rows(path, "quarters") == 0:  # noqa: ASYNC110 - SQLite tells nobody
        await asyncio.sleep(0.001)
    filling.cancel()
    await asyncio.gather(filling, return_exceptions=True)
    await store.close()
    assert rows(path, "quarters_owed") > 0, "it was cut short"
    store = await open_store(path, SystemClock())
    found = await store.quarters.energy([(T0 - 40 * 86_400, T0)])
    await store.close()
    assert [p.measured_s for each in found for p in each.periods if p] == [30_240 * 60, 86_400]


def test_the_revision_can_be_taken_back(path: Path) -> None:
    old_store(path)
    move(path, "0008", "-1")
    with closing(sqlite3.connect(path)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        columns = [row[1] for row in connection.execute("PRAGMA table_info(minutes)")]
    assert not tables & {"quarters", "blocks", "quarters_owed"}
    assert columns == ["device", "minute", "count", "power_sum_w", "soc"]


def rows(path: Path, table: str) -> int:
    (found,) = execute(path, f"SELECT count(*) FROM {table}")  # noqa: S608 - a constant
    return int(found[0])
