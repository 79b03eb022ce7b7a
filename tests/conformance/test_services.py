"""Pricing, load control and messages, on the wire."""

import ssl

import pytest

from hems.sep2.client import Client
from hems.sep2.rules.tariff import Flow, Price, Use, chosen, price_at
from tests.conformance.scenario import AUS, EVERY, scenario
from tests.conformance.steps import force
from tests.interop.grid.markup import el
from tests.interop.grid.offers import offer_load_control, offer_messages, offer_tariff
from tests.interop.grid.server import serving
from tests.interop.grid.words import CANCELLED, status
from tests.interop.lone import Lone
from tests.waiting import until

pytestmark = pytest.mark.requirement("PRO-2030.5")


def drawn(used_wh: float = 0.0) -> Use:
    """Return the use that is energy from the grid."""
    return Use(Flow.IMPORT, used_wh=used_wh)


async def priced(client: Client, per_kwh: float | None, use: Use | None = None) -> None:
    """Wait until energy from the grid has a price; None until it has none."""

    async def look() -> Price | None:
        at = client.engine.server_time()
        tariff = chosen(client.engine.tariffs, at)
        return None if tariff is None else price_at(tariff, use or drawn(), at)

    def good(price: Price | None) -> bool:
        if price is None or per_kwh is None:
            return price is None and per_kwh is None
        return abs(price.per_kwh - per_kwh) < 1e-9 and price.currency == 36

    await until(look, good, 8.0, f"{per_kwh} a kWh")


@scenario("PRC-01", "PRC", "A tariff is found, and its price in force known", EVERY)
async def test_a_price(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    tariff = offer_tariff(grid)
    tariff.add(0, 60, (0, 250))
    async with serving(grid, context), lone.client(grid) as client:
        await priced(client, 0.25)


async def _components(client: Client) -> bool:
    return any(
        interval.blocks
        for tariff in client.engine.tariffs
        for component in tariff.components
        for interval in component.intervals
    )


@scenario("PRC-02", "PRC", "Prices change with their intervals", EVERY)
async def test_prices_change(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    tariff = offer_tariff(grid)
    tariff.add(0, 4, (0, 300), tier=2)
    tariff.add(4, 60, (0, 100))
    async with serving(grid, context), lone.client(grid) as client:
        await until(lambda: _components(client), bool, 8.0, "the tariff's intervals")
        await priced(client, 0.3)
        await priced(client, 0.1)


@scenario("PRC-03", "PRC", "A price that is taken back counts no more", EVERY)
async def test_a_cancelled_price(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    tariff = offer_tariff(grid)
    tariff.add(0, 60, (0, 300))
    async with serving(grid, context), lone.client(grid) as client:
        await until(lambda: _components(client), bool, 8.0, "the tariff's intervals")
        (item,) = tariff.intervals.items
        old = item.find("{*}EventStatus")
        assert old is not None
        item.replace(old, status(CANCELLED, grid.now()))
        await priced(client, None)


@scenario("PRC-04", "PRC", "Of two tariffs the one of lower primacy counts", EVERY)
async def test_two_tariffs(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    weak, strong = offer_tariff(grid, 9), offer_tariff(grid, 2, first=False)
    weak.add(0, 60, (0, 100))
    strong.add(0, 60, (0, 300))
    async with serving(grid, context), lone.client(grid) as client:
        await until(lambda: _both(client), bool, 8.0, "both tariffs")
        await priced(client, 0.3)


async def _both(client: Client) -> bool:
    return len(client.engine.tariffs) == 2 and all(
        any(i.blocks for c in t.components for i in c.intervals) for t in client.engine.tariffs
    )


@scenario("PRC-05", "PRC", "Blocks: what was used before sets the price", EVERY)
async def test_blocks(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    tariff = offer_tariff(grid)
    tariff.add(0, 60, (0, 100), (5, 300))
    async with serving(grid, context), lone.client(grid) as client:
        await until(lambda: _components(client), bool, 8.0, "the tariff's intervals")
        await priced(client, 0.3, drawn(used_wh=6000.0))


def _reduction(watts: int) -> tuple[str, int]:
    return "TargetReduction.W", watts


@scenario("DR-01", "DR", "A load reduction in W is taken on and answered", EVERY)
async def test_a_target_reduction(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    offer = offer_load_control(grid)
    async with serving(grid, context), lone.client(grid):
        await lone.until(lambda: lone.state == "connected")
        mode, watts = _reduction(2000)
        mrid = offer.add(1, 2, el("TargetReduction", el("type", 2), el("value", watts)))
        await force(lone, mode, watts)
        await grid.answered(mrid, [1, 2, 3])
    assert {a.kind for a in grid.answers} == {"DrResponse"}


@scenario("DR-02", "DR", "A duty cycle is taken on and answered", EVERY)
async def test_a_duty_cycle(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    offer = offer_load_control(grid)
    async with serving(grid, context), lone.client(grid):
        mrid = offer.add(1, 2, el("DutyCycle", el("normalValue", 50)))
        await lone.until(lambda: lone.in_force("DutyCycle") is not None)
        await grid.answered(mrid, [1, 2, 3])


@scenario("DR-03", "DR", "A load control for other devices is not answered", EVERY)
async def test_for_other_devices(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    offer = offer_load_control(grid)
    ask = el("TargetReduction", el("type", 2), el("value", 500))
    async with serving(grid, context), lone.client(grid):
        foreign = offer.add(0, 60, ask, category="00000020")
        own = offer.add(1, 2, el("TargetReduction", el("type", 2), el("value", 900)))
        await grid.answered(own, [1, 2, 3])
        assert grid.codes(foreign) == []


@scenario("DR-04", "DR", "What no device here can do is refused, with its reason", EVERY)
async def test_what_cannot_be_done(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    offer = offer_load_control(grid)
    async with serving(grid, context), lone.client(grid) as client:
        gas = el("TargetReduction", el("type", 3), el("value", 5))  # cubic metres
        mrid = offer.add(0, 60, gas)
        await grid.until(lambda: grid.codes(mrid), 8.0, "answered")
        assert grid.codes(mrid)[0] in {251, 252, 253}
        (event,) = client.engine.events
        assert event.reason


@scenario("MSG-01", "MSG", "A message is shown in its time, and its reading acknowledged", EVERY)
async def test_a_message(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    offer = offer_messages(grid)
    mrid = offer.add(0, 60, "Tonight from six to eight", priority=2)
    async with serving(grid, context), lone.client(grid) as client:

        async def shown() -> list[str]:
            return [m.text for m in client.engine.messages if m.shown]

        await until(shown, lambda texts: texts == ["Tonight from six to eight"], 8.0, "shown")
        await client.engine.acknowledge(grid.real(mrid))
        await grid.until(lambda: 11 in grid.codes(mrid), 8.0, "acknowledged")
    assert {a.kind for a in grid.answers} == {"TextResponse"}


@scenario("STO-01A", "STO", "A storage target comes in force, positive for discharging", AUS)
async def test_a_storage_target(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    async with serving(grid, context), lone.client(grid):
        mrid = programme.add(0, 3, opModStorageTargetW=2000.0)
        await force(lone, "opModStorageTargetW", 2000.0)
        await grid.answered(mrid, [1, 2, 3])
