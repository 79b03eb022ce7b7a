"""What holds of all that was agreed and told: utility, market, schedule, events."""

from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.cem.slots import Slots
from hems.cem.tariff.billing import Peak, month_start, standing
from hems.cem.tariff.rates import (
    Contract,
    Flow,
    Manner,
    Price,
    PriceEvent,
    Quotes,
    Rate,
    over,
    price_at,
)
from hems.cem.tariff.schedule import Schedule, Window
from hems.cem.tariff.series import Series, Span

BERLIN = ZoneInfo("Europe/Berlin")
T = 1_800_000_000.0  # a whole hour
HOUR = 3600.0
CONTRACT = Contract(
    BERLIN,
    Rate(Schedule(0.30), follows_market=True, surcharge_per_kwh=0.10, tax=0.2),
    Rate(Schedule(0.08)),
    "EUR",
)


def hours(*values: float | None, start: float = T) -> Series:
    return Series.of(
        (
            Span(start + i * HOUR, start + (i + 1) * HOUR, value)
            for i, value in enumerate(values)
            if value is not None
        ),
        told_at=start,
    )


def bought(quotes: Quotes, count: int = 4) -> tuple[float, ...]:
    return over(CONTRACT, quotes, Slots(T, HOUR, count)).import_per_kwh


@pytest.mark.requirement("BUC-6")
def test_the_market_s_price_bears_surcharge_and_tax_also_below_zero() -> None:
    assert bought(Quotes(market_import=hours(0.05, -0.2, 0.0))) == pytest.approx(
        (0.18, -0.12, 0.12, 0.30)
    )


def test_where_the_market_is_not_known_what_was_agreed_holds() -> None:
    assert bought(Quotes(market_import=hours(0.05, None, 0.0)), 4) == pytest.approx(
        (0.18, 0.30, 0.12, 0.30)
    )
    assert bought(Quotes()) == (0.30,) * 4


@pytest.mark.requirement("BUC-6")
def test_the_utility_s_own_price_comes_before_the_market_s_and_bears_nothing() -> None:
    quotes = Quotes(utility_import=hours(None, 0.5), market_import=hours(0.05, 0.05))
    assert bought(quotes) == pytest.approx((0.18, 0.5, 0.30, 0.30))


def test_what_is_paid_follows_the_market_only_where_agreed() -> None:
    quotes = Quotes(market_export=hours(0.05, -0.1))
    slots = Slots(T, HOUR, 3)
    assert over(CONTRACT, quotes, slots).export_per_kwh == (0.08,) * 3
    follows = replace(
        CONTRACT, exported=Rate(Schedule(0.08), follows_market=True, surcharge_per_kwh=-0.01)
    )
    assert over(follows, quotes, slots).export_per_kwh == pytest.approx((0.04, -0.11, 0.08))


@pytest.mark.requirement("BUC-1")
def test_a_price_event_replaces_or_adds_for_its_time_and_names_its_source() -> None:
    events = (
        PriceEvent(T + 1800, T + 2 * HOUR, 1.0, "Grid Co"),
        PriceEvent(T + HOUR, T + 3 * HOUR, -0.05, "Rebate", Manner.ADD),
        PriceEvent(T, T + 4 * HOUR, 0.2, "Seller", flow=Flow.EXPORT),
    )
    quotes = Quotes(events=events)
    assert bought(quotes) == pytest.approx((0.65, 0.95, 0.25, 0.30))
    assert over(CONTRACT, quotes, Slots(T, HOUR, 1)).export_per_kwh == (0.2,)
    assert price_at(CONTRACT, quotes, Flow.IMPORT, T + 1800) == Price(1.0, "Grid Co")
    assert price_at(CONTRACT, quotes, Flow.IMPORT, T).source == "agreed"


def test_of_two_that_replace_the_later_start_holds_then_the_later_word() -> None:
    first = PriceEvent(T, T + HOUR, 1.0, "a")
    later = PriceEvent(T + 60, T + HOUR, 2.0, "b")
    again = PriceEvent(T + 60, T + HOUR, 3.0, "c")
    for told, holds in (((later, first), 2.0), ((later, again, first), 3.0)):
        price = price_at(CONTRACT, Quotes(events=told), Flow.IMPORT, T + 60)
        assert price.per_kwh == holds


def test_carbon_is_told_or_agreed_or_left_out() -> None:
    slots = Slots(T, HOUR, 2)
    known = replace(CONTRACT, carbon_kg_per_kwh=0.4, carbon_price_per_kg=0.05)
    assert over(CONTRACT, Quotes(), slots).carbon_kg_per_kwh == ()
    assert over(CONTRACT, Quotes(carbon=hours(0.3)), slots).carbon_kg_per_kwh == ()
    assert over(CONTRACT, Quotes(carbon=hours(0.3, 0.0)), slots).carbon_kg_per_kwh == (0.3, 0.0)
    prices = over(known, Quotes(carbon=hours(0.3)), slots)
    assert prices.carbon_kg_per_kwh == (0.3, 0.4)
    assert prices.carbon_price_per_kg == 0.05


@pytest.mark.parametrize(
    "spans",
    [
        (Span(0, 10, 1.0), Span(5, 15, 1.0)),
        (Span(10, 10, 1.0),),
        (Span(0, 10, float("nan")),),
        (Span(0, float("inf"), 1.0),),
    ],
)
def test_a_series_that_cannot_be_is_refused(spans: tuple[Span, ...]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Series.of(spans, 0.0)


def test_a_day_comes_again_with_its_gaps() -> None:
    told = hours(1.0, None, *range(2, 26))
    again = told.repeated(told.end + 30 * HOUR)
    assert told.end == T + 26 * HOUR
    for i in range(30):
        assert again.at(told.end + i * HOUR) == told.at(told.end - 24 * HOUR + i % 24 * HOUR)
    assert again.spans[: len(told.spans)] == told.spans
    assert told.repeated(T) == told
    assert Series((), T).repeated(T + 1e6) == Series((), T)


def test_an_older_telling_holds_before_the_newer_one() -> None:
    older, newer = hours(1.0, 2.0, 3.0), hours(9.0, start=T + 1.5 * HOUR)
    joined = newer.joined(older, since=T + HOUR)
    assert [joined.at(T + i * HOUR / 2) for i in range(7)] == [
        None,
        None,
        2.0,
        9.0,
        9.0,
        None,
        None,
    ]
    assert newer.joined(None, since=T) == newer


@st.composite
def cut_series(draw: st.DrawFn) -> Series:
    cuts = sorted(draw(st.sets(st.integers(-3600, 6 * 3600), min_size=2, max_size=12)))
    spans = [
        Span(T + a, T + b, draw(st.floats(-1, 1))) for a, b in pairwise(cuts) if draw(st.booleans())
    ]
    return Series.of(spans, T)


def event() -> st.SearchStrategy[PriceEvent]:
    def made(start: int, length: int, price: float, manner: Manner, flow: Flow) -> PriceEvent:
        return PriceEvent(T + start, T + start + length, price, "x", manner, flow)

    return st.builds(
        made,
        st.integers(-3600, 4 * 3600),
        st.integers(1, 3 * 3600),
        st.floats(-1, 1),
        st.sampled_from(Manner),
        st.sampled_from(Flow),
    )


@settings(max_examples=40, deadline=None)
@given(
    utility=st.none() | cut_series(),
    market=st.none() | cut_series(),
    events=st.lists(event(), max_size=3).map(tuple),
)
def test_a_slot_s_price_is_the_mean_of_its_seconds(
    utility: Series | None, market: Series | None, events: tuple[PriceEvent, ...]
) -> None:
    contract = replace(
        CONTRACT,
        imported=replace(
            CONTRACT.imported, schedule=Schedule(0.3, (Window(0.5, begins=9 * 60, ends=10 * 60),))
        ),
    )
    quotes = Quotes(utility_import=utility, market_import=market, events=events)
    slots = Slots(T, 1800.0, 6)
    fast = over(contract, quotes, slots).import_per_kwh
    for start, price in zip(slots, fast, strict=True):
        seconds = [price_at(contract, quotes, Flow.IMPORT, start + i).per_kwh for i in range(1800)]
        assert price == pytest.approx(sum(seconds) / 1800, abs=1e-9)


def local(*when: int) -> float:
    return datetime(*when, tzinfo=BERLIN).timestamp()  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("when", "billing_day", "began"),
    [
        ((2026, 3, 1), 1, (2026, 3, 1)),
        ((2026, 3, 31, 23, 59), 1, (2026, 3, 1)),
        ((2026, 3, 14, 23, 59), 15, (2026, 2, 15)),
        ((2026, 1, 3), 15, (2025, 12, 15)),
        ((2026, 3, 29, 4), 29 - 1, (2026, 3, 28)),
    ],
)
def test_billing_months_begin_at_local_midnight(
    when: tuple[int, ...], billing_day: int, began: tuple[int, ...]
) -> None:
    assert month_start(local(*when), BERLIN, billing_day) == local(*began)


def test_a_peak_is_charged_for_once_and_begins_anew_with_the_month() -> None:
    contract = replace(CONTRACT, peak_per_kw=10.0)
    quarters = [
        (local(2026, 3, 30), 2000.0, 20.0),
        (local(2026, 3, 30, 1), 1000.0, 0.0),
        (local(2026, 3, 31, 23, 45), 5000.0, 30.0),
        (local(2026, 4, 1), 1000.0, 10.0),
        (local(2026, 4, 1, 0, 15), 1500.0, 5.0),
    ]
    peak = Peak()
    for start, mean_w, charge in quarters:
        before, peak = peak, peak.with_quarter(start, mean_w, contract)
        assert peak.charge_after(before, contract) == pytest.approx(charge)


@pytest.mark.requirement("ROLE-CEM")
@pytest.mark.parametrize(("day", "quarters"), [((2026, 3, 29), 92), ((2026, 10, 25), 100)])
def test_a_day_s_standing_charge_is_shared_by_its_quarters(
    day: tuple[int, ...], quarters: int
) -> None:
    contract = replace(CONTRACT, standing_per_day=0.46)
    start = local(*day)
    shares = [standing(start + i * 900.0, 900.0, contract) for i in range(quarters)]
    assert sum(shares) == pytest.approx(0.46)
    assert standing(start + quarters * 900.0, 900.0, contract) == pytest.approx(0.46 / 96)
