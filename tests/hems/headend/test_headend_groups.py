"""Groups: programmes of their own, for their homes only; what a hub's state lets it see."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from certs.est import client
from certs.identity import lfdi
from certs.issue import new_key
from certs.pem import der
from certs.pki import Pki, init_pki
from hems.headend.est.settings import EstSettings
from hems.headend.models import SubscriptionRow
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.sep2.resources import (
    DefaultDERControl,
    DemandResponseProgramList,
    DERControlList,
    DERControlResponse,
    DERProgram,
    DERProgramList,
    EndDeviceList,
    FunctionSetAssignmentsList,
    Notification,
    Subscription,
)
from hems.sep2.xml import parse
from tests.hems.headend.conftest import Home, Listen, Operator
from tests.hems.headend.enrolling import running
from tests.hems.headend.street import Street
from tests.waiting import until

pytestmark = pytest.mark.requirement("L3-LIFECYCLE", "PRO-2030.5")
WAIT_S = 10.0


@pytest.fixture
async def street(home: Home, other: Home, operator: Operator) -> Street:
    made = Street(operator, home, other)
    groups = [
        {"id": "feeder-1", "kind": "feeder"},
        {"id": "tx-a", "kind": "transformer", "parent": "feeder-1"},
        {"id": "tx-b", "kind": "transformer", "parent": "feeder-1"},
    ]
    await made.good("POST", "/fleet/groups", {"groups": groups})
    for who, name in ((home, "a"), (other, "b")):
        await made.good("PUT", f"/fleet/sites/site-{name}", {"group": f"tx-{name}"})
        await made.operate(who, f"site-{name}")
    return made


async def programs(home: Home) -> list[DERProgram]:
    return list((await home.get("/derp?l=50", DERProgramList)).der_program)


async def events(home: Home) -> list[str]:
    found = []
    for program in await programs(home):
        assert program.der_control_list_link is not None
        listed = await home.get(f"{program.der_control_list_link.href}?l=50", DERControlList)
        found += [control.mrid for control in listed.der_control]
    return found


async def test_an_event_of_a_group_is_seen_by_its_homes_only(street: Street) -> None:
    everybody = await street.operator.event(limit_import_w=4000, minutes=10)
    wide = await street.operator.event(limit_import_w=3000, minutes=10, group="feeder-1")
    narrow = await street.operator.event(limit_import_w=2000, minutes=10, group="tx-a")
    site = await street.operator.event(limit_import_w=1000, minutes=10, group="site-b")
    assert await events(street.a) == [narrow["id"], wide["id"], everybody["id"]]
    assert await events(street.b) == [site["id"], wide["id"], everybody["id"]]
    assert [p.primacy for p in await programs(street.a)] == [4, 6, 10], "the narrower rules"
    assert [p.primacy for p in await programs(street.b)] == [3, 6, 10]

    assert (narrow["program"], narrow["group"]) == ("Peak Saver", "tx-a")
    assert [answer["lfdi"] for answer in narrow["homes"]] == [street.a.lfdi]
    assert [answer["lfdi"] for answer in wide["homes"]] == [street.a.lfdi, street.b.lfdi]

    again = await street.operator.event(limit_import_w=2500, minutes=10, group="tx-a")
    assert len(await programs(street.a)) == 3, "a group has one programme"
    assert again["id"] in await events(street.a)
    path = (await street.a.get("/edev", EndDeviceList)).end_device[0].href
    assigned = await street.a.get(f"{path}/fsa", FunctionSetAssignmentsList)
    link = assigned.function_set_assignments[0].der_program_list_link
    assert link is not None
    assert link.all == 3


async def test_another_groups_programme_is_not_there(street: Street) -> None:
    await street.operator.event(limit_import_w=2000, minutes=10, group="tx-a")
    own = (await programs(street.a))[0]
    assert own.der_control_list_link is not None
    assert own.default_der_control_link is not None
    await street.a.get(own.default_der_control_link.href, DefaultDERControl)
    hidden = (own.href, own.der_control_list_link.href, own.default_der_control_link.href)
    nowhere = await street.b.ask("GET", "/derp/9999")
    for path in hidden:
        assert path is not None
        refused = await street.b.ask("GET", path)
        assert (refused.status, refused.text.replace(path, "")) == (
            404,
            nowhere.text.replace("/derp/9999", ""),
        )
    link = (await street.b.get("/edev", EndDeviceList)).end_device[0].subscription_list_link
    assert link is not None
    wish = Subscription(
        subscribed_resource=own.der_control_list_link.href,
        encoding=0,
        level="+S1",
        limit=5,
        notification_uri="https://127.0.0.1:5000/n",
    )
    refused = await street.b.ask("POST", link.href, wish)
    assert (refused.status, "not subscribable" in refused.text) == (400, True)


async def test_who_leaves_a_group_is_told_no_more(street: Street, listen: Listen) -> None:
    heard: dict[str, asyncio.Queue[bytes]] = {}
    await street.operator.event(limit_import_w=2000, minutes=10, group="feeder-1")
    resource = (await programs(street.a))[0].der_control_list_link
    assert resource is not None
    for home in (street.a, street.b):
        queue = heard[home.lfdi] = asyncio.Queue[bytes]()

        def hook(body: bytes, queue: asyncio.Queue[bytes] = queue) -> int:
            queue.put_nowait(body)
            return 204

        link = (await home.get("/edev", EndDeviceList)).end_device[0].subscription_list_link
        assert link is not None
        uri = await listen(home.server_tls, hook)
        wish = Subscription(
            subscribed_resource=resource.href,
            encoding=0,
            level="+S1",
            limit=5,
            notification_uri=uri,
        )
        assert (await home.ask("POST", link.href, wish)).status == 201
        await asyncio.wait_for(queue.get(), WAIT_S)  # what is in the list already

    await street.good("PUT", "/fleet/groups/elsewhere", {"kind": "feeder"})
    await street.good("PUT", "/fleet/sites/site-b", {"group": "elsewhere", "reason": "rewired"})
    event = await street.operator.event(limit_import_w=1000, minutes=10, group="feeder-1")
    told = parse(await asyncio.wait_for(heard[street.a.lfdi].get(), WAIT_S), Notification)
    assert isinstance(told.resource, DERControlList)
    assert event["id"] in {control.mrid for control in told.resource.der_control}
    assert [answer["lfdi"] for answer in event["homes"]] == [street.a.lfdi]
    await street.operator.event(limit_import_w=900, minutes=10, group="feeder-1")
    await asyncio.wait_for(heard[street.a.lfdi].get(), WAIT_S)
    assert heard[street.b.lfdi].empty()
    assert len(await programs(street.b)) == 1


async def test_who_is_quarantined_sees_its_programmes_and_no_events(
    street: Street, head_end: HeadEnd, listen: Listen
) -> None:
    told: list[bytes] = []

    def hook(body: bytes) -> int:
        told.append(body)
        return 204

    link = (await street.a.get("/edev", EndDeviceList)).end_device[0].subscription_list_link
    assert link is not None
    wish = Subscription(
        subscribed_resource="/derp/1/derc",
        encoding=0,
        level="+S1",
        limit=5,
        notification_uri=await listen(street.a.server_tls, hook),
    )
    assert (await street.a.ask("POST", link.href, wish)).status == 201
    event = await street.operator.event(limit_import_w=2000, minutes=10)
    await until(lambda: _now(len(told)), lambda count: count == 1, WAIT_S, "told")
    assert await events(street.a) == [event["id"]]
    place = f"/fleet/hubs/{street.a.lfdi}/state"
    await street.good("POST", place, {"to": "quarantined", "reason": "odd readings"})
    assert await events(street.a) == [], "an empty list ends what was in force"
    assert (await street.a.get("/drp", DemandResponseProgramList)).all > 0
    answer = DERControlResponse(
        created_date_time=int(time.time()),
        end_device_lfdi=street.a.lfdi,
        status=1,
        subject=event["id"],
    )
    refused = await street.a.ask("POST", "/rsps/1/r", answer)
    assert (refused.status, "as its hub stands" in refused.text) == (403, True)
    assert await events(street.b) == [event["id"]], "others go on"
    await street.operator.event(limit_import_w=1000, minutes=10)

    async def settled() -> bool:
        async with head_end.store.reading() as connection:
            return bool((await connection.execute(select(SubscriptionRow.taken))).scalar_one())

    async def marked() -> int:
        async with head_end.store.reading() as connection:
            return int((await connection.execute(select(SubscriptionRow.told_change))).scalar_one())

    first = await marked()
    await street.operator.event(limit_import_w=900, minutes=10)
    await until(marked, lambda change: change > first, WAIT_S, "it was its turn")
    await until(settled, bool, WAIT_S, "and nothing is owed to it")
    assert len(told) == 1
    await street.good("POST", place, {"to": "retired", "reason": "taken down"})
    assert (await street.a.ask("GET", "/dcap")).status == 403


async def _now(value: int) -> int:
    return value


@pytest.fixture
async def strict(settings: HeadEndSettings) -> AsyncIterator[HeadEnd]:
    fleet = settings.fleet.model_copy(update={"strict": True})
    async with HeadEnd(settings.model_copy(update={"fleet": fleet})) as running:
        yield running


async def test_a_strict_fleet_serves_its_own_only(strict: HeadEnd, pki: Pki) -> None:
    operator = Operator(strict)
    home = Home(pki.identity("home-a"), pki, strict.addresses.base_url)
    await operator.enter(home)
    assert (await home.ask("GET", "/dcap")).status == 403
    street = Street(operator, home, home)
    await street.good("PUT", "/fleet/groups/feeder-1", {"kind": "feeder"})
    await street.good("PUT", "/fleet/sites/site-a", {"group": "feeder-1"})
    await street.good("POST", "/fleet/hubs", {"lfdi": home.lfdi, "site": "site-a"})
    assert (await home.ask("GET", "/dcap")).status == 200
    assert (await home.ask("GET", "/derp")).status == 403, "only enrolled: its own alone"
    await home.aclose()
    await operator.aclose()


@pytest.mark.parametrize(("group", "status"), [("nowhere", 404), ("", 404), (7, 422)])
async def test_a_group_that_is_not_there_is_named(
    operator: Operator, group: object, status: int
) -> None:
    answered, refused = await operator.ask(
        "POST", "/events", {"limit_import_w": 1, "minutes": 1, "group": group}
    )
    assert answered == status
    assert "group" in refused["error"]
    assert (await operator.ask("GET", "/events"))[1] == {"events": []}


async def test_enrolment_and_revocation_reach_the_fleet(
    settings: HeadEndSettings, tmp_path: Path
) -> None:
    pki = init_pki(tmp_path / "own")
    own = pki.identity("utility")
    strict = settings.fleet.model_copy(update={"strict": True})
    changed = settings.model_copy(
        update={
            "fleet": strict,
            "certificate": own.certificate,
            "key": own.key,
            "roots": pki.trust.roots,
            "crls": pki.trust.crls,
        }
    )
    async with running(changed, pki, EstSettings(pki=pki.folder)) as utility:
        code = await utility.code()
        issued = await client.enrol(code, new_key(), None, time.time)
        name = lfdi(der(issued.chain[0]))

        async def hub() -> tuple[str, str]:
            _, found = await utility.operator.ask("GET", "/fleet/hubs")
            (only,) = found["hubs"]
            return only["lfdi"], only["state"]

        assert await hub() == (name, "enrolled")
        status, _ = await utility.operator.ask("POST", f"/homes/{name}/revoke", {})
        assert status == 200
        assert await hub() == (name, "quarantined")
