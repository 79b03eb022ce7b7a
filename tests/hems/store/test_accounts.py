"""The accounts' tables: rows in place of rows, what is not settled, sums, the third revision."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from hems.clock import SystemClock
from hems.store.accounts import AccountRow, Unsettled
from hems.store.store import Store, open_store
from tests.hems.store.test_migration import HOME, first_revision, move

T = 1_800_000_000
ROW = AccountRow(
    start=T,
    import_wh=100.0,
    export_wh=0.0,
    sun_wh=50.0,
    self_wh=50.0,
    used_wh=150.0,
    own_wh=50.0,
    cost=0.03,
    revenue=0.0,
    charges=0.01,
    carbon_kg=None,
    cost_no_control=0.05,
    cost_greedy=None,
    measured=0.5,
    registers=False,
    currency="EUR",
)


async def test_a_row_takes_the_place_of_the_one_before(store: Store) -> None:
    accounts = store.accounts
    await accounts.put([ROW, replace(ROW, start=T + 900)], "a", {}, settled=T, end=T)
    await accounts.put([replace(ROW, cost=0.05, cost_greedy=0.1)], "b", {}, settled=T, end=T)
    (first, other) = await accounts.sums([(T, T + 900), (T + 900, T + 1800)])
    assert (first.cost, first.intervals, first.carbon_kg) == (0.05, 1, None)
    assert first.saved_no_control == pytest.approx(0.05 - 0.06)
    assert first.saved_greedy == pytest.approx(0.1 - 0.06)
    assert (other.cost, other.saved_greedy, other.measured_s) == (0.03, None, 450.0)
    assert await accounts.sums([(T - 900, T), (T + 1800, T + 2700)]) == []


async def test_what_is_not_settled_is_kept_and_forgotten(store: Store) -> None:
    accounts = store.accounts
    assert await accounts.unsettled() == Unsettled(None, {})
    minutes = {T + 60 * i: str(i) for i in range(20)}
    await accounts.put([], "a", minutes, settled=T, end=T + 1200)
    await accounts.put([], "b", {T + 1080: "anew"}, settled=T + 900, end=T + 1140)
    kept = await accounts.unsettled()
    assert kept.state == "b"
    assert kept.minutes == {T + 900: "15", T + 960: "16", T + 1020: "17", T + 1080: "anew"}


async def test_old_rows_go(store: Store) -> None:
    rows = [replace(ROW, start=T + day * 86_400) for day in range(0, 400, 20)]
    await store.accounts.put(rows, "", {}, settled=T, end=T)
    await store.accounts.prune(T + 200.0 * 86_400)
    (left,) = await store.accounts.sums([(0.0, 1e10)])
    assert left.intervals == 10


async def test_a_store_of_before_the_accounts_gets_them(path: Path) -> None:
    first_revision(path, responses=True)
    move(path, "0002")
    store = await open_store(path, SystemClock())
    await store.accounts.put([ROW], "", {}, settled=T, end=T)
    assert len(await store.accounts.sums([(T, T + 900)])) == 1
    assert {row.lfdi for row in await store.ledger.events()} == {HOME}
    await store.close()


def test_the_third_revision_can_be_taken_back(path: Path) -> None:
    move(path, "0003", "-1")
    with closing(sqlite3.connect(path)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert "minutes" in tables
    assert not {"accounts", "account_minutes", "account_state"} & tables
