"""Whatever can be subscribed to is told at once, in XML that is valid against the schema."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from lxml import etree

from hems.headend.records import Edition
from hems.sep2.resources import (
    ActivePower,
    DateTimeInterval,
    DefaultDERControl,
    FlowReservationRequest,
    FlowReservationResponseList,
    Notification,
    RequestStatus,
    Resource,
    SignedRealEnergy,
    TariffProfileList,
    TextMessageList,
    TimeTariffIntervalList,
)
from hems.sep2.xml import parse
from tests.hems.headend.conftest import SCHEMA_OF, WHOLE, Home, Listen, MakeHome, Operator, schema
from tests.hems.headend.test_headend_notify import wish

pytestmark = pytest.mark.requirement("PRO-2030.5")
WAIT_S = 10.0


async def set_price(operator: Operator, price: float, tariff: str = "Retail") -> None:
    offer = {"start": int(time.time()) - 60, "minutes": 60, "price": price}
    body = {"tariff": tariff, "prices": [offer]}
    assert (await operator.ask("PUT", "/prices", body))[0] == 200


async def tariff(operator: Operator) -> None:
    await set_price(operator, 0.1, "Wholesale")


async def price(operator: Operator) -> None:
    await set_price(operator, 0.2)


async def message(operator: Operator) -> None:
    assert (await operator.ask("POST", "/messages", {"text": "hello"}))[0] == 201


async def grant(operator: Operator) -> None:
    assert (await operator.ask("POST", f"/reservations/{'A' * 32}/grant"))[0] == 201


async def default(operator: Operator) -> None:
    curve = {"points": [[0.92, 44], [1.08, -44]]}
    path = "/programs/peak%20saver/default"
    assert (await operator.ask("PUT", path, {"volt_var": curve, "set_grad_w": 1}))[0] == 200


@dataclass(frozen=True)
class Case:
    path: str
    kind: type[Resource]
    change: Callable[[Operator], Awaitable[None]]
    told_first: bool = False


CASES = (
    Case("/tp", TariffProfileList, tariff, told_first=True),
    Case("/tp/1/rc/1/tti", TimeTariffIntervalList, price, told_first=True),
    Case("/msg/1/txt", TextMessageList, message),
    Case("/edev/1/frp", FlowReservationResponseList, grant),
    Case("/derp/1/dderc", DefaultDERControl, default, told_first=True),
)


@pytest.mark.parametrize("edition", WHOLE)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind.__name__)
async def test_a_change_is_told_at_once(
    make_home: MakeHome, operator: Operator, listen: Listen, edition: Edition, case: Case
) -> None:
    home = make_home("home-a")
    await operator.enter(home, edition)
    await prepare(home, operator)
    queue: asyncio.Queue[bytes] = asyncio.Queue()

    def hook(body: bytes) -> int:
        queue.put_nowait(body)
        return 204

    uri = await listen(home.server_tls, hook)
    assert (await home.ask("POST", "/edev/1/sub", wish(uri, case.path))).status == 201

    async def told() -> Resource:
        body = await asyncio.wait_for(queue.get(), WAIT_S)
        validator = schema(SCHEMA_OF[edition])
        assert validator.validate(etree.fromstring(body)), str(validator.error_log)
        notification = parse(body, Notification)
        assert notification.subscribed_resource == case.path
        assert isinstance(notification.resource, case.kind)
        return notification.resource

    if case.told_first:
        assert await told() == await home.get(f"{case.path}?l=10", case.kind)
    await case.change(operator)
    assert await told() == await home.get(f"{case.path}?l=10", case.kind)
    assert queue.empty()


async def prepare(home: Home, operator: Operator) -> None:
    """Set a first price, and have the home ask for a reservation."""
    await set_price(operator, 0.3)
    now = int(time.time())
    asked = FlowReservationRequest(
        mrid="A" * 32,
        creation_time=now,
        energy_requested=SignedRealEnergy.of(1000),
        interval_requested=DateTimeInterval(start=now, duration=3600),
        power_requested=ActivePower.of(2000),
        request_status=RequestStatus(date_time=now, request_status=0),
    )
    assert (await home.ask("POST", "/edev/1/frq", asked)).status == 201


async def test_what_is_not_ones_own_or_no_list_is_refused(
    make_home: MakeHome, operator: Operator, listen: Listen
) -> None:
    home = make_home("home-a")
    await operator.enter(home)
    await operator.enter(make_home("home-b"), Edition.Y2023)
    uri = await listen(home.server_tls, lambda _body: 204)
    for path in ("/edev/2/frp", "/tp/1/rc/1/tti", "/derp/1/dc", "/edev/1/frq", "/derp/1"):
        answer = await home.ask("POST", "/edev/1/sub", wish(uri, path))
        assert answer.status == 400
        assert "not subscribable" in answer.text
