"""Whatever is wrong with a message is told by code, status and reason, and changes nothing."""

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import text

from certs.identity import lfdi
from certs.pem import der, read_certificates
from certs.pki import Pki
from certs.tls import client_context, server_context
from hems.headend.cim import subscriptions
from hems.headend.cim.der import DERGroupDispatches, DERGroupStatusQueries, DeviceGroup
from hems.headend.cim.envelope import Identity, Kind, Message, Reply, Request, Result, Verb
from hems.headend.cim.http_door import CimDoor, TrailDoor
from hems.headend.cim.metering import (
    DemandResponse,
    EndDeviceControl,
    EndDeviceControls,
    GetMeterReadings,
    Span,
    TimeSchedule,
)
from hems.headend.cim.nouns import Noun, Right
from hems.headend.cim.peers import Peer, Peers
from hems.headend.cim.wire import serialize
from hems.headend.models import Base
from hems.headend.server import HeadEnd
from hems.sep2.xml import MAX_BODY
from tests.hems.headend.cim.asking import dispatch, group, grouped, groups, ids
from tests.hems.headend.cim.conftest import DMS, EYE, Side, Start, message, same_id
from tests.hems.headend.conftest import Home
from tests.locked import locked

pytestmark = pytest.mark.requirement("PRO-CIM")

_OWN = {"cim_message", "cim_taken"}
"""The trail, and what was answered."""


@pytest.fixture
async def side(start: Start) -> Side:
    """With nothing at work beside it that would change the database."""
    return await start(work=False)


async def everything(head_end: HeadEnd) -> dict[str, list[Any]]:
    """All that the database holds, apart from the trail."""
    found = {}
    async with head_end.store.reading() as connection:
        for name in sorted(set(Base.metadata.tables) - _OWN):
            rows = (await connection.execute(text(f'SELECT * FROM "{name}"'))).all()  # noqa: S608
            found[name] = [tuple(row) for row in rows]
    return found


def control(**more: Any) -> EndDeviceControls:
    return EndDeviceControls(controls=(EndDeviceControl(**more),))


GROUPS = groups(DeviceGroup(mrid="g9"))
LOADS = DemandResponse(duration_min=30.0, load_percent=-20.0)
HOUR = 3600.0
WRONG: list[tuple[Callable[[], Message], int, str, str]] = [
    (lambda: message(Verb.GET, "Sandwiches"), 422, "2.5", "'Sandwiches' is none of"),
    (lambda: message(Verb.CLOSE, Noun.GROUPS), 422, "2.9", "close is not for DERGroups"),
    (lambda: message(Verb.CREATE, Noun.READINGS), 422, "2.9", "create is not for MeterReadings"),
    (lambda: message(Verb.GET, Noun.GROUPS, source="else"), 403, "2.14", "'else' is not 'dms'"),
    (lambda: message(Verb.GET, Noun.GROUPS, source="x\ny"), 403, "2.14", "is not 'dms'"),
    (lambda: same_id(message(Verb.GET, Noun.GROUPS), source=None), 403, "2.14", "'nobody'"),
    (lambda: message(Verb.GET, Noun.GROUPS, message_id=None), 400, "1.5", "an id of its own"),
    (lambda: message(Verb.GET, Noun.GROUPS, message_id="x" * 129), 400, "1.5", "at most 128"),
    (lambda: same_id(message(Verb.GET, Noun.GROUPS), timestamp=None), 400, "1.5", "its time"),
    (lambda: message(Verb.GET, Noun.GROUPS, at=time.time() - HOUR), 409, "7.7", "s back"),
    (lambda: message(Verb.GET, Noun.GROUPS, at=time.time() + HOUR), 409, "7.7", "s ahead"),
    (lambda: message(Verb.GET, Noun.GROUPS, revision="1.0"), 400, "1.9", "not revision 2.0"),
    (lambda: message(Verb.GET, Noun.GROUPS, GROUPS), 409, "2.29", "DERGroups is not for get"),
    (lambda: message(Verb.CREATE, Noun.DISPATCHES, GROUPS), 409, "2.29", "DERGroups is not for"),
    (
        lambda: message(Verb.CREATE, Noun.GROUPS, GROUPS, query=DERGroupStatusQueries()),
        409,
        "2.29",
        "DERGroupStatusQueries is not for create DERGroups",
    ),
    (lambda: message(Verb.CREATE, Noun.GROUPS), 400, "1.7", "it holds no DERGroups"),
    (lambda: message(Verb.CREATE, Noun.DISPATCHES), 400, "1.7", "it holds no order"),
    (lambda: message(Verb.DELETE, Noun.GROUPS), 400, "1.7", "it names no group"),
    (lambda: message(Verb.CANCEL, Noun.CONTROLS), 400, "1.7", "does not say what is cancelled"),
    (lambda: message(Verb.CANCEL, Noun.CONTROLS, request=ids("c9")), 404, "2.15", "c9 is none of"),
    (
        lambda: message(Verb.CANCEL, Noun.CONTROLS, control(demand_response=LOADS)),
        400,
        "1.7",
        "what is cancelled needs its mRID",
    ),
    (lambda: message(Verb.CREATE, Noun.DISPATCHES, dispatch(group="g9")), 404, "2.15", "no group"),
    (
        lambda: message(Verb.CREATE, Noun.DISPATCHES, dispatch(start=time.time() - HOUR)),
        422,
        "5.2",
        "lies more than 60 s in the past",
    ),
    (
        lambda: message(
            Verb.CREATE,
            Noun.DISPATCHES,
            DERGroupDispatches(dispatches=dispatch().dispatches * 2),
        ),
        409,
        "2.29",
        "an mRID is there twice",
    ),
    (
        lambda: message(Verb.CREATE, Noun.CONTROLS, control(demand_response=LOADS)),
        400,
        "1.7",
        "it names no group and no device",
    ),
    (
        lambda: message(Verb.GET, Noun.READINGS, request=ids("A" * 40)),
        404,
        "2.4",
        f"there is no home {'A' * 40}",
    ),
    (
        lambda: message(Verb.GET, Noun.READINGS, request=ids("x", kind="Sandwich")),
        400,
        "1.6",
        "Sandwich has no readings",
    ),
    (
        lambda: message(
            Verb.GET,
            Noun.READINGS,
            request=Request(start=2.0, end=1.0),
        ),
        400,
        "1.6",
        "its end is before its start",
    ),
    (
        lambda: message(
            Verb.GET,
            Noun.READINGS,
            request=Request(start=1.0),
            query=GetMeterReadings(schedules=(TimeSchedule(span=Span(start=1.0)),)),
        ),
        400,
        "1.6",
        "more than one time",
    ),
    (
        lambda: message(Verb.GET, Noun.GROUPS, request=ids("x", kind="Meter")),
        400,
        "1.6",
        "Meter is no kind of a group",
    ),
    (
        lambda: message(
            Verb.GET,
            Noun.EVENTS,
            request=Request(
                ids=(Identity(value="a"), Identity(value="b", object_type="EndDevice"))
            ),
        ),
        400,
        "1.6",
        "ask for orders or for devices",
    ),
    (lambda: message(Verb.GET, Noun.GROUPS, async_reply=True), 400, "1.5", "needs a ReplyAddress"),
    (
        lambda: message(
            Verb.GET, Noun.GROUPS, async_reply=True, reply_address="https://evil.example/x"
        ),
        403,
        "7.5",
        "dms may not be answered at",
    ),
    (
        lambda: Message(
            Kind.RESPONSE,
            message(Verb.REPLY, Noun.GROUPS).header,
            reply=Reply(result=Result.OK),
        ),
        422,
        "2.9",
        "reply is not for DERGroups",
    ),
]


@pytest.mark.parametrize("wrong", WRONG, ids=range(len(WRONG)))
async def test_a_wrong_message_changes_nothing(
    side: Side, home: Home, wrong: tuple[Callable[[], Message], int, str, str]
) -> None:
    make, status, code, words = wrong
    await grouped(side, home)
    before, rows = await everything(side.head_end), len(await side.trail())
    got = await side.system().send(make())
    assert (got.status, got.code) == (status, code), got.body
    assert words in got.reason
    assert await everything(side.head_end) == before
    trail = await side.trail()
    assert len(trail) == rows + 1
    assert (trail[-1]["result"], trail[-1]["code"], trail[-1]["peer"]) == ("FAILED", code, DMS)
    assert words in trail[-1]["reason"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "1.8"),
        (b"<a", 400, "1.8"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", 400, "1.8"),
        (serialize(Message(Kind.FAULT, reply=Reply(result=Result.FAILED))), 400, "1.8"),
        (b"<" * 90_000, 413, "3.1"),
        (b" " * (MAX_BODY + 1), 413, "3.1"),
    ],
)
async def test_what_is_no_message_gets_a_fault(
    side: Side, body: bytes, status: int, code: str
) -> None:
    before = await everything(side.head_end)
    got = await side.system().send(body)
    assert (got.status, got.code) == (status, code)
    assert got.message.kind is Kind.FAULT
    assert await everything(side.head_end) == before


async def test_who_may_ask_only_may_order_nothing(side: Side, home: Home) -> None:
    await grouped(side, home)
    before = await everything(side.head_end)
    eye = side.system(EYE)
    assert (await eye.send(message(Verb.GET, Noun.GROUPS, source=EYE))).code == "0.0"
    for verb, noun, payload in (
        (Verb.CREATE, Noun.DISPATCHES, dispatch()),
        (Verb.CREATE, Noun.GROUPS, GROUPS),
        (Verb.DELETE, Noun.GROUPS, groups(group(home))),
    ):
        got = await eye.send(message(verb, noun, payload, source=EYE))
        assert (got.status, got.code) == (403, "7.5")
        assert "it has no right" in got.reason
    assert await everything(side.head_end) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": ""},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer \xe4"},
    ],
)
async def test_a_stranger_gets_nothing(side: Side, headers: dict[str, str]) -> None:
    got = await side.system().send(message(Verb.GET, Noun.GROUPS), **headers)
    assert (got.status, got.code) == (401, "7.4")
    assert got.headers["WWW-Authenticate"] == "Bearer"
    assert not await side.trail()


async def test_a_message_is_xml(side: Side) -> None:
    got = await side.system().send(
        message(Verb.GET, Noun.GROUPS), **{"Content-Type": "application/json"}
    )
    assert (got.status, got.code) == (415, "1.8")
    assert "a message is application/xml, not 'application/json'" in got.reason


async def test_a_wrong_subscription_is_refused_in_one_sentence(side: Side) -> None:
    system = side.system()
    for body, status in (
        ({"noun": "Sandwiches", "address": "x"}, 422),
        ({"noun": "DERGroups"}, 422),
        ({"noun": "DERGroups", "address": "https://evil.example/"}, 403),
        ({"noun": "DERGroupStatuses", "address": "nats:box.dms"}, 422),
    ):
        got, answer = await system.ask("POST", "/cim/subscriptions", body)
        assert got == status, answer
    for path, status in (
        ("/cim/subscriptions/x", 404),
        ("/cim/subscriptions/99999999999999999999", 404),
        ("/cim/nothing", 404),
    ):
        assert (await system.ask("DELETE", path))[0] == status
    assert (await system.ask("GET", "/cim"))[0] == 405


async def test_the_same_wish_is_no_further_one(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "MOST", 2)
    system, wishes = side.system(), ("DERGroups", "MeterReadings", "EndDeviceEvents")
    for _ in range(2):
        got = [
            (await system.ask("POST", "/cim/subscriptions", {"noun": n, "address": "nats:box.dms"}))
            for n in wishes
        ]
        assert [status for status, _ in got] == [201, 201, 409]


async def test_a_body_that_is_not_what_its_headers_say(side: Side) -> None:
    sent = serialize(message(Verb.GET, Noun.GROUPS))
    for coding, status in (("gzip", 400), ("sandwich", 415)):
        headers = {"Content-Encoding": coding}
        async with aiohttp.ClientSession() as session:
            system = replace(side.system(), session=session)
            assert (await system.send(sent, **headers)).status == status
    assert (await side.system().send(sent)).status == 200


async def test_a_locked_database_is_told_and_the_same_message_is_done_later(
    side: Side, home: Home, database: Path | str
) -> None:
    if isinstance(database, str):
        pytest.skip("SQLite's lock")
    await grouped(side, home)
    sent = message(Verb.CREATE, Noun.DISPATCHES, dispatch())
    async with locked(database):
        got = await side.system().send(sent)
    assert (got.status, got.code) == (503, "5.1")
    assert got.headers["Retry-After"]
    assert not side.head_end.book.events
    got = await side.system().send(sent)
    assert (got.status, got.code) == (200, "0.0")
    assert len(side.head_end.book.events) == 1


async def test_a_system_is_known_by_its_certificate(side: Side, pki: Pki) -> None:
    own = lfdi(der(read_certificates(pki.identity("home-b").certificate)[0]))
    peers = Peers([Peer(DMS, DMS, frozenset({Right.QUERY}), lfdi=own)])
    door = CimDoor(side.cim.service, peers, side.cim.subscriptions, side.cim.letters)
    runner = web.AppRunner(door.app(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    tls = server_context(pki.identity("utility"), pki.trust)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    url = f"https://127.0.0.1:{runner.addresses[0][1]}"
    try:
        assert await _asked(url, client_context(pki.identity("home-b"), pki.trust)) == 200
        assert await _asked(url, client_context(pki.identity("home-a"), pki.trust)) == 401
    finally:
        await runner.cleanup()


async def _asked(url: str, tls: ssl.SSLContext) -> int:
    connector = aiohttp.TCPConnector(ssl=tls)
    async with aiohttp.ClientSession(connector=connector) as session:
        body = serialize(message(Verb.GET, Noun.GROUPS))
        headers = {"Content-Type": "text/xml"}
        async with session.post(f"{url}/cim", data=body, headers=headers) as answer:
            return answer.status


async def test_the_operator_sees_the_trail(side: Side) -> None:
    await side.system().send(message(Verb.GET, Noun.GROUPS, correlation_id="c"))
    await side.system().send(b"<a/>")
    app = web.Application()
    app.add_routes(TrailDoor(side.cim.journal).routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/cim/messages"
    try:
        async with side.session.get(url) as answer:
            rows = (await answer.json())["messages"]
        async with side.session.get(url + "?limit=1") as answer:
            assert len((await answer.json())["messages"]) == 1
    finally:
        await runner.cleanup()
    wrong, right = rows
    assert (right["verb"], right["noun"], right["correlation_id"]) == ("get", "DERGroups", "c")
    assert (right["result"], right["carrier"], right["direction"]) == ("OK", "http", "in")
    assert (wrong["result"], wrong["code"], wrong["octets"]) == ("FAILED", "1.8", 4)


async def test_the_trail_is_forgotten_after_its_time(side: Side) -> None:
    await side.system().send(message(Verb.GET, Noun.GROUPS))
    await side.cim.keep()
    assert len(await side.trail()) == 1
    side.clock.ahead_s = 401 * 86_400.0
    await side.cim.keep()
    assert not await side.trail()


async def test_wrong_messages_beside_right_ones_hold_up_none(side: Side, home: Home) -> None:
    await grouped(side, home)
    system = side.system()
    bad = [system.send(b"<a" + bytes([65 + n])) for n in range(10)]
    good = [system.send(message(Verb.GET, Noun.GROUPS)) for _ in range(10)]
    got = await asyncio.gather(*bad, *good)
    assert [each.status for each in got] == [400] * 10 + [200] * 10
