"""Orders, groups and questions over real HTTP, on the head-end's own database."""

import asyncio
import time

import pytest

from hems.headend.cim.der import (
    CurvePoint,
    DERGroupQueries,
    DERGroups,
    DeviceGroup,
    EndDevice,
    GroupNamed,
    Name,
)
from hems.headend.cim.envelope import Kind, Verb
from hems.headend.cim.metering import (
    DemandResponse,
    EndDeviceControl,
    EndDeviceControls,
)
from hems.headend.cim.nouns import Noun
from hems.headend.modes import Mode
from hems.headend.server import HeadEnd
from tests.hems.headend.cim.asking import dispatch, group, grouped, groups, ids
from tests.hems.headend.cim.conftest import OMS, Side, message, same_id
from tests.hems.headend.conftest import Home

pytestmark = pytest.mark.requirement("PRO-CIM")

WITHIN_S = 30.0


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
