"""What contracts keep from homes, an aggregator does not see for them either."""

import asyncio
import time

import pytest

from hems.sep2.resources import (
    ActivePower,
    DefaultDERControl,
    DemandResponseProgramList,
    DERControlList,
    DERCurveList,
    DERProgram,
    DERProgramList,
    EndDeviceControlList,
    Link,
    LoadShedAvailability,
    Notification,
    Subscription,
)
from hems.sep2.xml import parse
from tests.hems.headend.aggregators.conftest import ALIEN, A, B, Group, events_of, operate
from tests.hems.headend.conftest import Listen
from tests.hems.headend.street import Street

pytestmark = pytest.mark.requirement("L3-POLICY", "PRO-2030.5")
WAIT_S = 10.0


@pytest.fixture
async def fleet(group: Group) -> Group:
    """The aggregator's two homes at a transformer each, commissioned."""
    street = Street(group.operator, group.home, group.home)
    for lfdi, name in ((A, "a"), (B, "b"), (ALIEN, "x")):
        await street.good("PUT", f"/fleet/groups/tx-{name}", {"kind": "transformer"})
        await street.good("PUT", f"/fleet/sites/site-{name}", {"group": f"tx-{name}"})
        await operate(street, lfdi, f"site-{name}")
    return group


async def limit(group: Group, lfdi: str, most_w: int | None, *, disconnect: bool = True) -> None:
    wish = {"largest_event_w": most_w, "may_disconnect": disconnect, "reason": "contract"}
    await group.good("PUT", f"/fleet/hubs/{lfdi}/policy", wish)


async def programmes(group: Group, lfdi: str) -> list[DERProgram]:
    listed = await group.home.get(f"{await group.path(lfdi)}/derp?l=9", DERProgramList)
    return list(listed.der_program)


async def test_each_home_sees_what_its_own_contract_lets_through(fleet: Group) -> None:
    small = await fleet.operator.event(target_w=2000, minutes=10)
    large = await fleet.operator.event(target_w=2001, minutes=10, start="+20m")
    apart = await fleet.operator.event(connect=False, minutes=10, start="+40m")
    every = {small["id"], large["id"], apart["id"]}
    assert await events_of(fleet, A) == await events_of(fleet, B) == every
    await limit(fleet, A, 2000)
    assert await events_of(fleet, A) == {small["id"], apart["id"]}
    assert await events_of(fleet, B) == every
    await limit(fleet, B, None, disconnect=False)
    assert await events_of(fleet, A) == {small["id"], apart["id"]}
    assert await events_of(fleet, B) == {small["id"], large["id"]}
    await limit(fleet, A, 3000)
    assert await events_of(fleet, A) == every
    for lfdi in (A, B):
        await limit(fleet, lfdi, None)
    assert await events_of(fleet, A) == await events_of(fleet, B) == every


async def test_a_copy_of_a_programme_is_whole(fleet: Group) -> None:
    curve = {"mode": "volt_var", "points": [[0.9, 10], [1.1, 0]]}
    status, made = await fleet.operator.ask("POST", "/curves", curve)
    assert status == 201, made
    (before,) = [p for p in await programmes(fleet, A) if p.description == "Peak Saver"]
    await limit(fleet, A, 2000)
    event = await fleet.operator.event(target_w=100, volt_var=made["id"], minutes=10)
    large = await fleet.operator.event(target_w=5000, minutes=10, start="+20m")
    (own,) = [p for p in await programmes(fleet, A) if p.description == "Peak Saver"]
    assert (own.primacy, own.href == before.href, own.mrid == before.mrid) == (
        before.primacy,
        False,
        False,
    )
    again = await fleet.home.get(str(own.href), DERProgram)
    assert again == own
    assert own.der_control_list_link is not None
    assert own.der_control_list_link.all == 1
    listed = await fleet.home.get(own.der_control_list_link.href, DERControlList)
    (control,) = listed.der_control
    assert control.mrid == event["id"]
    assert (await fleet.home.ask("GET", str(control.href))).status == 200
    other = str(control.href).replace(event["id"], large["id"])
    assert (await fleet.home.ask("GET", other)).status == 404
    assert own.default_der_control_link is not None
    default = await fleet.home.get(own.default_der_control_link.href, DefaultDERControl)
    assert default.href == own.default_der_control_link.href
    assert own.der_curve_list_link is not None
    (kept,) = (await fleet.home.get(own.der_curve_list_link.href, DERCurveList)).der_curve
    base = control.der_control_base
    assert base is not None
    assert base.op_mod_volt_var is not None
    assert base.op_mod_volt_var.href == kept.href
    assert (await fleet.home.ask("GET", str(kept.href))).status == 200
    # It is nobody else's, and is gone with the contract.
    (theirs,) = [p for p in await programmes(fleet, B) if p.description == "Peak Saver"]
    assert theirs.href == before.href
    await limit(fleet, A, None)
    links = (own.der_control_list_link, own.default_der_control_link)
    for path in (str(own.href), *(link.href for link in links)):
        assert (await fleet.home.ask("GET", path)).status == 404
    assert [p.href for p in await programmes(fleet, A) if p.mrid == before.mrid] == [before.href]


async def test_nobody_reads_by_a_home_what_is_not_for_it(fleet: Group) -> None:
    """Where a limited home is the only one of a group, the group's own lists are not there."""
    large = await fleet.operator.event(target_w=5000, minutes=10, group="tx-a")
    path = "/derp/1001/derc"
    listed = await fleet.home.get(path, DERControlList)
    assert [control.mrid for control in listed.der_control] == [large["id"]]
    await limit(fleet, A, 2000)
    for place in (path, f"{path}/{large['id']}"):
        assert (await fleet.home.ask("GET", place)).status == 404, place


async def test_load_of_a_limited_home_is_shed_within_its_contract(fleet: Group) -> None:
    support = {"program": "Energy Support"}
    small = await fleet.operator.event(shed_w=900, minutes=10, **support)
    await fleet.operator.event(shed_w=2500, minutes=10, start="+20m", **support)
    await limit(fleet, A, 1000)
    listed = await fleet.home.get(f"{await fleet.path(A)}/drp?l=9", DemandResponseProgramList)
    seen: list[str] = []
    for program in listed.demand_response_program:
        link = program.end_device_control_list_link
        assert link is not None
        items = await fleet.home.get(link.href, EndDeviceControlList)
        seen += [control.mrid for control in items.end_device_control]
        entry = LoadShedAvailability(
            sheddable_power=ActivePower.of(2500),
            demand_response_program_link=Link(href=str(program.href)),
        )
        made = await fleet.home.ask("POST", f"{await fleet.path(A)}/lsl", entry)
        assert made.status == 201, made.text
    assert seen == [small["id"]]
    later = round(time.time()) + 7200
    _, could = await fleet.operator.ask("GET", f"/availability?group=tx-a&from={later}")
    assert could["shed"]["w"] == 1000, "no more than its contract lets it be asked for"


async def test_what_its_contract_lets_through_is_notified(fleet: Group, listen: Listen) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    def hook(body: bytes) -> int:
        heard.put_nowait(body)
        return 204

    async def next_told() -> set[str]:
        told = parse(await asyncio.wait_for(heard.get(), WAIT_S), Notification)
        assert isinstance(told.resource, DERControlList)
        return {control.mrid for control in told.resource.der_control}

    await limit(fleet, A, 2000)
    (own,) = [p for p in await programmes(fleet, A) if p.description == "Peak Saver"]
    assert own.der_control_list_link is not None
    wish = Subscription(
        subscribed_resource=own.der_control_list_link.href,
        encoding=0,
        level="+S1",
        limit=5,
        notification_uri=await listen(fleet.home.server_tls, hook),
    )
    assert (await fleet.home.ask("POST", f"{await fleet.path(A)}/sub", wish)).status == 201
    await fleet.operator.event(target_w=5000, minutes=10)
    small = await fleet.operator.event(target_w=500, minutes=10, start="+20m")
    assert await next_told() == {small["id"]}
    await fleet.operator.ask("POST", f"/events/{small['id']}/cancel")
    assert await next_told() == {small["id"]}, "taken back"
    assert heard.empty()
