"""The seven exchange patterns over real HTTP, on the head-end's own database."""

import asyncio
import time
from typing import Any

import pytest

from hems.headend.cim.der import (
    CurvePoint,
    DERGroupDispatches,
    DERGroupQueries,
    DERGroups,
    DERGroupStatuses,
    DeviceGroup,
    Direction,
    DispatchParameter,
    EndDevice,
    GroupAsked,
    GroupDispatch,
    GroupNamed,
    Multiplier,
    Name,
    Parameter,
    Schedule,
    TimeUnit,
    Unit,
)
from hems.headend.cim.envelope import Identity, Kind, Message, Request, Result, Verb
from hems.headend.cim.metering import (
    DemandResponse,
    EndDeviceControl,
    EndDeviceControls,
    EndDeviceEvents,
    GetMeterReadings,
    MeterReadings,
    Ref,
    Span,
    TimeSchedule,
)
from hems.headend.cim.nouns import Noun
from hems.headend.modes import Mode
from hems.headend.server import HeadEnd
from hems.sep2.resources import (
    DateTimeInterval,
    DERControlResponse,
    EndDeviceList,
    LogEvent,
    MirrorMeterReading,
    MirrorUsagePoint,
    Reading,
    ReadingType,
)
from tests.hems.headend.cim.conftest import EYE, OMS, Inbox, Side, Start, message, same_id
from tests.hems.headend.conftest import Home, Operator
from tests.waiting import until

pytestmark = pytest.mark.requirement("PRO-CIM")

WITHIN_S = 30.0


def group(*homes: Home, mrid: str = "g1", name: str = "North") -> DeviceGroup:
    return DeviceGroup(
        mrid=mrid,
        names=(Name(name=name),),
        devices=tuple(EndDevice(mrid=home.lfdi) for home in homes),
    )


def groups(*items: DeviceGroup) -> DERGroups:
    return DERGroups(groups=items)


def dispatch(mrid: str | None = "d1", group: str = "g1", **more: Any) -> DERGroupDispatches:
    """10 kW to the grid from the group, for a quarter of an hour, in a minute."""
    values: dict[str, Any] = {
        "start": float(int(time.time()) + 60),
        "duration": 15,
        "unit": TimeUnit.MINUTE,
        "points": (CurvePoint(interval=1, nominal=10.0),),
    }
    asked = DispatchParameter(
        parameter=Parameter.ACTIVE_POWER,
        direction=Direction.REVERSE,
        multiplier=Multiplier.KILO,
        unit=Unit.WATT,
        schedules=(Schedule(**values | more),),
    )
    return DERGroupDispatches(
        dispatches=(GroupDispatch(mrid=mrid, group=GroupAsked(mrid=group, parameters=(asked,))),)
    )


def ids(*values: str, kind: str | None = None) -> Request:
    return Request(ids=tuple(Identity(value=value, object_type=kind) for value in values))


async def grouped(side: Side, *homes: Home) -> Side:
    got = await side.system().send(message(Verb.CREATE, Noun.GROUPS, groups(group(*homes))))
    assert got.status == 200, got.body
    return side


# create/update/delete, and query/response


async def test_groups_are_made_changed_asked_for_and_deleted(
    side: Side, home: Home, other: Home
) -> None:
    system = side.system()
    got = await system.send(message(Verb.CREATE, Noun.GROUPS, groups(group(home))))
    assert (got.status, got.code) == (200, "0.0")
    header = got.message.header
    assert header is not None
    assert (header.verb, header.noun, header.source) == (Verb.REPLY, "DERGroups", "hems-headend")
    got = await system.send(message(Verb.CHANGE, Noun.GROUPS, groups(group(home, other))))
    assert got.code == "0.0"
    found = (await system.send(message(Verb.GET, Noun.GROUPS))).message.payload
    assert isinstance(found, DERGroups)
    (kept,) = found.groups
    assert {device.mrid for device in kept.devices} == {home.lfdi, other.lfdi}
    query = DERGroupQueries(groups=(GroupNamed(names=(Name(name="North"),)),))
    for asked in (
        message(Verb.GET, Noun.GROUPS, query=query),
        message(Verb.GET, Noun.GROUP_QUERIES, query),
        message(Verb.GET, Noun.GROUPS, request=ids("g1", kind="EndDeviceGroup")),
    ):
        assert (await system.send(asked)).message.payload == found
    got = await system.send(message(Verb.DELETE, Noun.GROUPS, request=ids("g1")))
    assert got.code == "0.0"
    got = await system.send(message(Verb.GET, Noun.GROUPS))
    assert (got.code, got.message.payload) == ("0.0", None)
    patterns = [row["pattern"] for row in await side.trail()]
    assert patterns[0] == "create/update/delete"
    assert patterns[2] == "query/response"


async def test_a_group_made_without_an_id_gets_one_that_its_reply_tells(
    side: Side, home: Home
) -> None:
    named = DeviceGroup(names=(Name(name="South"),), devices=(EndDevice(mrid=home.lfdi.lower()),))
    got = await side.system().send(message(Verb.CREATE, Noun.GROUPS, groups(named)))
    reply = got.message.reply
    assert reply is not None
    (made,) = reply.ids
    assert made.kind == "mRID"
    got = await side.system().send(message(Verb.GET, Noun.GROUPS, request=ids(made.value)))
    assert got.code == "0.0"


async def test_groups_that_contradict_what_is_there_change_nothing(
    side: Side, home: Home, stranger: Home
) -> None:
    await grouped(side, home)
    system = side.system()
    wrong = [
        (Verb.CREATE, groups(group(name="Other")), "2.29", "there is a group g1 already"),
        (Verb.CREATE, groups(group(mrid="g2")), "2.29", "has the name North already"),
        (Verb.CREATE, groups(group(stranger, mrid="g2", name="S")), "2.4", "there is no home"),
        (Verb.CREATE, groups(group(home, home, mrid="g2", name="S")), "2.29", "there twice"),
        (Verb.CREATE, groups(DeviceGroup(mrid="g2")), "1.7", "needs a name"),
        (
            Verb.CREATE,
            groups(group(mrid="a", name="A"), group(mrid="a", name="B")),
            "2.29",
            "twice",
        ),
        (Verb.CHANGE, groups(group(mrid="g2", name="X")), "2.15", "there is no group g2"),
        (Verb.DELETE, groups(group(mrid="g2", name="X")), "2.15", "there is no group g2"),
        (Verb.DELETE, groups(group(name="Wrong")), "2.29", "has the name North, not Wrong"),
    ]
    for verb, payload, code, words in wrong:
        got = await system.send(message(verb, Noun.GROUPS, payload))
        assert (got.code, words in got.reason) == (code, True), got.body
    found = (await system.send(message(Verb.GET, Noun.GROUPS))).message.payload
    assert found == groups(group(home))


# request/response


async def test_a_dispatch_becomes_an_event_shared_among_the_groups_homes(
    side: Side, home: Home, other: Home, head_end: HeadEnd
) -> None:
    await grouped(side, home, other)
    got = await side.system().send(message(Verb.CREATE, Noun.DISPATCHES, dispatch()))
    assert (got.status, got.code) == (200, "0.0"), got.body
    reply = got.message.reply
    assert reply is not None
    assert [each.value for each in reply.ids] == ["d1"]
    (event,) = head_end.book.events
    assert dict(event.values) == {Mode.TARGET_W: 5000.0}
    assert event.duration_s == 900


async def test_intervals_become_one_event_each_all_or_none(
    side: Side, home: Home, head_end: HeadEnd
) -> None:
    await grouped(side, home)
    points = tuple(CurvePoint(interval=n, nominal=float(n)) for n in (1, 2, 3))
    got = await side.system().send(message(Verb.CREATE, Noun.DISPATCHES, dispatch(points=points)))
    assert got.code == "0.0"
    assert sorted(event.values[Mode.TARGET_W] for event in head_end.book.events) == [
        1000.0,
        2000.0,
        3000.0,
    ]
    # The third of these is beyond what any home can be told; the first two make sense.
    points = tuple(CurvePoint(interval=n, nominal=10.0 ** (3 * n)) for n in (1, 2, 3))
    before = await side.trail()
    got = await side.system().send(
        message(Verb.CREATE, Noun.DISPATCHES, dispatch("d2", points=points))
    )
    assert (got.status, got.code) == (422, "5.2")
    assert "target_w" in got.reason
    assert len(head_end.book.events) == 3
    assert len(await side.trail()) == len(before) + 1


async def test_a_demand_response_is_cancelled_by_its_id_and_by_nobody_else(
    side: Side, home: Home, head_end: HeadEnd
) -> None:
    await grouped(side, home)
    asked = EndDeviceControl(
        mrid="c1",
        demand_response=DemandResponse(duration_min=30.0, load_percent=-20.0),
        devices=(EndDevice(mrid=home.lfdi),),
    )
    payload = EndDeviceControls(controls=(asked,))
    got = await side.system().send(message(Verb.CREATE, Noun.CONTROLS, payload))
    assert got.code == "0.0", got.body
    (event,) = head_end.book.events
    assert dict(event.values) == {Mode.LOAD_PERCENT: 20.0}
    cancel = message(Verb.CANCEL, Noun.CONTROLS, request=ids("c1"), source=OMS)
    got = await side.system(OMS).send(cancel)
    assert (got.status, got.code) == (404, "2.15")
    got = await side.system().send(message(Verb.CANCEL, Noun.CONTROLS, request=ids("c1")))
    assert got.code == "0.0", got.body
    assert head_end.book.event(event.mrid).cancelled_at is not None
    got = await side.system().send(message(Verb.CANCEL, Noun.CONTROLS, request=ids("c1")))
    assert (got.status, got.code) == (409, "6.1")
    assert "cancelled already" in got.reason


async def test_a_mandatory_control_takes_a_programme_that_nobody_may_leave(
    side: Side, home: Home, head_end: HeadEnd
) -> None:
    asked = EndDeviceControl(
        mandatory=True,
        demand_response=DemandResponse(duration_min=30.0, duty_percent=50.0),
        devices=(EndDevice(mrid=home.lfdi),),
    )
    payload = EndDeviceControls(controls=(asked,))
    assert (await side.system().send(message(Verb.CREATE, Noun.CONTROLS, payload))).code == "0.0"
    (event,) = head_end.book.events
    assert head_end.book.programs[event.program].mandatory


async def test_an_order_to_some_homes_is_refused_where_no_programme_reaches_just_these(
    side: Side, home: Home, other: Home, head_end: HeadEnd
) -> None:
    await grouped(side, home)
    assert other.lfdi != home.lfdi
    got = await side.system().send(message(Verb.CREATE, Noun.DISPATCHES, dispatch()))
    assert (got.status, got.code) == (422, "5.2")
    assert "no programme reaches just these 1 homes" in got.reason
    assert not head_end.book.events


# repeated delivery


async def test_the_same_message_again_gets_the_same_answer_and_does_nothing(
    side: Side, home: Home, head_end: HeadEnd
) -> None:
    await grouped(side, home)
    sent = message(Verb.CREATE, Noun.DISPATCHES, dispatch(None))
    first = await side.system().send(sent)
    again = await side.system().send(sent)
    later = await side.system().send(same_id(sent, timestamp=time.time() + 1))
    assert first.code == "0.0"
    assert {again.body, later.body} == {first.body}
    assert len(head_end.book.events) == 1
    other = await side.system().send(same_id(sent, comment="changed"))
    assert (other.status, other.code) == (409, "7.7")
    assert "another message had the id" in other.reason
    assert len(head_end.book.events) == 1
    results = [row["result"] for row in await side.trail()]
    assert results[1:] == ["OK", "REPEATED", "REPEATED", "FAILED"]


async def test_a_refusal_is_remembered_as_any_answer(side: Side, home: Home) -> None:
    sent = message(Verb.CREATE, Noun.DISPATCHES, dispatch())
    first = await side.system().send(sent)
    assert first.code == "2.15"
    await grouped(side, home)
    assert (await side.system().send(sent)).body == first.body


async def test_many_copies_at_once_are_done_once(side: Side, home: Home, head_end: HeadEnd) -> None:
    await grouped(side, home)
    sent = message(Verb.CREATE, Noun.DISPATCHES, dispatch())
    got = await asyncio.gather(*(side.system().send(sent) for _ in range(8)))
    assert {each.body for each in got} == {got[0].body}
    assert len(head_end.book.events) == 1


async def test_another_peers_message_of_the_same_id_is_another(side: Side) -> None:
    sent = message(Verb.GET, Noun.GROUPS, message_id="m1")
    assert (await side.system().send(sent)).code == "0.0"
    sent = message(Verb.GET, Noun.READINGS, message_id="m1", source=OMS)
    assert (await side.system(OMS).send(sent)).code == "0.0"


async def test_an_mrid_that_another_message_has_ordered_is_refused(
    side: Side, home: Home, head_end: HeadEnd
) -> None:
    await grouped(side, home)
    got = await side.system().send(message(Verb.CREATE, Noun.DISPATCHES, dispatch()))
    assert got.code == "0.0"
    got = await side.system().send(message(Verb.CREATE, Noun.DISPATCHES, dispatch()))
    assert (got.status, got.code) == (409, "2.29")
    assert "ordered by another message already" in got.reason
    assert len(head_end.book.events) == 1


async def test_a_replay_of_what_is_forgotten_is_too_old(
    side: Side, home: Home, head_end: HeadEnd
) -> None:
    await grouped(side, home)
    sent = message(Verb.CREATE, Noun.DISPATCHES, dispatch())
    assert (await side.system().send(sent)).code == "0.0"
    side.clock.ahead_s = 2 * 86_400
    await side.cim.keep()
    got = await side.system().send(sent)
    assert (got.status, got.code) == (409, "7.7")
    assert "s back; 300 s are let pass" in got.reason
    assert len(head_end.book.events) == 1


# send/receive


async def test_a_message_is_acknowledged_at_once_and_answered_later(
    side: Side, home: Home, inbox: Inbox, head_end: HeadEnd
) -> None:
    await grouped(side, home)
    sent = message(
        Verb.CREATE,
        Noun.DISPATCHES,
        dispatch(),
        async_reply=True,
        reply_address=inbox.url,
        correlation_id="cor-1",
    )
    got = await side.system().send(sent)
    assert (got.status, got.code) == (202, "0.3")
    again = await side.system().send(sent)
    assert again.body == got.body
    (answer,) = await until(_copy(inbox), bool, WITHIN_S, "the answer")
    assert answer.header is not None
    assert answer.header.correlation_id == "cor-1"
    assert answer.reply is not None
    assert (answer.reply.result, answer.reply.ids[0].value) == (Result.OK, "d1")
    assert len(head_end.book.events) == 1


async def test_a_later_answer_says_what_was_refused(side: Side, inbox: Inbox) -> None:
    sent = message(
        Verb.CREATE, Noun.DISPATCHES, dispatch(), async_reply=True, reply_address=inbox.url
    )
    assert (await side.system().send(sent)).status == 202
    (answer,) = await until(_copy(inbox), bool, WITHIN_S, "the answer")
    assert answer.reply is not None
    assert (answer.reply.result, answer.reply.problems[0].code) == (Result.FAILED, "2.15")


async def test_what_was_acknowledged_is_done_after_a_restart(
    start: Start, home: Home, inbox: Inbox, head_end: HeadEnd
) -> None:
    idle = await grouped(await start(work=False), home)
    sent = message(
        Verb.CREATE, Noun.DISPATCHES, dispatch(), async_reply=True, reply_address=inbox.url
    )
    assert (await idle.system().send(sent)).status == 202
    assert not head_end.book.events
    await start()
    (answer,) = await until(_copy(inbox), bool, WITHIN_S, "the answer")
    assert answer.reply is not None
    assert answer.reply.result is Result.OK
    assert len(head_end.book.events) == 1


async def test_an_answer_waits_until_it_is_taken(side: Side, inbox: Inbox) -> None:
    inbox.status = 503
    sent = message(Verb.GET, Noun.GROUPS, async_reply=True, reply_address=inbox.url)
    assert (await side.system().send(sent)).status == 202

    async def tries() -> int:
        rows = await side.trail()
        return sum(row["direction"] == "out" and row["result"] == "QUEUED" for row in rows)

    assert await until(tries, lambda n: n == 1, WITHIN_S, "an answer that waits") == 1
    inbox.status = 200
    await until(_copy(inbox), bool, WITHIN_S, "the answer")
    await until(lambda: _results(side), lambda r: "DELIVERED" in r, WITHIN_S, "a row that says so")


async def test_an_answer_that_is_refused_is_not_brought_again(side: Side, inbox: Inbox) -> None:
    inbox.status = 403
    sent = message(Verb.GET, Noun.GROUPS, async_reply=True, reply_address=inbox.url)
    assert (await side.system().send(sent)).status == 202
    await until(lambda: _results(side), lambda r: "REFUSED" in r, WITHIN_S, "a refusal")


# event/action, fire/forget


async def test_an_event_of_a_groups_master_changes_the_group(side: Side, home: Home) -> None:
    told = message(Verb.CREATED, Noun.GROUPS, groups(group(home)), kind=Kind.EVENT)
    got = await side.system().send(told)
    assert (got.status, got.body) == (202, b"")
    told = message(Verb.CHANGED, Noun.GROUPS, groups(group()), kind=Kind.EVENT, ack_required=True)
    assert (await side.system().send(told)).code == "0.0"
    found = (await side.system().send(message(Verb.GET, Noun.GROUPS))).message.payload
    assert found == groups(group())
    assert (await side.trail())[0]["pattern"] == "event/action"


async def test_an_order_whose_sender_does_not_wait_is_done(
    side: Side, home: Home, head_end: HeadEnd
) -> None:
    await grouped(side, home)
    sent = message(Verb.CREATE, Noun.DISPATCHES, dispatch(), ack_required=False)
    got = await side.system().send(sent)
    assert (got.status, got.body) == (202, b"")
    assert len(head_end.book.events) == 1
    assert (await side.trail())[-1]["pattern"] == "fire/forget"


# publish/subscribe


async def test_who_wants_to_be_told_is_told(side: Side, home: Home, inbox: Inbox) -> None:
    system = side.system(EYE)
    for noun in ("DERGroups", "DERGroupDispatches"):
        status, kept = await system.ask(
            "POST", "/cim/subscriptions", {"noun": noun, "address": inbox.url}
        )
        assert status == 201, kept
    status, again = await system.ask(
        "POST", "/cim/subscriptions", {"noun": "DERGroups", "address": inbox.url}
    )
    assert status == 201
    status, found = await system.ask("GET", "/cim/subscriptions")
    assert [each["noun"] for each in found["subscriptions"]] == ["DERGroups", "DERGroupDispatches"]
    await grouped(side, home)
    payload = dispatch()
    await side.system().send(message(Verb.CREATE, Noun.DISPATCHES, payload))
    await side.system().send(message(Verb.CANCEL, Noun.DISPATCHES, payload))
    told = await until(_copy(inbox), lambda got: len(got) == 3, WITHIN_S, "three events")
    headers = [each.header for each in told if each.header is not None]
    assert sorted(header.verb for header in headers) == ["canceled", "created", "created"]
    assert all(each.kind is Kind.EVENT for each in told)
    assert payload in [each.payload for each in told]
    status, _ = await system.ask("DELETE", f"/cim/subscriptions/{again['id']}")
    assert status == 204
    status, _ = await system.ask("DELETE", f"/cim/subscriptions/{again['id']}")
    assert status == 404
    status, _ = await side.system().ask("DELETE", f"/cim/subscriptions/{kept['id']}")
    assert status == 404, "another's"


async def test_readings_and_logs_are_published_once(
    start: Start, home: Home, operator: Operator, inbox: Inbox
) -> None:
    side, another = await start(), await start()
    assert another.url != side.url
    for noun in ("MeterReadings", "EndDeviceEvents"):
        await side.system().ask("POST", "/cim/subscriptions", {"noun": noun, "address": inbox.url})
    await until(side.marks, lambda n: n == 3, WITHIN_S, "where to begin from")
    event = await operator.event(limit_import_w=1000, minutes=10)
    await told_by(home, event["id"])
    await until(_copy(inbox), lambda got: len(got) >= 3, WITHIN_S, "reading, answer and log")
    await until(lambda: _queued(side), lambda n: n == 0, WITHIN_S, "nothing waits")
    told = inbox.messages()
    readings = [each.payload for each in told if isinstance(each.payload, MeterReadings)]
    lists = [each.payload for each in told if isinstance(each.payload, EndDeviceEvents)]
    events = [event for each in lists for event in each.events]
    (reading,) = readings
    assert reading.readings[0].meter.mrid == home.lfdi
    assert [r.value for r in reading.readings[0].readings] == [1234.0]
    assert sorted((each.tracking or "", each.reason or "") for each in events) == [
        ("", "door opened"),
        (event["id"], "received"),
    ]


async def test_what_homes_told_is_answered_when_it_is_asked_for(
    side: Side, home: Home, head_end: HeadEnd
) -> None:
    await grouped(side, home)
    await side.system().send(message(Verb.CREATE, Noun.DISPATCHES, dispatch()))
    (event,) = head_end.book.events
    await told_by(home, event.mrid)
    system = side.system()
    got = await system.send(message(Verb.GET, Noun.EVENTS, request=ids("d1")))
    found = got.message.payload
    assert isinstance(found, EndDeviceEvents)
    assert [(e.tracking, e.reason, e.asset.mrid) for e in found.events] == [
        ("d1", "received", home.lfdi)
    ]
    got = await system.send(
        message(Verb.GET, Noun.EVENTS, request=ids(home.lfdi, kind="EndDevice"))
    )
    found = got.message.payload
    assert isinstance(found, EndDeviceEvents)
    assert [event.reason for event in found.events] == ["door opened"]
    power = Ref(ref="0.0.0.12.1.1.37.0.0.0.0.0.0.0.0.0.38.0")
    query = GetMeterReadings(
        groups=(GroupNamed(mrid="g1"),),
        types=(power,),
        schedules=(TimeSchedule(span=Span(start=time.time() - 3600)),),
    )
    got = await system.send(message(Verb.GET, Noun.READINGS, query=query))
    found_readings = got.message.payload
    assert isinstance(found_readings, MeterReadings), got.body
    assert [r.value for r in found_readings.readings[0].readings] == [1234.0]
    got = await system.send(
        message(Verb.GET, Noun.READINGS, query=GetMeterReadings(types=(Ref(ref="1.2"),)))
    )
    assert got.code == "2.10"
    got = await system.send(message(Verb.GET, Noun.STATUSES))
    statuses = got.message.payload
    assert isinstance(statuses, DERGroupStatuses)
    (standing,) = statuses.groups
    assert standing.parameters[0].value.nominal == -1234.0, "from the grid"


async def told_by(home: Home, event: str) -> None:
    """The home posts a reading, its answer to an event, and a log entry."""
    now = int(time.time())
    reading = MirrorMeterReading(
        mrid="01" * 16,
        reading=Reading(value=1234, time_period=DateTimeInterval(start=now, duration=0)),
        reading_type=ReadingType(uom=38, flow_direction=1, power_of_ten_multiplier=0),
    )
    point = MirrorUsagePoint(
        mrid="AB" * 16,
        description="meter",
        role_flags=3,
        service_category_kind=0,
        status=1,
        device_lfdi=home.lfdi,
        mirror_meter_reading=(reading,),
    )
    received = DERControlResponse(
        created_date_time=now, end_device_lfdi=home.lfdi, status=1, subject=event
    )
    entry = LogEvent(
        created_date_time=now,
        details="door opened",
        function_set=0,
        log_event_code=0,
        log_event_id=1,
        log_event_pen=0,
        profile_id=2,
    )
    own = (await home.get("/edev?l=1", EndDeviceList)).end_device[0].href or ""
    for path, body in (("/mup", point), ("/rsps/1/r", received), (f"{own}/lel", entry)):
        got = await home.ask("POST", path, body)
        assert got.status == 201, (path, got.text)


def _copy(inbox: Inbox) -> Any:
    async def look() -> list[Message]:
        return inbox.messages()

    return look


async def _results(side: Side) -> list[str]:
    return [row["result"] for row in await side.trail() if row["direction"] == "out"]


async def _queued(side: Side) -> int:
    return (await _results(side)).count("QUEUED")
