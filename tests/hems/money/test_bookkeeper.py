"""The accounts on a real store: over restarts, full disks and clocks that are set."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from der.model import Reading
from hems.cem.needs import StorageFacts
from hems.cem.tariff.rates import Contract, Quotes, Rate, over
from hems.cem.tariff.schedule import Schedule, Window
from hems.image import Image
from hems.money.bookkeeper import Bookkeeper
from hems.money.plant import Facts
from hems.money.statement import Statement
from hems.money.surface import MoneyView, Step
from hems.store.accounts import Accounts
from hems.store.errors import StoreError, StoreFullError
from hems.store.store import Store, open_store
from tests.hems.money.homes import BERLIN, CONTRACT, HeldClock, T, flat, image


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path / "hems.db", HeldClock())
    yield opened
    await opened.close()


class Office:
    """A bookkeeper, and what it told."""

    def __init__(self, store: Store, facts: Facts = Facts()) -> None:  # noqa: B008 - frozen
        self.store = store
        self.alarms: list[str | None] = []
        self.keeper = Bookkeeper(store.accounts, CONTRACT, flat, facts, self.alarms.append)

    def live(self, images: Iterator[Image]) -> None:
        for each in images:
            self.keeper.take_image(each)

    async def rows(self, start: float = T, end: float = T + 86_400) -> list[MoneyView]:
        statement = Statement(self.store.accounts, BERLIN, HeldClock(end))
        return list(await statement.money(start, end, Step.INTERVAL))


def house(first: int, last: int, every: int = 5, net_w: float = 1200.0) -> Iterator[Image]:
    """Images of a house with a battery at rest, from second to second after `T`."""
    for second in range(first, last, every):
        at = float(T + second)
        yield image(
            at,
            {"meter": net_w, "pv": -100.0},
            battery=Reading(at, 0.0, soc=0.5, capacity_wh=10_000.0),
        )


@pytest.mark.requirement("ROLE-CEM")
async def test_each_quarter_hour_has_its_row(store: Store) -> None:
    office = Office(store)
    office.live(house(0, 2701))
    await office.keeper.flush()
    whole, again, last, *_ = rows = await office.rows()
    assert [row.start for row in rows] == [T, T + 900, T + 1800]
    for row in (whole, again, last):
        assert row.import_wh == pytest.approx(300.0)
        assert row.cost == pytest.approx(0.09)
        assert row.carbon_kg == pytest.approx(0.12)
        assert row.saved_no_control == pytest.approx(0.0)
        assert row.saved_greedy == pytest.approx(-0.09), "the greedy one had discharged"
        assert row.self_consumption == 1.0
        assert row.autarky == pytest.approx(100 / 1300)
        assert row.measured == pytest.approx(1.0)
    assert office.alarms == [None]
    assert office.keeper.peak_so_far_w(float(T)) == pytest.approx(1200.0)
    assert office.keeper.peak_so_far_w(float(T) + 40 * 86_400) == 0.0


@pytest.mark.requirement("ROLE-CEM")
@pytest.mark.parametrize("restart", [400, 430, 900, 1000])
async def test_a_restart_in_the_middle_loses_nothing(store: Store, restart: int) -> None:
    before = Office(store)
    before.live(house(0, restart + 5))
    await before.keeper.flush()
    after = Office(store)
    after.live(house(restart, 1805))
    await after.keeper.flush()
    rows = await after.rows()
    assert [row.start for row in rows] == [T, T + 900]
    assert sum(row.import_wh for row in rows) == pytest.approx(600.0)
    assert [row.measured for row in rows] == pytest.approx([1.0, 1.0])
    assert [row.saved_greedy for row in rows] == pytest.approx([-0.09, -0.09])


async def test_what_was_missed_in_a_restart_is_a_gap(store: Store) -> None:
    before = Office(store)
    before.live(house(0, 305))
    await before.keeper.flush()
    after = Office(store)
    after.live(house(600, 905))
    await after.keeper.flush()
    (row,) = await after.rows()
    assert row.measured == pytest.approx(2 / 3)
    assert row.import_wh == pytest.approx(200.0)


def charging(first: int, last: int, power_w: float, *, there: bool = True) -> Iterator[Image]:
    for second in range(first, last, 10):
        at = float(T + second)
        yield image(
            at,
            {"meter": 500.0 + power_w},
            car=Reading(at, power_w, connected=there, wants_power=there),
        )


async def test_a_car_s_rows_are_told_anew_when_it_has_charged(store: Store) -> None:
    office = Office(store)
    office.live(charging(0, 1800, 0.0))
    await office.keeper.flush()
    assert [row.saved_no_control for row in await office.rows()] == [0.0, 0.0]
    again = Office(store)  # the home restarts while the car is there
    again.live(charging(1800, 3600, 3000.0))
    again.live(charging(3600, 4600, 0.0, there=False))
    await again.keeper.flush()
    saved = [row.saved_no_control for row in await again.rows()]
    assert saved[0] == pytest.approx(1.5 * 0.30)
    assert saved[1:4] == pytest.approx([0.0, -0.75 * 0.30, -0.75 * 0.30])
    kept = await store.accounts.unsettled()
    assert min(kept.minutes) >= T + 3600, "settled, and forgotten"


@pytest.mark.parametrize("by_s", [-3600, 3600])
async def test_a_clock_that_is_set_counts_nothing_twice(store: Store, by_s: int) -> None:
    office = Office(store)
    office.live(house(0, 1800))
    await office.keeper.flush()
    office.live(house(1800 + by_s, 3600 + by_s, net_w=600.0))
    await office.keeper.flush()
    rows = await office.rows(T - 7200, T + 86_400)
    starts = [row.start for row in rows]
    assert starts == sorted(set(starts))
    for row in rows:
        assert row.measured <= 1.0
        assert row.import_wh <= 300.0 + 1e-6
    assert sum(row.import_wh for row in rows) == pytest.approx(900.0, abs=10.0)
    assert office.alarms[-1] is None


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_clock_back_within_the_accounted_time_overwrites_it(
    store: Store, *, restarts: bool
) -> None:
    office = Office(store)
    office.live(house(0, 3605))
    await office.keeper.flush()
    office.live(house(1800, 2105, net_w=600.0))
    await office.keeper.flush()
    office.live(house(2105, 2305, net_w=600.0))
    await office.keeper.flush()
    after = Office(store) if restarts else office
    after.live(house(2300, 2705, net_w=600.0))
    await after.keeper.flush()
    imports = [row.import_wh for row in await after.rows()]
    assert imports[:4] == pytest.approx([300.0, 300.0, 150.0, 300.0])


async def test_registers_tell_nothing_over_a_clock_that_was_set_back(store: Store) -> None:
    """What flowed in the hour that is lived twice is not a peak of one quarter-hour."""
    office = Office(store)
    passed = 0

    def living(first: int, last: int) -> Iterator[Image]:
        nonlocal passed
        for each in house(first, last):
            passed += 5
            counted = Reading(each.at, 1200.0, energy_import_wh=passed / 3.0, energy_export_wh=0.0)
            yield image(each.at, {}, meter=counted)

    office.live(living(0, 305))
    passed += 3300
    office.live(living(3600, 3665))
    office.live(living(600, 905))
    await office.keeper.flush()
    (row,) = await office.rows(T, T + 900)
    assert row.import_wh == pytest.approx(1200.0 * 600 / 3600, rel=0.02)
    assert row.measured == pytest.approx(600 / 900, rel=0.02)
    assert office.keeper.peak_so_far_w(float(T)) <= 1200.0 + 1e-6


async def test_a_minute_that_is_lived_twice_counts_once(store: Store) -> None:
    office = Office(store)
    office.live(house(0, 1800))
    await office.keeper.flush()
    office.live(house(1500, 1805, net_w=600.0))
    await office.keeper.flush()
    imports = [row.import_wh for row in await office.rows()]
    assert imports[:2] == pytest.approx([300.0, 250.0])


class FullDisk(Accounts):
    """A store whose disk is full for a time."""

    full = True

    async def put(self, *args: object, **more: object) -> None:
        if self.full:
            raise StoreFullError("/somewhere: the disk is full; nothing was written")
        await super().put(*args, **more)  # type: ignore[arg-type]


async def test_a_full_disk_costs_nothing_once_there_is_room(store: Store) -> None:
    alarms: list[str | None] = []
    disk = FullDisk(store._database)
    keeper = Bookkeeper(disk, CONTRACT, flat, Facts(), alarms.append)
    for each in house(0, 1000):
        keeper.take_image(each)
    await keeper.flush()
    assert "the disk is full" in str(alarms[-1])
    disk.full = False
    for each in house(1000, 1805):
        keeper.take_image(each)
    await keeper.flush()
    assert alarms[-1] is None
    rows = await Office(store).rows()
    assert [row.import_wh for row in rows] == pytest.approx([300.0, 300.0])


async def test_accounts_that_cannot_be_read_begin_anew(store: Store) -> None:
    await store.accounts.put([], "{}}", {T: "nonsense"}, settled=T, end=T + 60)
    office = Office(store)
    office.live(house(0, 905))
    await office.keeper.flush()
    (row,) = await office.rows()
    assert row.import_wh == pytest.approx(300.0)


async def test_what_is_left_is_written_at_the_end(store: Store) -> None:
    office = Office(store)
    running = asyncio.create_task(office.keeper.run())
    office.live(house(0, 305))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    (row,) = await office.rows()
    assert row.import_wh == pytest.approx(100.0)


async def test_a_battery_that_does_not_tell_is_as_commissioned(store: Store) -> None:
    def silent(first: int, last: int) -> Iterator[Image]:
        for second in range(first, last, 10):
            at = float(T + second)
            yield image(at, {"meter": 1200.0}, battery=Reading(at, 0.0, soc=0.5))

    unknown = Office(store)
    unknown.live(silent(0, 900))
    await unknown.keeper.flush()
    (row,) = await unknown.rows()
    assert row.saved_greedy is None
    known = Office(store, Facts(storage={"battery": StorageFacts(5000.0, 0.9, 0.9)}))
    known.live(silent(900, 1805))
    await known.keeper.flush()
    saved = [row.saved_greedy for row in await known.rows()]
    assert saved[1] == pytest.approx(-0.09)


async def test_old_rows_are_pruned(store: Store) -> None:
    office = Office(store)
    office.live(house(0, 2705))
    await office.keeper.flush()
    await store.accounts.prune(T + 900.0)
    assert [row.start for row in await office.rows()] == [T + 900, T + 1800]


async def test_no_store_no_statement(store: Store) -> None:
    class Broken(Accounts):
        async def unsettled(self) -> None:  # type: ignore[override]
            raise StoreError("/somewhere: broken")

    alarms: list[str | None] = []
    keeper = Bookkeeper(Broken(store._database), CONTRACT, flat, Facts(), alarms.append)
    await keeper.flush()
    assert alarms == ["The accounts are not being written: /somewhere: broken"]


def lived(start: float, end: float) -> Iterator[Image]:
    """Images each half minute: a kilowatt from the grid, and half of one given now and then."""
    at = start
    while at <= end:
        yield image(at, {"meter": 1000.0 if at % 3600 < 2700 else -500.0})
        at += 30.0


@pytest.mark.requirement("ROLE-CEM")
@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Berlin", (2026, 3, 29)),
        ("Europe/Berlin", (2026, 10, 25)),
        ("Australia/Lord_Howe", (2026, 4, 5)),
        ("Australia/Lord_Howe", (2026, 10, 4)),
        ("Asia/Kolkata", (2026, 10, 4)),
    ],
)
async def test_a_day_costs_what_its_minutes_cost(
    store: Store, zone: str, day: tuple[int, int, int]
) -> None:
    where = ZoneInfo(zone)
    start = datetime(*day, tzinfo=where).timestamp()
    end = datetime(*day[:2], day[2] + 1, tzinfo=where).timestamp()
    windows = (Window(0.1, begins=22 * 60, ends=2 * 60 + 10), Window(0.5, begins=170, ends=200))
    contract = Contract(
        where,
        Rate(Schedule(0.3, windows)),
        Rate(Schedule(0.08, (Window(-0.02, begins=12 * 60, ends=14 * 60),))),
        "EUR",
        standing_per_day=0.25,
    )
    office = Bookkeeper(
        store.accounts,
        contract,
        lambda slots: over(contract, Quotes(), slots),
        Facts(),
        lambda _: None,
    )
    for each in lived(start, end):
        office.take_image(each)
    await office.flush()
    cost = revenue = energy_wh = 0.0
    for moment in range(round(start), round(end), 60):
        local = datetime.fromtimestamp(moment, where)
        clock = local.hour * 60 + local.minute
        energy_wh += (1000 if moment % 3600 < 2700 else -500) / 60
        if moment % 3600 < 2700:
            early = clock < 130 or clock >= 1320
            cost += 1 / 60 * (0.1 if early else 0.5 if 170 <= clock < 200 else 0.3)
        else:
            revenue += 0.5 / 60 * (-0.02 if 720 <= clock < 840 else 0.08)
    (found,) = await Statement(store.accounts, where, HeldClock(end)).money(start, end, Step.DAY)
    assert found.measured == pytest.approx(1.0)
    assert found.cost == pytest.approx(cost)
    assert found.revenue == pytest.approx(revenue)
    assert found.charges == pytest.approx(0.25)
    assert found.import_wh - found.export_wh == pytest.approx(energy_wh)
