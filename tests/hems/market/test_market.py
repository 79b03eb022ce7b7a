"""The market followed: prices, a threshold, the owner's word, what was delivered and earned."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from der.model import DeviceState, Quality, Reading
from hems.cem.slots import Slots
from hems.cem.tariff.series import Series, Span
from hems.image import Image
from hems.market.market import Market, MarketEvents, Terms
from hems.market.thresholds import Kept, parse
from hems.store.errors import StoreError
from hems.store.store import Store, open_store
from programs.customer_baseline import HIGH_4_OF_5, Baseline, baseline
from programs.economic import Hysteresis
from programs.economy import EconomyPolicy, Step, Use
from programs.performance import Performance
from programs.registry import Policies
from tests.hems.cem.plant import ALL
from tests.hems.market.test_counter import Hands

ZONE = ZoneInfo("UTC")
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC).timestamp()
DAY = 86_400.0
MONTHS = Kept().joined(
    parse("month,price_per_mwh,published,operator\n2026-11,41.3,2026-10-15,Example ISO\n"),
    NOON - DAY,
    "nb.csv",
)
RULE = Hysteresis(band=0.02, least_s=900, pause_s=900)


@dataclass
class Told:
    """Wholesale prices as a test sets them."""

    price: Series | None = None
    told_at: float = NOON

    def set(self, *prices: float | None) -> None:
        """Set a price for each half hour from noon on."""
        spans = [
            Span(NOON + 1800 * n, NOON + 1800 * (n + 1), price)
            for n, price in enumerate(prices)
            if price is not None
        ]
        self.price = Series.of(spans, NOON)


@dataclass
class Bench:
    """A market with its surroundings written down.

    The home takes 2 kW at any time of the past three weeks, and `taken_w` today from noon on.
    """

    store: Store
    clock: Hands = field(default_factory=lambda: Hands(NOON))
    told: Told = field(default_factory=Told)
    months: Kept = MONTHS
    taken_w: float = 500.0
    joined: bool = True
    past: bool = True
    islanded: bool = False
    records: list[Performance] = field(default_factory=list)
    alarms: list[str | None] = field(default_factory=list)
    reactions: int = 0

    def __post_init__(self) -> None:
        self.market = self.made()

    def made(self) -> Market:
        """Return another market, as after a restart."""
        return Market(
            self.told,
            lambda: self.months,
            Terms(ZONE, "EUR", hysteresis=RULE),
            clock=self.clock,
            kept=self.store.settings,
            tell=MarketEvents(
                self.baseline,
                self.minutes,
                self.records.append,
                self.alarms.append,
                self.react,
                lambda _: self.joined,
                lambda: self.islanded,
            ),
        )

    def react(self) -> None:
        self.reactions += 1

    async def baseline(self, start: float, end: float) -> Baseline | None:
        days = [start - DAY * n for n in (1, 2, 5, 6, 7)] if self.past else []
        known = range(int((NOON - 8 * DAY) // 900), int(NOON // 900))
        return baseline(start, end, days, {n * 900: 2_000.0 for n in known}, HIGH_4_OF_5)

    async def minutes(self, start: float, end: float) -> Sequence[tuple[float, float]]:
        points = range(int(start // 60), int(-(-end // 60)))
        return [(n * 60, self.taken_w) for n in points]

    def pass_to(self, at_s: float) -> None:
        """Let time pass until so many seconds after noon."""
        while self.clock.at < NOON + at_s:
            self.clock.at = min(self.clock.at + 10.0, NOON + at_s)
            self.told.told_at = self.clock.at
            self.market.look()


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    return Bench(await open_store(tmp_path / "hems.db", Hands(NOON)))


def devices() -> dict[str, DeviceState]:
    return {s.id: DeviceState(s, Reading(NOON, 1_000.0), Quality.GOOD) for s in ALL}


@pytest.mark.requirement("BUC-6")
async def test_dear_hours_are_followed_recorded_and_paid_by_what_was_delivered(
    bench: Bench,
) -> None:
    bench.told.set(0.030, 0.200, 0.100, 0.030)
    bench.pass_to(1_790)
    assert not bench.market.standings[0].active
    bench.pass_to(1_800)
    (standing,) = bench.market.standings
    assert standing.active
    assert "0.2 EUR/kWh, above the net-benefits price 0.0413 EUR/kWh of 2026-11" in standing.words
    assert bench.reactions == 1
    bench.market.take_image(Image(NOON, 1, devices()))
    step = Step(NOON, NOON + DAY, 0.0, Use.KEEP)
    planned = Policies(economy=EconomyPolicy({"battery": (step,), "pv": (step,)}))
    applied = bench.market.applied(planned)
    assert applied.economic.since == NOON + 1_800
    assert set(applied.economy.steps) == {"pv"}  # the plan has no word about what waits

    bench.pass_to(5_400)
    assert not bench.market.standings[0].active
    assert bench.market.applied(planned) is planned
    await bench.market._settle()
    assert not bench.records  # the last minute is not written down yet
    bench.pass_to(5_600)
    await bench.market._settle()
    (record,) = bench.records
    assert (record.starts_at, record.ends_at) == (NOON + 1_800, NOON + 5_400)
    assert record.baseline_w == pytest.approx(2_000)
    assert "highest four of the last five like days, adjusted by the same day" in record.baseline_by
    assert record.delivered_wh == pytest.approx(1_500)
    assert record.measured_share == 1.0
    assert "0.0413 EUR/kWh of Example ISO for 2026-11, published 2026-10-15" in record.note
    assert "earns 0.23 EUR" in record.note  # 0.75 kWh at 0.20 and 0.75 kWh at 0.10
    await bench.store.close()


@pytest.mark.requirement("BUC-6")
@pytest.mark.parametrize("joined", [True, False])
async def test_who_takes_no_part_is_not_asked_and_leaving_ends_it(
    bench: Bench, joined: bool
) -> None:
    bench.told.set(0.200)
    bench.joined = joined
    bench.pass_to(60)
    assert bench.market.standings[0].active is joined
    bench.joined = False
    bench.pass_to(300)
    assert not bench.market.standings[0].active
    bench.pass_to(1_000)
    await bench.market._settle()
    assert [r.opted_out for r in bench.records] == [True] * joined
    await bench.store.close()


@pytest.mark.requirement("BUC-6")
async def test_prices_and_thresholds_that_are_missing_or_old_are_said_and_not_acted_on(
    bench: Bench,
) -> None:
    bench.told.set(0.200, None, 0.200)
    bench.pass_to(600)
    assert bench.market.standings[0].active
    bench.pass_to(1_810)
    assert not bench.market.standings[0].active
    assert bench.alarms[-1] == "The market is not followed: the wholesale price is not known."
    bench.pass_to(3_700)
    assert bench.alarms[-1] is None
    assert bench.market.standings[0].active
    bench.months = Kept()
    bench.pass_to(3_720)
    assert not bench.market.standings[0].active
    assert "no net-benefits price of this month is known" in (bench.alarms[-1] or "")
    bench.months = MONTHS
    bench.clock.at += 8_000  # nobody read the prices since
    bench.market.look()
    assert not bench.market.standings[0].active
    await bench.store.close()


@pytest.mark.requirement("BUC-6")
async def test_an_event_goes_on_over_a_restart_and_is_settled_once(bench: Bench) -> None:
    bench.told.set(0.200, 0.030)
    bench.pass_to(300)
    await bench.market._save()
    bench.market = bench.made()
    await bench.market.load()
    bench.pass_to(2_100)
    await bench.market._settle()
    await bench.market._settle()
    (record,) = bench.records
    assert (record.starts_at, record.ends_at) == (NOON + 10, NOON + 1_800)
    await bench.store.close()


@pytest.mark.requirement("BUC-6")
async def test_an_event_ends_where_a_hub_that_was_long_away_stopped(bench: Bench) -> None:
    bench.told.set(0.200, 0.200)
    bench.pass_to(300)
    await bench.market._save()
    bench.clock.at = NOON + 3_000
    bench.market = bench.made()
    await bench.market.load()
    bench.market.look()
    assert bench.market.applied(Policies()).economic.since == NOON + 3_000  # another one
    await bench.market._settle()
    (record,) = bench.records
    assert (record.starts_at, record.ends_at) == (NOON + 10, NOON + 300)
    await bench.store.close()


@pytest.mark.requirement("BUC-6")
async def test_what_cannot_be_settled_is_not_tried_each_second(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.told.set(0.200, 0.030)
    bench.pass_to(2_100)
    minutes = bench.minutes

    async def refused(_start: float, _end: float) -> Sequence[tuple[float, float]]:
        raise StoreError("the disk is full")

    monkeypatch.setattr(bench.market, "_tell", replace(bench.market._tell, minutes=refused))
    for _ in range(50):
        await bench.market._settle()
        bench.clock.at += 1.0
    assert caplog.text.count("cannot be settled yet") == 1
    assert not bench.records
    monkeypatch.setattr(bench.market, "_tell", replace(bench.market._tell, minutes=minutes))
    bench.clock.at += 60.0
    await bench.market._settle()
    assert len(bench.records) == 1
    await bench.store.close()


@pytest.mark.requirement("BUC-6")
async def test_a_month_begins_at_the_operators_midnight(bench: Bench) -> None:
    bench.clock.at = datetime(2026, 12, 1, 3, tzinfo=UTC).timestamp()  # the 30th in New York
    assert bench.market._threshold() is None
    terms = replace(bench.market._terms, months_zone=ZoneInfo("America/New_York"))
    bench.market._terms = terms
    found = bench.market._threshold()
    assert found is not None
    assert found.month == "2026-11"
    await bench.store.close()


@pytest.mark.requirement("BUC-6")
async def test_without_a_past_nothing_can_be_claimed(bench: Bench) -> None:
    bench.past = False
    bench.told.set(0.200, 0.030)
    bench.pass_to(2_000)
    await bench.market._settle()
    (record,) = bench.records
    assert record.delivered_wh is None
    assert "too short for a baseline" in record.note
    await bench.store.close()


@pytest.mark.requirement("BUC-6", "BUC-14")
async def test_what_a_home_without_its_grid_takes_less_is_paid_by_nobody(bench: Bench) -> None:
    bench.told.set(0.200, 0.200)
    bench.pass_to(600)
    bench.islanded = True
    bench.pass_to(1_200)
    assert not bench.market.standings[0].active
    bench.islanded = False
    bench.pass_to(1_800)
    await bench.market._settle()
    (record,) = bench.records
    assert (record.starts_at, record.ends_at) == (NOON + 10, NOON + 610)
    assert not record.opted_out
    await bench.store.close()


@pytest.mark.requirement("BUC-6")
async def test_a_clock_that_is_set_makes_an_event_no_longer(bench: Bench) -> None:
    bench.told.set(0.200, 0.200, 0.030)
    bench.pass_to(600)
    bench.clock.utc_s += 600.0
    bench.market.look()
    bench.pass_to(1_800)
    bench.told.set(0.030)
    bench.pass_to(1_810)
    await bench.market._save()
    (log,) = bench.market._unsettled
    assert log.ends_at - log.starts_at == pytest.approx(1_800.0)
    assert all(log.starts_at <= at <= log.ends_at for at, _ in log.prices)
    await bench.store.close()


@pytest.mark.requirement("BUC-6")
async def test_a_plan_is_told_what_is_paid_ahead_for_what_is_not_taken(bench: Bench) -> None:
    slots = Slots(NOON, 900.0, 8)
    assert bench.market.spared(slots) == ()
    bench.told.set(0.030, 0.200, None, 0.0412)
    assert bench.market.spared(slots) == (0.0, 0.0, 0.2, 0.2, 0.0, 0.0, 0.0, 0.0)
    bench.islanded = True
    assert bench.market.spared(slots) == ()
    bench.islanded, bench.joined = False, False
    assert bench.market.spared(slots) == ()
    bench.joined = True
    bench.told.set(0.030, 1e9)
    assert bench.market.spared(slots) == ()
    bench.told.set(0.200)
    bench.clock.at += 8_000  # nobody read the prices since
    assert bench.market.spared(Slots(bench.clock.at, 900.0, 2)) == ()
    await bench.store.close()


class Asked:
    """Prices that are looked up when they are asked for, as a utility's."""

    def __init__(self, told: Told, clock: Hands) -> None:
        self._told, self._clock = told, clock
        self.told_at = 0.0

    @property
    def price(self) -> Series | None:
        self.told_at = self._clock.at
        return self._told.price


@pytest.mark.requirement("BUC-6")
async def test_prices_that_are_looked_up_when_asked_for_are_not_old(bench: Bench) -> None:
    bench.told.set(0.200)
    bench.market._wholesale = Asked(bench.told, bench.clock)
    bench.market.look()
    assert bench.market.standings[0].active
    await bench.store.close()
