"""One certificate that speaks for many homes: what it sees and does, on real connections."""

import asyncio
import time
from collections.abc import Callable

import pytest

from certs.identity import sfdi
from hems.headend import postman as postman_module
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.sep2.resources import (
    DERControlList,
    DERProgramList,
    DERStatus,
    DeviceCapability,
    DeviceInformation,
    EndDevice,
    EndDeviceList,
    LogEvent,
    MirrorMeterReading,
    MirrorUsagePoint,
    MirrorUsagePointList,
    Notification,
    Reading,
    ReadingType,
    Registration,
    Resource,
    ResponseList,
    Subscription,
)
from hems.sep2.xml import parse
from tests.hems.headend.aggregators.conftest import (
    ALIEN,
    A,
    B,
    Group,
    end_device,
    events_of,
    operate,
    response,
)
from tests.hems.headend.conftest import Home, Listen, MakeHome, Operator
from tests.hems.headend.street import Street
from tests.waiting import until

pytestmark = pytest.mark.requirement("PRO-2030.5")
WAIT_S = 10.0


def mup(lfdi: str, mrid: str = "0A" * 16) -> MirrorUsagePoint:
    return MirrorUsagePoint(
        mrid=mrid, role_flags=3, service_category_kind=0, status=1, device_lfdi=lfdi
    )


def power(value: int) -> MirrorMeterReading:
    kind = ReadingType(uom=38, power_of_ten_multiplier=0)
    return MirrorMeterReading(mrid="0C" * 16, reading=Reading(value=value), reading_type=kind)


def status_now() -> DERStatus:
    return DERStatus(reading_time=int(time.time()))


async def test_it_sees_itself_and_its_homes_and_nobody_else(group: Group) -> None:
    assert set(await group.devices()) == {group.home.lfdi, A, B}
    capability = await group.home.get("/dcap", DeviceCapability)
    assert capability.end_device_list_link is not None
    assert capability.end_device_list_link.all == 3
    for lfdi in (A, B):
        device = (await group.devices())[lfdi]
        assert device.sfdi == sfdi(lfdi)
        assert device.registration_link is not None
        pin = (await group.home.get(device.registration_link.href, Registration)).pin
        _, told = await group.operator.ask("GET", f"/homes/{lfdi}")
        assert told["pin"] == f"{pin:06d}"


def paths_of(device: str) -> list[tuple[str, str, Resource | None]]:
    """Return all that can be asked of an EndDevice."""
    read = ("", "/rg", "/fsa", "/fsa/1", "/derp", "/drp", "/der", "/der/1", "/lel", "/sub", "/lsl")
    return [
        *(("GET", device + path, None) for path in (*read, "/frq", "/frp", "/der/1/ders", "/di")),
        ("PUT", f"{device}/der/1/ders", status_now()),
        ("DELETE", device, None),
    ]


async def test_another_s_device_and_one_that_does_not_exist_are_refused_alike(
    group: Group, make_home: MakeHome
) -> None:
    other = make_home("home-b")
    await group.operator.enter(other)
    theirs = str((await other.get("/edev", EndDeviceList)).end_device[0].href)
    for method, path, body in paths_of(theirs):
        refused = await group.home.ask(method, path, body)
        absent = await group.home.ask(method, path.replace(theirs, "/edev/99999"), body)
        assert (refused.status, refused.text) == (absent.status, absent.text), (method, path)
        assert refused.status == 403, (method, path)
    # And a home of its own does not see its aggregator's by its own certificate.
    for path in (await group.path(A), await group.path(group.home.lfdi)):
        assert (await other.ask("GET", path)).status == 403


async def test_what_it_puts_and_posts_for_a_home_is_the_home_s(group: Group) -> None:
    home, path = group.home, await group.path(A)
    assert (await home.ask("PUT", f"{path}/der/1/ders", status_now())).status == 204
    about = DeviceInformation(
        lfdi=A, mf_date=0, mf_hw_ver="1", mf_id=1, mf_model="m", mf_ser_num="s",
        primary_power=1, secondary_power=0, sw_act_time=0, sw_ver="1",
    )  # fmt: skip
    assert (await home.ask("PUT", f"{path}/di", about)).status == 204
    refused = await home.ask("PUT", f"{await group.path(B)}/di", about)
    assert (refused.status, B in refused.text) == (403, True), "it is A's information"
    log = LogEvent(
        created_date_time=int(time.time()),
        function_set=0,
        log_event_code=1,
        log_event_id=1,
        log_event_pen=1,
        profile_id=1,
    )
    posted = await home.ask("POST", f"{path}/lel", log)
    assert posted.status == 201
    assert (await home.ask("GET", posted.location)).status == 200

    made = await home.ask("POST", "/mup", mup(A))
    assert made.status == 201
    assert (await home.ask("POST", "/mup", mup(A))).status == 204
    assert (await home.ask("POST", made.location, power(1500))).status == 201
    _, told = await group.operator.ask("GET", f"/homes/{A}/readings")
    assert [each["value"] for each in told["readings"]] == [1500]
    assert (await group.operator.ask("GET", f"/homes/{A}"))[1]["der_status"] is not None
    assert (await group.operator.ask("GET", f"/homes/{A}"))[1]["last_contact"] is not None
    listed = await home.get("/mup?l=255", MirrorUsagePointList)
    assert [(p.device_lfdi, p.href) for p in listed.mirror_usage_point] == [(A, made.location)]
    capability = await home.get("/dcap", DeviceCapability)
    assert capability.mirror_usage_point_list_link is not None
    assert capability.mirror_usage_point_list_link.all == 1
    assert (await home.ask("DELETE", made.location)).status == 204
    assert (await home.ask("POST", made.location, power(1))).status == 404


@pytest.mark.parametrize("lfdi", [ALIEN, "DD" * 20])
async def test_it_posts_for_nobody_else(group: Group, lfdi: str) -> None:
    event = await group.operator.event(limit_import_w=1000, minutes=10)
    for path, body in (("/rsps/1/r", response(lfdi, event["id"])), ("/mup", mup(lfdi))):
        refused = await group.home.ask("POST", path, body)
        assert (refused.status, lfdi in refused.text) == (403, True), path
    refused = await group.home.ask("POST", "/edev", end_device(lfdi))
    assert refused.status == 403
    _, after = await group.operator.ask("GET", f"/events/{event['id']}")
    assert not any(answer["responses"] for answer in after["homes"])


async def test_another_s_usage_point_is_not_there(group: Group, make_home: MakeHome) -> None:
    other = make_home("home-b")
    await group.operator.enter(other)
    theirs = (await other.ask("POST", "/mup", mup(other.lfdi))).location
    for method, body in (("GET", None), ("POST", power(7)), ("DELETE", None)):
        assert (await group.home.ask(method, theirs, body)).status == 404, method
    mine = (await group.home.ask("POST", "/mup", mup(A))).location
    for method, body in (("GET", None), ("POST", power(7)), ("DELETE", None)):
        assert (await other.ask(method, mine, body)).status == 404, method
    assert (await other.get("/mup?l=9", MirrorUsagePointList)).all == 1
    assert (await group.home.get("/mup?l=9", MirrorUsagePointList)).all == 1


async def test_each_home_answers_an_event_for_itself(group: Group) -> None:
    event = await group.operator.event(limit_import_w=1000, minutes=10)
    made = {}
    for lfdi, code in ((A, 1), (A, 2), (B, 1), (group.home.lfdi, 1)):
        answer = await group.home.ask("POST", "/rsps/1/r", response(lfdi, event["id"], code))
        assert answer.status == 201, answer.text
        made[lfdi, code] = answer.location
    again = await group.home.ask("POST", "/rsps/1/r", response(B, event["id"], 1))
    assert again.status == 201
    _, told = await group.operator.ask("GET", f"/events/{event['id']}")
    codes = {each["lfdi"]: [r["status"] for r in each["responses"]] for each in told["homes"]}
    assert codes[A][:2] == [1, 2]
    assert codes[group.home.lfdi] == [1]
    assert codes[ALIEN] == []
    listed = await group.home.get("/rsps/1/r?l=255", ResponseList)
    assert {r.end_device_lfdi for r in listed.response} == {A, B, group.home.lfdi}
    for location in made.values():
        assert (await group.home.ask("GET", location)).status == 200


async def test_it_enters_and_removes_homes_where_it_may(group: Group) -> None:
    fresh = "E5" * 20
    assert (await group.home.ask("POST", "/edev", end_device(fresh))).status == 403
    await group.good("PUT", group.place, {"may_register": True, "most": 3})
    made = await group.home.ask("POST", "/edev", end_device(fresh))
    assert made.status == 201
    assert (await group.home.ask("POST", "/edev", end_device(fresh))).location == made.location
    assert (await group.home.get(made.location, EndDevice)).lfdi == fresh
    assert (await group.home.ask("POST", "/edev", end_device(A))).location == await group.path(A)
    refused = await group.home.ask("POST", "/edev", end_device("E6" * 20))
    assert (refused.status, "3 homes at most" in refused.text) == (403, True)
    refused = await group.home.ask("POST", "/edev", end_device(ALIEN))
    assert (refused.status, "may speak for" in refused.text) == (403, True)
    wrong = EndDevice(sfdi=sfdi(A), lfdi="E7" * 20, changed_time=0)
    assert (await group.home.ask("POST", "/edev", wrong)).status == 400

    kept = await group.home.ask("DELETE", await group.path(A))
    assert (kept.status, "entered by the utility" in kept.text) == (403, True)
    itself = await group.home.ask("DELETE", await group.path(group.home.lfdi))
    assert (itself.status, itself.headers["Allow"]) == (405, "GET,HEAD")
    assert (await group.home.ask("DELETE", made.location)).status == 204
    assert (await group.home.ask("GET", made.location)).status == 403
    assert set(await group.devices()) == {group.home.lfdi, A, B}


async def test_each_home_has_the_programmes_of_its_own_groups(group: Group) -> None:
    street = Street(group.operator, group.home, group.home)
    for name in ("a", "b", "x"):
        await street.good("PUT", f"/fleet/groups/tx-{name}", {"kind": "transformer"})
        await street.good("PUT", f"/fleet/sites/site-{name}", {"group": f"tx-{name}"})
    for lfdi, name in ((A, "a"), (B, "b"), (ALIEN, "x")):
        await operate(street, lfdi, f"site-{name}")
    every = await group.operator.event(limit_import_w=9000, minutes=10)
    ordered = {
        name: (await group.operator.event(limit_import_w=900, minutes=10, group=f"tx-{name}"))["id"]
        for name in ("a", "b", "x")
    }
    assert await events_of(group, A) == {ordered["a"], every["id"]}
    assert await events_of(group, B) == {ordered["b"], every["id"]}
    assert await events_of(group, group.home.lfdi) == {every["id"]}
    alien = group.operator
    _, shown = await alien.ask("GET", f"/events/{ordered['x']}")
    assert [each["lfdi"] for each in shown["homes"]] == [ALIEN]
    seen = [(await group.home.ask("GET", f"/derp/{index}/derc")).status for index in (1001, 1002)]
    assert seen == [200, 200]
    assert (await group.home.ask("GET", "/derp/1003/derc")).status == 404, "of a group of others"
    own = await group.home.get("/derp?l=9", DERProgramList)
    assert len(own.der_program) == 1, "its own EndDevice is in no group"

    # One of them is quarantined: its events end, the neighbours' go on, nothing is said for it.
    state = f"/fleet/hubs/{A}/state"
    await street.good("POST", state, {"to": "quarantined", "reason": "odd readings"})
    assert await events_of(group, A) == set()
    assert await events_of(group, B) == {ordered["b"], every["id"]}
    refused = await group.home.ask("POST", "/rsps/1/r", response(A, every["id"]))
    assert (refused.status, "as its hub stands" in refused.text) == (403, True)
    refused = await group.home.ask("PUT", f"{await group.path(A)}/der/1/ders", status_now())
    assert refused.status == 403
    assert (await group.home.ask("GET", "/derp/1001/derc")).status == 200
    listed = await group.home.get("/derp/1001/derc?l=9", DERControlList)
    assert listed.der_control == (), "nobody else is in that group"
    await street.good("POST", state, {"to": "retired", "reason": "taken down"})
    assert set(await group.devices()) == {group.home.lfdi, B}


async def test_it_subscribes_for_its_homes_at_its_own_address(
    group: Group, listen: Listen, make_home: MakeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postman_module, "RETRY_DELAYS_S", ())
    street = Street(group.operator, group.home, group.home)
    await street.good("PUT", "/fleet/groups/tx-a", {"kind": "transformer"})
    await street.good("PUT", "/fleet/sites/site-a", {"group": "tx-a"})
    await operate(street, A, "site-a")
    first = await group.operator.event(limit_import_w=900, minutes=10, group="tx-a")
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    def hook(body: bytes) -> int:
        heard.put_nowait(body)
        return 204

    async def subscribe(lfdi: str, uri: str, resource: str) -> int:
        wish = Subscription(
            subscribed_resource=resource,
            encoding=0,
            level="+S1",
            limit=5,
            notification_uri=uri,
        )
        return (await group.home.ask("POST", f"{await group.path(lfdi)}/sub", wish)).status

    async def next_told() -> set[str]:
        told = parse(await asyncio.wait_for(heard.get(), WAIT_S), Notification)
        assert isinstance(told.resource, DERControlList)
        return {control.mrid for control in told.resource.der_control}

    uri = await listen(group.home.server_tls, hook)
    assert await subscribe(A, uri, "/derp/1001/derc") == 201
    assert await next_told() == {first["id"]}
    assert await subscribe(B, uri, "/derp/1001/derc") == 400, "B is not in that group"
    assert await subscribe(group.home.lfdi, uri, "/derp/1001/derc") == 201
    assert await next_told() == {first["id"]}, "by its own EndDevice, for its homes"
    second = await group.operator.event(limit_import_w=800, minutes=10, group="tx-a")
    assert await next_told() == await next_told() == {first["id"], second["id"]}

    async def notified() -> object:
        _, told = await group.operator.ask("GET", f"/events/{second['id']}")
        return told["homes"][0]["notified_at"]

    await until(notified, bool, WAIT_S, "it is written down when A was told")
    # Another device at that address is told nothing.
    stranger = make_home("home-c")
    stolen = await listen(stranger.server_tls, hook)
    assert await subscribe(A, stolen, "/derp/1001/derc") == 201
    await group.operator.event(limit_import_w=700, minutes=10, group="tx-a")
    assert len(await next_told()) == 3, "of the aggregator's own subscription"
    assert heard.empty()


async def test_pages_miss_no_home_while_homes_come(group: Group) -> None:
    await group.good("PUT", group.place, {"may_register": True})
    await group.give(*(f"{number:040X}" for number in range(40)))
    before = set(await group.devices())
    assert len(before) == 43
    seen: list[str] = []
    start = 0
    while True:
        page = await group.home.get(f"/edev?s={start}&l=7", EndDeviceList)
        assert page.results == len(page.end_device) <= 7
        if not page.end_device:
            break
        seen += [str(each.lfdi) for each in page.end_device]
        start += 7
        if len(seen) < 20:
            fresh = end_device(f"{'F' * 20}{start:020X}")
            assert (await group.home.ask("POST", "/edev", fresh)).status == 201
    assert before <= set(seen)
    whole = list((await group.devices()).values())
    order = [(-each.changed_time, each.sfdi) for each in whole]
    assert order == sorted(order), "the latest first, then by SFDI"
    at = int(time.time()) + 60
    assert (await group.home.get(f"/edev?l=9&a={at}", EndDeviceList)).results == 0
    assert (await group.home.get("/edev?l=99&a=0", EndDeviceList)).results == len(whole)


async def test_a_home_that_is_released_is_seen_no_more(group: Group, operator: Operator) -> None:
    path = await group.path(A)
    event = await operator.event(limit_import_w=1000, minutes=10)
    point = (await group.home.ask("POST", "/mup", mup(A))).location
    said = (await group.home.ask("POST", "/rsps/1/r", response(A, event["id"]))).location
    await group.good("DELETE", f"{group.place}/homes/{A}")
    assert set(await group.devices()) == {group.home.lfdi, B}
    for gone, status in ((path, 403), (point, 404), (said, 404)):
        assert (await group.home.ask("GET", gone)).status == status, gone
    assert (await group.home.get("/mup?l=9", MirrorUsagePointList)).all == 0
    assert (await group.home.get("/rsps/1/r?l=9", ResponseList)).all == 0
    assert (await operator.ask("GET", f"/homes/{A}"))[0] == 200, "it is a home like any other"
    await group.give(A)
    for back in (path, point, said):
        assert (await group.home.ask("GET", back)).status == 200, back


async def test_a_home_may_come_by_its_own_certificate_as_well(
    group: Group, make_home: MakeHome
) -> None:
    other = make_home("home-b")
    await group.operator.enter(other)
    await group.give(other.lfdi)
    own = await other.get("/edev?l=9", EndDeviceList)
    assert [each.lfdi for each in own.end_device] == [other.lfdi]
    made = await other.ask("POST", "/mup", mup(other.lfdi))
    assert made.status == 201
    assert (await group.home.ask("GET", made.location)).status == 200
    assert (await other.ask("GET", await group.path(A))).status == 403
    assert (await other.ask("POST", "/mup", mup(A))).status == 403


async def test_it_may_ask_as_often_as_its_homes_together(
    settings: HeadEndSettings, pki_home: Callable[[HeadEnd, str], Home]
) -> None:
    limited = settings.model_copy(update={"requests_per_minute": 5})
    async with HeadEnd(limited) as head_end:
        operator, home = Operator(head_end), pki_home(head_end, "home-a")
        try:
            wish = {"lfdi": home.lfdi, "pin": "123455", "edition": "csip-aus"}
            assert (await operator.ask("POST", "/aggregators", wish))[0] == 201
            homes = {"homes": [{"lfdi": A}, {"lfdi": B}]}
            place = f"/aggregators/{home.lfdi}/homes"
            assert (await operator.ask("POST", place, homes))[0] == 201
            answers = [(await home.ask("GET", "/tm")).status for _ in range(17)]
            assert answers[:15] == [200] * 15
            assert 429 in answers[15:]
        finally:
            await home.aclose()
            await operator.aclose()
