"""Prices: the rule by which a series takes the place of another, the door, the wire."""

import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.headend.errors import DispatchError
from hems.headend.prices import Flow, Offer, Price, change, check_offers, currency_code
from hems.headend.records import Edition
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.headend.spans import Span
from hems.sep2.resources import (
    ConsumptionTariffIntervalList,
    FunctionSetAssignments,
    RateComponentList,
    ReadingType,
    TariffProfileList,
    TimeTariffInterval,
    TimeTariffIntervalList,
)
from tests.hems.headend.conftest import WHOLE, Home, MakeHome, Operator

pytestmark = pytest.mark.requirement("PRO-2030.5", "BUC-6")
T0 = 1_800_000_000


@st.composite
def offers(draw: st.DrawFn) -> list[Offer]:
    at, made = draw(st.integers(0, 20)), list[Offer]()
    for _ in range(draw(st.integers(1, 6))):
        length = draw(st.integers(1, 6))
        price = float(draw(st.integers(0, 2)))
        made.append(Offer(float(T0 + at), float(length), price))
        at += length + draw(st.integers(0, 3))
    return made


def known(series: list[Offer]) -> list[Price]:
    return [
        Price(Span(f"{i:032X}", int(o.start), int(o.duration_s), T0), "T", Flow.IMPORT, o.per_kwh)
        for i, o in enumerate(series)
    ]


def by_second(spans: list[tuple[float, float, float | None]]) -> dict[int, float | None]:
    return {
        second: price
        for start, length, price in spans
        for second in range(int(start), int(start + length))
    }


def told(series: list[Offer]) -> list[tuple[float, float, float | None]]:
    return [(o.start, o.duration_s, o.per_kwh) for o in series]


@given(offers(), offers())
def test_a_series_replaces_all_from_its_first_start(before: list[Offer], new: list[Offer]) -> None:
    changed = change(known(before), new)
    gone = {price.span.mrid for price in changed.cancelled}
    left = [
        Offer(float(p.span.start), float(p.span.duration_s), p.per_kwh)
        for p in known(before)
        if p.span.mrid not in gone
    ]
    result = [*left, *changed.added]
    seconds = by_second(told(result))
    begin = new[0].start
    wanted = {s: p for s, p in by_second(told(before)).items() if s < begin} | by_second(told(new))
    assert seconds == wanted
    assert sum(o.duration_s for o in result) == len(seconds), "no second has two prices"


@given(offers())
def test_the_same_series_again_changes_nothing(series: list[Offer]) -> None:
    changed = change(known(series), series)
    assert (changed.cancelled, changed.added) == ((), ())


@pytest.mark.parametrize(
    ("series", "said"),
    [
        ([], "1 to 2000"),
        ([Offer(T0, 60, float("nan"))], "nan"),
        ([Offer(T0, 60, float("inf"))], "inf"),
        ([Offer(T0, 60, 101.0)], "to 100"),
        ([Offer(T0, 60, None)], "missing"),
        ([Offer(float("nan"), 60, 1.0)], "not a time"),
        ([Offer(5, 60, 1.0)], "not a time"),
        ([Offer(T0, 0, 1.0)], "no time"),
        ([Offer(T0, float("inf"), 1.0)], "no time"),
        ([Offer(T0, 60, 1.0), Offer(T0 + 59, 60, 1.0)], "two prices"),
        ([Offer(T0 - 900, 60, 1.0)], "over already"),
    ],
)
def test_nonsense_is_refused(series: list[Offer], said: str) -> None:
    with pytest.raises(DispatchError, match=said):
        check_offers(series, T0, raw=False)


def test_raw_prices_may_be_absurd_or_missing_but_must_fit() -> None:
    odd = [Offer(T0, 60, None), Offer(T0 + 60, 60, -20000.0)]
    assert check_offers(odd, T0, raw=True) == odd
    with pytest.raises(DispatchError, match="not a price"):
        check_offers([Offer(T0, 60, 1e6)], T0, raw=True)


def test_currencies() -> None:
    assert (currency_code("eur"), currency_code("036")) == (978, 36)
    with pytest.raises(DispatchError, match="XYZ"):
        currency_code("XYZ")


def series(*prices: float | None, **more: Any) -> dict[str, Any]:
    begin = int(time.time()) - 60
    items = [
        {"start": begin + 600 * number, "minutes": 10, "price": price}
        for number, price in enumerate(prices)
    ]
    return {"prices": items, **more}


@pytest.mark.parametrize("edition", WHOLE)
async def test_a_tariff_is_reached_by_links(
    make_home: MakeHome, operator: Operator, edition: Edition
) -> None:
    home = make_home("home-a")
    await operator.enter(home, edition)
    functions = await home.get("/edev/1/fsa/1", FunctionSetAssignments)
    assert functions.tariff_profile_list_link is not None
    tariffs = functions.tariff_profile_list_link.href
    assert (await home.get(tariffs, TariffProfileList)).all == 0
    await operator.ask("PUT", "/prices", series(0.2, 0.30001, -0.1, currency="EUR"))
    await operator.ask("PUT", "/prices", series(0.05, flow="export"))
    await operator.ask("PUT", "/prices", series(0.9, tariff="Wholesale", primacy=200))

    listed = await home.get(f"{tariffs}?l=9", TariffProfileList)
    assert [t.description for t in listed.tariff_profile] == ["Retail", "Wholesale"]
    retail = listed.tariff_profile[0]
    assert (retail.currency, retail.primacy, retail.price_power_of_ten_multiplier) == (978, 10, -5)
    assert retail.rate_component_list_link is not None
    assert retail.rate_component_list_link.all == 2
    components = await home.get(retail.rate_component_list_link.href + "?l=9", RateComponentList)
    directions = {}
    for component in components.rate_component:
        kind = await home.get(component.reading_type_link.href, ReadingType)
        directions[kind.flow_direction] = component
        assert (kind.uom, kind.power_of_ten_multiplier) == (72, 3)
    assert sorted(filter(None, directions)) == [1, 19]

    where = directions[1].time_tariff_interval_list_link
    assert where.all == 3
    parts = [
        (await home.get(f"{where.href}?s={at}&l=2", TimeTariffIntervalList)).time_tariff_interval
        for at in (0, 2)
    ]
    intervals = [interval for part in parts for interval in part]
    assert [i.event_status.current_status for i in intervals] == [1, 0, 0]
    assert [i.interval.start for i in intervals] == sorted(i.interval.start for i in intervals)
    prices = []
    for interval in intervals:
        assert interval.href is not None
        assert await home.get(interval.href, TimeTariffInterval) == interval
        blocks = interval.consumption_tariff_interval_list_link
        assert blocks is not None
        (block,) = (
            await home.get(blocks.href, ConsumptionTariffIntervalList)
        ).consumption_tariff_interval
        prices.append(block.price)
    assert prices == [20000, 30001, -10000]


async def test_a_changed_price_is_cancelled_and_told_anew(home: Home, operator: Operator) -> None:
    first = series(0.2, 0.3)
    await operator.ask("PUT", "/prices", first)
    first["prices"][1]["price"] = 0.4
    status, after = await operator.ask("PUT", "/prices", first)
    assert status == 200
    assert sorted((p["price"], p["state"]) for p in after["prices"]) == [
        (0.2, "active"), (0.3, "cancelled"), (0.4, "scheduled"),
    ]  # fmt: skip
    shown = await home.get("/tp/1/rc/1/tti?l=9", TimeTariffIntervalList)
    assert [i.event_status.current_status for i in shown.time_tariff_interval] == [1, 0, 2]
    status, after = await operator.ask("DELETE", "/prices/retail/import")
    assert {p["state"] for p in after["prices"]} == {"cancelled"}


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 422, "prices"),
        ({"prices": []}, 422, "1 to 2000"),
        (series(None), 422, "missing"),
        (series(1e9, raw=True), 422, "not a price"),
        (series(0.1, currency="XYZ"), 422, "XYZ"),
        (series(0.1, flow="up"), 422, "flow"),
        (series(0.1, tariff="x" * 33), 422, "tariff"),
        (series(0.1, primacy=256), 422, "primacy"),
        ({"prices": [{"start": "soon", "minutes": 5, "price": 1}]}, 422, "ISO 8601"),
        ({"prices": [{"start": "2030-01-01T00:00", "minutes": 5, "price": 1}]}, 422, "offset"),
        ({"prices": [{"start": 1, "minutes": 5, "price": 1}]}, 422, "not a time"),
    ],
)
async def test_the_door_refuses_in_one_sentence(
    operator: Operator, body: Mapping[str, Any], status: int, said: str
) -> None:
    got, answer = await operator.ask("PUT", "/prices", body)
    assert got == status
    assert said in answer["error"]
    assert "\n" not in answer["error"]
    assert (await operator.ask("GET", "/prices"))[1] == {"tariffs": []}


async def test_what_is_not_there_is_404_and_currencies_stay(home: Home, operator: Operator) -> None:
    assert (await operator.ask("DELETE", "/prices/retail/import"))[0] == 404
    for path in ("/tp/1", "/tp/1/rc", "/tp/x", "/tp/1/rc/1/tti"):
        assert (await home.ask("GET", path)).status == 404
    await operator.ask("PUT", "/prices", series(0.1, currency="EUR"))
    for path in ("/tp/1/rc/2", "/tp/1/rc/3/tti", "/tp/1/rc/1/tti/00"):
        assert (await home.ask("GET", path)).status == 404
    status, answer = await operator.ask("PUT", "/prices", series(0.1, currency="USD"))
    assert status == 409
    assert "840" in answer["error"]


async def test_iso_times_are_taken(operator: Operator) -> None:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    body = {"prices": [{"start": at, "minutes": 15, "price": 0.1}]}
    status, answer = await operator.ask("PUT", "/prices", body)
    assert (status, answer["prices"][0]["state"]) == (200, "scheduled")


async def test_a_restart_loses_no_price(settings: HeadEndSettings) -> None:
    async with HeadEnd(settings) as first:
        operator = Operator(first)
        await operator.ask("PUT", "/prices", series(0.2, 0.3, currency="AUD"))
        await operator.ask("PUT", "/prices", series(0.25))
        _, before = await operator.ask("GET", "/prices")
        await operator.aclose()
    async with HeadEnd(settings) as second:
        operator = Operator(second)
        assert (await operator.ask("GET", "/prices"))[1] == before
        await operator.aclose()
