"""Our client reads what our head-end serves: curves, defaults, prices, grants, messages."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from certs.pki import Pki
from hems.headend.records import Edition
from hems.headend.server import HeadEnd
from hems.sep2.book.requests import Wish
from hems.sep2.client import Client
from hems.sep2.rules.lifecycle import Phase
from hems.sep2.rules.tariff import Flow, Price, Use, chosen, price_at
from tests.hems.headend.conftest import Home, MakeHome, Operator
from tests.hems.headend.ours import client, until, until_told

EDITIONS = [Edition.CSIP_AUS, Edition.Y2023]
VOLT_VAR = {"points": [[0.92, 44], [0.98, 0], [1.02, 0], [1.08, -44]], "open_loop_s": 5}


@pytest.fixture(params=EDITIONS)
async def edition(request: pytest.FixtureRequest) -> Edition:
    return Edition(request.param)


@pytest.fixture
async def entered(make_home: MakeHome, operator: Operator, edition: Edition) -> Home:
    home = make_home("home-a")
    await operator.enter(home, edition)
    return home


@pytest.fixture
async def ours(
    head_end: HeadEnd, entered: Home, pki: Pki, tmp_path: Path, edition: Edition
) -> AsyncIterator[Client]:
    """Our client as home-a, in each edition."""
    async with client(head_end, pki, entered.lfdi, edition, tmp_path) as running:
        yield running


async def responded(operator: Operator, path: str, *statuses: int) -> None:
    """Wait until a home has answered an event, grant or message with these codes."""

    async def told() -> bool:
        _, body = await operator.ask("GET", path)
        sides = body.get("homes") or body.get("grants") or body.get("messages")
        codes = [answer["status"] for side in sides for answer in side["responses"]]
        return set(statuses) <= set(codes)

    await until_told(told)


@pytest.mark.requirement("BUC-4", "PRO-2030.5")
async def test_a_curve_is_resolved_and_answered(ours: Client, operator: Operator) -> None:
    event = await operator.event(
        volt_var=VOLT_VAR, target_w=2000, minutes=5, ramp_s=2, program="Peak Saver"
    )
    found = await until(lambda: ours.engine.schedule.active.get("opModVoltVar"))
    curve = ours.engine.schedule.curves[str(found.value)]
    assert found.event == event["id"]
    assert curve.points == ((92.0, 44.0), (98.0, 0.0), (102.0, 0.0), (108.0, -44.0))
    assert (curve.y_ref, curve.open_loop_s) == (2, 5.0)
    assert ours.engine.schedule.active["opModTargetW"].value == 2000
    assert found.ramp_s == 2
    await responded(operator, f"/events/{event['id']}", 1, 2)

    path = "/programs/peak%20saver/default"
    await operator.ask("PUT", path, {"limit_generation_percent": 50})
    default = await until(lambda: ours.engine.schedule.active.get("opModMaxLimW"))
    assert (default.value, default.default) == (50.0, True)


@pytest.mark.requirement("PRO-2030.5")
async def test_a_crossing_curve_is_refused_with_a_reason(ours: Client, operator: Operator) -> None:
    crossing = {"points": [[1.0, 44], [0.9, 0]]}
    event = await operator.event(volt_var=crossing, minutes=5, raw=True)
    refused = await until(lambda: [e for e in ours.engine.events if e.phase is Phase.REJECTED])
    assert "goes back" in refused[0].reason
    await responded(operator, f"/events/{event['id']}", 253)
    assert "opModVoltVar" not in ours.engine.schedule.active


def price_of(ours: Client, flow: Flow = Flow.IMPORT, in_s: float = 0.0) -> Price | None:
    at = ours.engine.server_time()
    tariff = chosen(ours.engine.tariffs, at)
    return None if tariff is None else price_at(tariff, Use(flow), at + in_s)


def hours(*prices: float) -> dict[str, Any]:
    begin = int(time.time()) - 60
    series = [
        {"start": begin + 3600 * number, "minutes": 60, "price": price}
        for number, price in enumerate(prices)
    ]
    return {"currency": "AUD", "prices": series}


@pytest.mark.requirement("BUC-1", "BUC-6")
async def test_prices_are_in_force_and_follow_the_operator(
    ours: Client, operator: Operator
) -> None:
    first = hours(0.25, 0.31415, -0.02)
    status, before = await operator.ask("PUT", "/prices", first)
    assert status == 200, before
    price = await until(lambda: price_of(ours))
    assert (price.per_kwh, price.currency) == (0.25, 36)
    later = await until(lambda: price_of(ours, in_s=3600.0))
    last = await until(lambda: price_of(ours, in_s=7200.0))
    assert (later.per_kwh, last.per_kwh) == (0.31415, -0.02)
    await operator.ask("PUT", "/prices", {**hours(0.08), "flow": "export"})
    assert (await until(lambda: price_of(ours, Flow.EXPORT))).per_kwh == 0.08

    changed = {**first, "prices": [{**first["prices"][0], "price": 0.5}, *first["prices"][1:]]}
    _, after = await operator.ask("PUT", "/prices", changed)

    def dearer() -> bool:
        found = price_of(ours)
        return found is not None and found.per_kwh == 0.5

    await until(dearer)
    live = [{p["id"] for p in t["prices"] if p["state"] != "cancelled"} for t in (before, after)]
    assert len(live[0] & live[1]) == 2, "what is the same stays as it is"
    await operator.ask("DELETE", "/prices/Retail/import")
    await until(lambda: price_of(ours) is None)


@pytest.mark.requirement("BUC-8", "BUC-9")
async def test_a_reservation_is_asked_for_granted_in_part_and_cancelled(
    ours: Client, operator: Operator
) -> None:
    now = int(ours.engine.server_time())
    wish = Wish(-4000.0, -2000.0, now, now + 7200, description="battery")
    mrid = await ours.engine.reserve(wish)
    path = f"/reservations/{mrid}"

    async def state() -> str | None:
        status, body = await operator.ask("GET", path)
        return str(body["state"]) if status == 200 else None

    assert await until_told(state) == "open"
    part = {"power_w": -1500, "energy_wh": -1000}
    status, answer = await operator.ask("POST", f"{path}/grant", part)
    assert (status, answer["state"]) == (201, "granted")
    assert (answer["power_w"], answer["energy_wh"]) == (-2000.0, -4000.0)
    (held,) = await until(lambda: [r for r in ours.engine.reservations if r.running])
    assert (held.power_w, held.energy_wh) == (-1500.0, -1000.0)
    await responded(operator, path, 1, 2)

    status, answer = await operator.ask("POST", f"{path}/cancel")
    assert (status, answer["grants"][0]["state"]) == (200, "cancelled")
    await until(lambda: all(not r.running for r in ours.engine.reservations))
    await responded(operator, path, 6)

    await ours.engine.cancel_reservation(mrid)

    async def taken_back() -> bool:
        return await state() == "taken back"

    await until_told(taken_back)


async def test_a_message_is_shown_read_and_taken_back(ours: Client, operator: Operator) -> None:
    wish = {"text": "Works from six to eight", "priority": "high", "originator": "Grid"}
    _, sent = await operator.ask("POST", "/messages", wish)
    (shown,) = await until(lambda: [m for m in ours.engine.messages if m.shown])
    assert (shown.text, shown.priority, shown.originator) == (wish["text"], 2, "Grid")
    await ours.engine.acknowledge(sent["id"])
    await responded(operator, "/messages", 11)
    await operator.ask("POST", f"/messages/{sent['id']}/cancel")
    await until(lambda: not [m for m in ours.engine.messages if m.shown])
