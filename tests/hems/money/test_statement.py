"""Accounts by the days and months that people live."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hems.money.statement import MOST_PERIODS, Statement
from hems.money.surface import Step, TooManyPeriodsError
from hems.store.accounts import AccountRow
from hems.store.store import Store, open_store
from tests.hems.money.homes import BERLIN, HeldClock


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path / "hems.db", HeldClock())
    yield opened
    await opened.close()


def local(zone: ZoneInfo, *when: int) -> float:
    return datetime(*when, tzinfo=zone).timestamp()  # type: ignore[arg-type, misc]


def row(start: float, currency: str = "EUR", **changes: float | None) -> AccountRow:
    fields = {
        "import_wh": 100.0,
        "export_wh": 10.0,
        "sun_wh": 40.0,
        "self_wh": 30.0,
        "used_wh": 130.0,
        "own_wh": 30.0,
        "cost": 0.03,
        "revenue": 0.001,
        "charges": 0.002,
        "carbon_kg": 0.04,
        "cost_no_control": 0.041,
        "cost_greedy": None,
        "measured": 1.0,
    } | changes
    return AccountRow(start=round(start), registers=False, currency=currency, **fields)  # type: ignore[arg-type]


async def filled(store: Store, start: float, end: float, currency: str = "EUR") -> None:
    rows = [row(at, currency) for at in range(round(start), round(end), 900)]
    await store.accounts.put(rows, "{}", {}, settled=0, end=0)


@pytest.mark.requirement("ROLE-CEM")
@pytest.mark.parametrize(
    ("zone", "day", "quarters"),
    [
        ("Europe/Berlin", (2026, 3, 29), 92),
        ("Europe/Berlin", (2026, 10, 25), 100),
        ("Australia/Lord_Howe", (2026, 4, 5), 98),
        ("Australia/Lord_Howe", (2026, 10, 4), 94),
        ("Asia/Kolkata", (2026, 6, 1), 96),
    ],
)
async def test_a_day_is_as_long_as_it_is(
    store: Store, zone: str, day: tuple[int, ...], quarters: int
) -> None:
    where = ZoneInfo(zone)
    start = local(where, *day)
    await filled(store, start - 86_400, start + 2 * 86_400)
    statement = Statement(store.accounts, where, HeldClock(start + 3 * 86_400))
    (found,) = await statement.money(start + 3600, start + 7200, Step.DAY)
    assert found.end - found.start == quarters * 900
    assert found.import_wh == pytest.approx(quarters * 100.0)
    assert found.total == pytest.approx(quarters * 0.031)
    assert found.saved_no_control == pytest.approx(quarters * 0.010)
    assert found.saved_greedy is None
    assert found.self_consumption == pytest.approx(0.75)
    assert found.autarky == pytest.approx(30 / 130)
    assert found.measured == pytest.approx(1.0)


async def test_months_and_days_add_up_to_the_same(store: Store) -> None:
    start, end = local(BERLIN, 2026, 2, 20), local(BERLIN, 2026, 4, 10)
    await filled(store, start, end)
    statement = Statement(store.accounts, BERLIN, HeldClock(end))
    months = await statement.money(start, end, Step.MONTH)
    assert [m.start for m in months] == [local(BERLIN, 2026, month, 1) for month in (2, 3, 4)]
    for step in (Step.DAY, Step.INTERVAL):
        some = await statement.money(start, local(BERLIN, 2026, 3, 1), step)
        assert sum(each.total for each in some) == pytest.approx(months[0].total)
    assert months[1].import_wh == pytest.approx((31 * 96 - 4) * 100.0)
    assert months[0].measured == pytest.approx(9 / 28)


async def test_currencies_are_not_added_up(store: Store) -> None:
    start = local(BERLIN, 2026, 6, 1)
    await filled(store, start, start + 3600, "DEM")
    await filled(store, start + 3600, start + 9000, "EUR")
    statement = Statement(store.accounts, BERLIN, HeldClock(start + 9000))
    found = await statement.money_days(1)
    assert [(each.currency, each.import_wh) for each in found] == [("DEM", 400.0), ("EUR", 600.0)]


async def test_the_last_days_by_the_clock_of_the_home(store: Store) -> None:
    now = local(BERLIN, 2026, 3, 30, 12)
    await filled(store, now - 5 * 86_400, now)
    statement = Statement(store.accounts, BERLIN, HeldClock(now))
    found = await statement.money_days(3)
    assert [each.start for each in found] == [local(BERLIN, 2026, 3, day) for day in (28, 29, 30)]
    assert found[-1].measured == pytest.approx(1.0), "of the half of the day that is gone"


async def test_what_only_some_rows_can_tell(store: Store) -> None:
    start = local(BERLIN, 2026, 6, 1)
    rows = [
        row(start, cost_greedy=0.051, measured=0.5),
        row(start + 900, carbon_kg=None, cost_no_control=None),
    ]
    await store.accounts.put(rows, "{}", {}, settled=0, end=0)
    statement = Statement(store.accounts, BERLIN, HeldClock(start + 1800))
    (found,) = await statement.money_days(1)
    assert found.saved_greedy == pytest.approx(0.02)
    assert found.saved_no_control == pytest.approx(0.01)
    assert found.carbon_kg == pytest.approx(0.04)
    assert found.measured == pytest.approx(0.75)


async def test_too_many_periods_are_refused(store: Store) -> None:
    statement = Statement(store.accounts, BERLIN, HeldClock())
    with pytest.raises(TooManyPeriodsError):
        await statement.money(0.0, 900.0 * (MOST_PERIODS + 1), Step.INTERVAL)
    with pytest.raises(TooManyPeriodsError):
        await statement.money(0.0, 32_503_680_000.0, Step.MONTH)
