"""The book of prices over a real server and a real store: read, kept, stale, called."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hems.cem.slots import Slots
from hems.cem.tariff.rates import Contract, Rate
from hems.cem.tariff.schedule import Schedule
from hems.sep2.rules.events import Event, Held, Program
from hems.sep2.rules.tariff import Block, Component, Priced, Tariff
from hems.sep2.rules.tariff import Flow as Way
from hems.store.store import Store, open_store
from hems.tariff.book import PriceBook
from hems.tariff.settings import BookSettings
from hems.tariff.source import MOST_BYTES, Source
from hems.tariff.utility import Told
from tests.hems.tariff.serving import HeldClock, Seller, selling
from tests.waiting import until

HOUR = 3600.0
CONTRACT = Contract(
    ZoneInfo("Asia/Kolkata"),
    Rate(Schedule(0.30), follows_market=True, surcharge_per_kwh=0.10, tax=0.5),
    Rate(Schedule(0.05), follows_market=True),
    "EUR",
)


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
async def store(tmp_path: Path, clock: HeldClock) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path / "hems.db", clock)
    yield opened
    await opened.close()


@pytest.fixture
async def seller() -> AsyncIterator[Seller]:
    async with selling() as serving:
        yield serving


class Bench:
    """A book, and what it told."""

    def __init__(
        self, store: Store, clock: HeldClock, settings: BookSettings, told: list[Told] | None = None
    ) -> None:
        self.changes = 0
        self.alarms: dict[str, str | None] = {}
        self.clock = clock
        self.book = PriceBook(
            CONTRACT,
            settings,
            store.settings,
            clock,
            utility=lambda: told or [],
            changed=self._changed,
            alarm=self.alarms.__setitem__,
        )

    def _changed(self) -> None:
        self.changes += 1

    def bought(self, count: int = 3) -> tuple[float, ...]:
        return self.book.prices(Slots(self.clock.at, HOUR, count)).import_per_kwh

    async def version(self) -> int:
        return self.book.version

    async def read(self) -> bool:
        source = self.book._market
        assert isinstance(source, Source)
        return await source.read()


@pytest.mark.requirement("BUC-6")
async def test_prices_are_read_and_hold_as_far_as_they_are_known(
    store: Store, clock: HeldClock, seller: Seller
) -> None:
    seller.sells(clock.at, 0.10, -0.30)
    bench = Bench(store, clock, BookSettings(prices=seller.url))
    assert bench.bought() == (0.30,) * 3
    running = asyncio.create_task(bench.book.run())
    await until(bench.version, lambda version: version == 1, 10.0, "prices are read")
    running.cancel()
    assert bench.bought() == pytest.approx((0.30, -0.30, 0.30))
    slots = Slots(clock.at, HOUR, 3)
    assert bench.book.prices(slots).export_per_kwh == pytest.approx((0.10, -0.30, 0.05))
    clock.at += 2 * HOUR
    assert bench.bought() == (0.30,) * 3, "it has ended, and nothing of it is guessed at"
    clock.at -= 2 * HOUR
    assert bench.changes == 1
    assert bench.alarms == {"prices": None}
    shown = bench.book.view()
    assert shown.per_kwh == pytest.approx(0.30)
    assert shown.tariff == "market"
    assert shown.until == clock.at + HOUR
    assert bench.book.notes == ["the market's prices are known until 2027-01-15 10:00:00Z"]


@pytest.mark.requirement("BUC-6")
async def test_plans_beyond_what_is_known_expect_the_last_day_again(
    store: Store, clock: HeldClock, seller: Seller
) -> None:
    seller.sells(clock.at - 20 * HOUR, *(hour / 100 for hour in range(26)))
    bench = Bench(store, clock, BookSettings(prices=seller.url))
    assert await bench.read()
    expected = [*range(20, 26), *(range(2, 26)), *range(2, 26), 2, 3]
    found = bench.bought(len(expected))
    assert found == pytest.approx([(hour / 100 + 0.10) * 1.5 for hour in expected])
    assert bench.book.view().until == clock.at + HOUR


async def test_hours_that_are_told_no_more_are_remembered(
    store: Store, clock: HeldClock, seller: Seller
) -> None:
    start = clock.at
    seller.sells(start, 0.1, 0.2, 0.3)
    bench = Bench(store, clock, BookSettings(prices=seller.url))
    assert await bench.read()
    clock.at += 1.5 * HOUR
    seller.sells(start + 2 * HOUR, 0.3)
    assert await bench.read()
    assert bench.changes == 1, "of the time to come it says the same"
    assert bench.bought(1) == pytest.approx(((0.45 + 0.60) / 2,))
    clock.at += 30 * HOUR
    seller.sells(clock.at, 0.5)
    assert await bench.read()
    source = bench.book._market
    assert source is not None
    assert source.document.price is not None
    assert [span.value for span in source.document.price.spans] == [0.5]


async def test_what_cannot_be_read_leaves_what_was_known(
    store: Store, clock: HeldClock, seller: Seller
) -> None:
    seller.sells(clock.at, 0.0)
    bench = Bench(store, clock, BookSettings(prices=seller.url))
    assert await bench.read()
    seller.status = 503
    assert not await bench.read()
    alarm = bench.alarms["prices"]
    assert alarm is not None
    assert "503" in alarm
    assert "secret" not in alarm, "the query may hold a token"
    assert bench.bought(1) == pytest.approx((0.15,))
    assert bench.changes == 1
    seller.status = 200
    assert await bench.read()
    assert bench.alarms["prices"] is None
    assert bench.changes == 1, "it told the same again"


@pytest.mark.requirement("LC-TEST")
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"x" * (MOST_BYTES + 1), "larger than"),
        (b"\xff\xfe", "UTF-8"),
        (b'[{"start": 0, "price": 1}]', "entry 1"),
    ],
)
async def test_nonsense_is_refused_in_words(
    store: Store, clock: HeldClock, seller: Seller, body: bytes, reason: str
) -> None:
    seller.body = body
    bench = Bench(store, clock, BookSettings(prices=seller.url))
    assert not await bench.read()
    assert reason in str(bench.alarms["prices"])


async def test_nobody_answers(store: Store, clock: HeldClock) -> None:
    bench = Bench(store, clock, BookSettings(prices="http://127.0.0.1:1/prices"))
    assert not await bench.read()
    assert "127.0.0.1/prices cannot be read" in str(bench.alarms["prices"])


async def test_prices_outlive_a_restart_but_not_their_age(
    store: Store, clock: HeldClock, seller: Seller
) -> None:
    seller.sells(clock.at, *[0.0] * 72)
    settings = BookSettings(prices=seller.url, stale_s=36 * HOUR)
    assert await Bench(store, clock, settings).read()
    seller.status = 404
    clock.at += 2 * HOUR
    again = Bench(store, clock, settings)
    running = asyncio.create_task(again.book.run())
    await until(seller.times, lambda asked: asked == 2, 10.0, "it is asked again")
    running.cancel()
    assert again.bought(1) == pytest.approx((0.15,))
    clock.at += 35 * HOUR
    assert again.bought(1) == (0.30,)
    elsewhere = Bench(store, clock, BookSettings(prices="http://127.0.0.1:1/other"))
    source = elsewhere.book._market
    assert source is not None
    await source.resume()
    assert source.told_at == 0.0, "kept of another place"


async def test_a_file_is_read_as_an_address_is(
    store: Store, clock: HeldClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "prices.csv"
    bench = Bench(store, clock, BookSettings(prices=path))
    assert not await bench.read()
    assert bench.alarms["prices"] == (
        f"The prices of {path} cannot be read: there is no such file."
    )
    said = len(caplog.records)
    assert said == 1
    assert not await bench.read()
    assert len(caplog.records) == said, "the same trouble is told once"
    path.write_text(f"start,price_per_mwh\n{clock.at},100\n", encoding="utf-8")
    assert await bench.read()
    assert bench.bought(2) == pytest.approx((0.30, 0.30))
    path.write_text(f"start,price_per_mwh\n{clock.at},200\n", encoding="utf-8")
    assert await bench.read()
    assert bench.bought(2) == pytest.approx((0.45, 0.30))


def interval(start: float, per_kwh: float) -> Priced:
    event = Event(
        f"{start:032.0f}",
        Program("C"),
        1,
        int(start),
        3600,
        {"TimeTariffInterval C": 1.0},
        kind="TimeTariffInterval",
    )
    return Priced(Held(event), (Block(0.0, per_kwh),))


def tariff(*intervals: Priced) -> Tariff:
    component = Component("C", "Energy", frozenset({Way.IMPORT}), intervals=intervals)
    return Tariff("T", "Evening", 1, 978, components=(component,))


@pytest.mark.requirement("PRO-2030.5", "BUC-6")
async def test_the_utility_s_price_comes_first_where_the_configuration_says_so(
    store: Store, clock: HeldClock
) -> None:
    start = clock.at + 50.0  # by the utility's clock, which is 50 s ahead
    told = [
        Told((), 0.0),
        Told((tariff(interval(start, 0.50), interval(start + 2 * HOUR, 0.70)),), offset_s=50.0),
    ]
    bench = Bench(store, clock, BookSettings(utility=True), told)
    bench.book.look()
    assert bench.bought(4) == (0.50, 0.30, 0.70, 0.30)
    assert (bench.changes, bench.book.view().tariff) == (1, "utility")
    bench.book.look()
    assert bench.changes == 1
    told[1] = Told((tariff(interval(start, 0.60)),), offset_s=50.0)
    bench.book.look()
    assert (bench.bought(1), bench.changes) == ((0.60,), 2)
    told.clear()
    bench.book.look()
    assert bench.bought(1) == (0.30,)
    assert bench.book.notes == ["the utility's prices are not known: what was agreed holds"]


@pytest.mark.requirement("PRO-2030.5", "BUC-6")
async def test_the_utility_s_price_holds_for_the_quarter_hour_that_runs(
    store: Store, clock: HeldClock
) -> None:
    """A plan begins before now and accounts come after it: neither may see what was agreed."""
    start = clock.at
    told = [Told((tariff(interval(start, 0.50), interval(start + HOUR, 0.70)),))]
    clock.at = start + 400.0
    bench = Bench(store, clock, BookSettings(utility=True), told)
    bench.book.look()
    running = Slots(start, 900.0, 1)
    assert bench.book.prices(running).import_per_kwh == (0.50,)
    clock.at = start + HOUR + 30.0
    told[0] = Told((tariff(interval(start + HOUR, 0.70)),))  # what is over is told no more
    bench.book.look()
    minutes = Slots(start + HOUR - 60.0, 60.0, 2)
    assert bench.book.prices(minutes).import_per_kwh == (0.50, 0.70)
    told.clear()
    bench.book.look()
    assert bench.book.prices(minutes).import_per_kwh == pytest.approx((0.50, (0.70 + 0.30) / 2)), (
        "what was withdrawn was paid until then"
    )
    assert bench.book.view().tariff == "agreed"


@pytest.mark.requirement("PRO-2030.5", "BUC-6")
@pytest.mark.parametrize("per_kwh", [1e30, -1e30, float("nan"), float("inf")])
async def test_a_price_of_the_utility_that_cannot_be_is_none(
    store: Store, clock: HeldClock, per_kwh: float
) -> None:
    told = [Told((tariff(interval(clock.at, per_kwh), interval(clock.at + HOUR, 0.70)),))]
    bench = Bench(store, clock, BookSettings(utility=True), told)
    bench.book.look()
    assert bench.bought(2) == (0.30, 0.70)


@pytest.mark.requirement("BUC-6")
async def test_price_events_hold_for_their_time_over_a_restart(
    store: Store, clock: HeldClock, seller: Seller
) -> None:
    start, end = clock.at + HOUR, clock.at + 2 * HOUR
    seller.body = f"start,end,price_per_kwh,event\n{start},{end},1.0,Critical peak\n".encode()
    settings = BookSettings(prices=seller.url)
    bench = Bench(store, clock, settings)
    assert await bench.read()
    assert bench.bought() == (0.30, 1.0, 0.30)
    assert (bench.book.view().until, bench.book.view().next_per_kwh) == (start, 1.0)
    again = Bench(store, clock, settings)
    source = again.book._market
    assert source is not None
    await source.resume()
    assert again.bought() == (0.30, 1.0, 0.30)
    clock.at = start
    assert again.book.view().tariff == "Critical peak"
    assert again.book.notes == ["the market's prices are not known: what was agreed holds"]
    seller.sells(clock.at, 0.0)
    assert await again.read()
    assert again.bought(1) == pytest.approx((0.15,))
    assert again.book.version == 2
