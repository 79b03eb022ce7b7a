"""What is answered later, and what is told by itself: over real HTTP, kept until it is taken."""

import time
from typing import Any

import pytest

from hems.headend.cim.der import (
    DERGroupStatuses,
    GroupNamed,
)
from hems.headend.cim.envelope import Kind, Message, Result, Verb
from hems.headend.cim.metering import (
    EndDeviceEvents,
    GetMeterReadings,
    MeterReadings,
    Ref,
    Span,
    TimeSchedule,
)
from hems.headend.cim.nouns import Noun
from hems.headend.cim.scalars import MOST_CHARACTERS
from hems.headend.server import HeadEnd
from tests.hems.headend.cim.asking import dispatch, grouped, ids, told_by
from tests.hems.headend.cim.conftest import EYE, Inbox, Side, Start, message, same_id
from tests.hems.headend.conftest import Home, Operator
from tests.waiting import until

pytestmark = pytest.mark.requirement("PRO-CIM")

WITHIN_S = 30.0


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


async def test_a_name_as_long_as_may_be_holds_up_no_other_message(
    side: Side, home: Home, inbox: Inbox
) -> None:
    """What refuses it quotes it, and is to fit where a value fits."""
    await grouped(side, home)
    system, name = side.system(), "g" * MOST_CHARACTERS
    sent = message(Verb.CREATE, Noun.DISPATCHES, dispatch(group=name))
    got = await system.send(sent)
    assert (got.status, got.code) == (404, "2.15"), got.body
    assert got.reason.startswith("there is no group ggg")
    asking: dict[str, Any] = {"async_reply": True, "reply_address": inbox.url}
    for payload in (dispatch(group=name), dispatch(name), dispatch(name), dispatch("last")):
        later = message(Verb.CREATE, Noun.DISPATCHES, payload, **asking)
        assert (await system.send(later)).status == 202
    cancelling = message(Verb.CANCEL, Noun.DISPATCHES, request=ids(name), **asking)
    for again in (cancelling, same_id(cancelling, message_id="again")):
        assert (await system.send(again)).status == 202

    async def codes() -> list[str]:
        replies = [each.reply for each in inbox.messages()]
        return sorted(each.problems[0].code for each in replies if each is not None)

    wanted = sorted(["2.15", "0.0", "2.29", "0.0", "0.0", "6.1"])
    await until(codes, lambda found: found == wanted, WITHIN_S, "all six answers")


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


def _copy(inbox: Inbox) -> Any:
    async def look() -> list[Message]:
        return inbox.messages()

    return look


async def _results(side: Side) -> list[str]:
    return [row["result"] for row in await side.trail() if row["direction"] == "out"]


async def _queued(side: Side) -> int:
    return (await _results(side)).count("QUEUED")
