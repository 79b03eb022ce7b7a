"""Contracts: how large an order is, and that whom it asks for too much never sees it."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.headend.modes import Mode, Value
from hems.headend.orders.size import Size, size_of
from hems.sep2.resources import DERControlList, EndDeviceList, Notification, Subscription
from hems.sep2.xml import parse
from tests.hems.headend.conftest import Home, Listen, Operator
from tests.hems.headend.street import Street

pytestmark = pytest.mark.requirement("L3-POLICY", "PRO-2030.5")
WITHIN_S = 10.0
HOME_W = 5_000.0


@pytest.mark.parametrize(
    ("values", "asked_w", "moves_w", "disconnects"),
    [
        ({Mode.SHED: 2000.0}, 2000.0, 2000.0, False),
        ({Mode.TARGET_W: -3000.0}, 3000.0, 3000.0, False),
        ({Mode.STORAGE_W: 3000.0}, 3000.0, 3000.0, False),
        ({Mode.ENERGY: 500.0}, 1000.0, 1000.0, False),
        ({Mode.IMPORT: 1500.0}, 0.0, 3500.0, False),
        ({Mode.EXPORT: 9000.0}, 0.0, 0.0, False),
        ({Mode.MAX_PERCENT: 40.0}, 0.0, 3000.0, False),
        ({Mode.FIXED_PERCENT: -40.0}, 0.0, 2000.0, False),
        ({Mode.DUTY: 30.0}, 0.0, 3500.0, False),
        ({Mode.LOAD_PERCENT: 10.0}, 0.0, 500.0, False),
        ({Mode.COOLING: 2.0}, 0.0, 5000.0, False),
        ({Mode.COOLING: 0.0}, 0.0, 0.0, False),
        ({Mode.CONNECT: 0.0}, 0.0, 5000.0, True),
        ({Mode.ENERGIZE: 0.0}, 0.0, 5000.0, True),
        ({Mode.CONNECT: 1.0}, 0.0, 0.0, False),
        ({Mode.VOLT_VAR: "AB"}, 0.0, 0.0, False),
        ({Mode.FREQ_DROOP: (0.03, 0.03, 0.05, 0.05, 5.0)}, 0.0, 0.0, False),
        ({Mode.TARGET_VAR: 900.0}, 0.0, 0.0, False),
        ({Mode.SHED: 2000.0, Mode.IMPORT: 1000.0}, 2000.0, 4000.0, False),
    ],
)
def test_how_large_an_order_is(
    values: dict[Mode, Value], asked_w: float, moves_w: float, disconnects: bool
) -> None:
    assert size_of(values, 1800.0, HOME_W) == Size(asked_w, moves_w, disconnects)


@given(
    values=st.dictionaries(st.sampled_from(list(Mode)), st.floats(-1e6, 1e6)),
    more=st.dictionaries(st.sampled_from(list(Mode)), st.floats(-1e6, 1e6)),
    duration_s=st.floats(1.0, 604_800.0),
    home_w=st.floats(0.0, 1e6),
)
def test_more_asks_never_make_an_order_smaller(
    values: dict[Mode, Value], more: dict[Mode, Value], duration_s: float, home_w: float
) -> None:
    few = size_of(values, duration_s, home_w)
    many = size_of({**more, **values}, duration_s, home_w)
    assert 0.0 <= few.asked_w <= few.moves_w
    assert many.asked_w >= few.asked_w
    assert many.moves_w >= few.moves_w
    assert many.disconnects >= few.disconnects


@pytest.fixture
async def street(home: Home, other: Home, operator: Operator) -> Street:
    made = Street(operator, home, other)
    await made.good("POST", "/fleet/groups", {"groups": [{"id": "tx", "kind": "transformer"}]})
    for who, name in ((home, "a"), (other, "b")):
        await made.good("PUT", f"/fleet/sites/site-{name}", {"group": "tx"})
        await made.operate(who, f"site-{name}")
    return made


async def limit(street: Street, most_w: int | None, *, may_disconnect: bool = True) -> None:
    wish = {"largest_event_w": most_w, "may_disconnect": may_disconnect, "reason": "contract"}
    await street.good("PUT", f"/fleet/hubs/{street.a.lfdi}/policy", wish)


async def shown(home: Home) -> list[str]:
    listed = await home.get("/derp/1/derc?l=50", DERControlList)
    return [control.mrid for control in listed.der_control]


async def test_an_order_beyond_a_contract_does_not_reach_its_home(street: Street) -> None:
    await limit(street, 2000)
    small = await street.operator.event(target_w=2000, minutes=10)
    large = await street.operator.event(target_w=-2001, minutes=10, start="+20m")
    why = "its contract lets it be asked for 2000 W at most, not 2001 W"
    assert small["barred"] == []
    assert large["barred"] == [{"why": why, "homes": 1}]
    assert [each["lfdi"] for each in large["homes"]] == [street.b.lfdi]
    assert await shown(street.a) == [small["id"]]
    assert await shown(street.b) == [small["id"], large["id"]]
    for home, status in ((street.a, 404), (street.b, 200)):
        assert (await home.ask("GET", f"/derp/1/derc/{large['id']}")).status == status
    for path in ("/events", f"/events/{large['id']}"):
        _, told = await street.operator.ask("GET", path)
        event = told if "barred" in told else told["events"][0]
        assert (event["id"], event["barred"]) == (large["id"], large["barred"])
    _, told = await street.operator.ask("POST", "/events/preview", {"target_w": 3000, "minutes": 1})
    assert (told["homes"], told["reached"], told["moves_w"]) == (2, 1, 3000.0)

    # What the contract says now holds, not what it said when the event was ordered.
    await limit(street, 3000)
    assert await shown(street.a) == [small["id"], large["id"]]


async def test_who_may_not_be_disconnected_is_not(street: Street) -> None:
    await limit(street, None, may_disconnect=False)
    event = await street.operator.event(connect=False, minutes=10)
    why = "its contract does not let it be disconnected"
    assert event["barred"] == [{"why": why, "homes": 1}]
    assert await shown(street.a) == []
    assert await shown(street.b) == [event["id"]]


async def test_who_takes_no_part_is_named(street: Street) -> None:
    place = f"/fleet/hubs/{street.a.lfdi}/state"
    await street.good("POST", place, {"to": "quarantined", "reason": "odd readings"})
    event = await street.operator.event(limit_import_w=1000, minutes=10, group="tx")
    assert event["barred"] == [{"why": "its hub takes no part: quarantined", "homes": 1}]
    assert [each["lfdi"] for each in event["homes"]] == [street.b.lfdi]


async def subscribed(home: Home, listen: Listen) -> asyncio.Queue[Notification]:
    queue: asyncio.Queue[Notification] = asyncio.Queue()

    def hook(body: bytes) -> int:
        queue.put_nowait(parse(body, Notification))
        return 204

    uri = await listen(home.server_tls, hook)
    link = (await home.get("/edev", EndDeviceList)).end_device[0].subscription_list_link
    assert link is not None
    wish = Subscription(
        subscribed_resource="/derp/1/derc",
        encoding=0,
        level="+S1",
        limit=10,
        notification_uri=uri,
    )
    assert (await home.ask("POST", link.href, wish)).status == 201
    return queue


async def told(queue: asyncio.Queue[Notification]) -> list[str]:
    listed = (await asyncio.wait_for(queue.get(), WITHIN_S)).resource
    assert isinstance(listed, DERControlList)
    return [control.mrid for control in listed.der_control]


async def test_nobody_is_told_of_what_does_not_reach_them(street: Street, listen: Listen) -> None:
    await limit(street, 2000)
    a, b = await subscribed(street.a, listen), await subscribed(street.b, listen)
    large = await street.operator.event(target_w=5000, minutes=10)
    assert await told(b) == [large["id"]]
    assert await told(a) == [], "its list, which is empty"
    small = await street.operator.event(target_w=1000, minutes=10, start="+20m")
    assert await told(b) == [large["id"], small["id"]]
    assert await told(a) == [small["id"]]
