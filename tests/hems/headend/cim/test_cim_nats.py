"""Messages over a real NATS server, with JetStream and without, that ends and comes back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client
from nats.errors import Error as NatsError

from hems.headend.cim.envelope import Kind, Message, Result, Verb
from hems.headend.cim.nouns import Noun
from hems.headend.cim.settings import NatsSettings
from hems.headend.cim.wire import parse, serialize
from hems.headend.server import HeadEnd
from tests.hems.headend.cim.asking import dispatch, group, grouped, groups
from tests.hems.headend.cim.conftest import Side, Start, message
from tests.hems.headend.conftest import Home
from tests.nats_server import NatsServer
from tests.waiting import until

pytestmark = pytest.mark.requirement("PRO-CIM")

WITHIN_S = 60.0
OWN = ["cim.request.*", "cim.send.*", "cim.event.*", "box.>", "$JS.API.>", "$JS.ACK.>", "_INBOX.>"]
USERS = {
    "headend": ("h", OWN, OWN),
    "dms": (
        "d",
        ["cim.request.dms", "cim.send.dms", "$JS.API.>", "$JS.ACK.>"],
        ["_INBOX.>", "cim.event.*", "box.dms.>"],
    ),
}
Connect = Callable[[], Awaitable[Client]]


@dataclass
class Line:
    """A NATS server, the head-end at one end, the enterprise's system at the other."""

    server: NatsServer
    side: Side
    client: Client


@pytest.fixture(params=[True, False], ids=["jetstream", "core"])
def server(request: pytest.FixtureRequest) -> Iterator[NatsServer]:
    with NatsServer(USERS, streams=request.param) as running:
        yield running


@pytest.fixture
async def line(start: Start, server: NatsServer, tmp_path: Path) -> AsyncIterator[Line]:
    secret = tmp_path / "nats-password"
    secret.write_text("h\n")
    side = await start(NatsSettings(servers=(server.url,), user="headend", password_file=secret))
    assert side.cim.nats is not None
    await asyncio.wait_for(side.cim.nats.ready.wait(), WITHIN_S)

    async def quiet(_: Exception) -> None:
        """What it may not do is told here; the tests look at what comes of it."""

    client = await nats.connect(server.url, user="dms", password="d", error_cb=quiet)
    yield Line(server, side, client)
    await client.close()


async def asked(client: Client, sent: Message) -> Message:
    answer = await client.request("cim.request.dms", serialize(sent), timeout=WITHIN_S)
    return parse(answer.data)


async def test_a_request_is_answered(line: Line, home: Home, head_end: HeadEnd) -> None:
    side, client = line.side, line.client
    await grouped(side, home)
    sent = message(Verb.CREATE, Noun.DISPATCHES, dispatch())
    first, again = await asked(client, sent), await asked(client, sent)
    assert first == again
    assert first.reply is not None
    assert (first.reply.result, first.reply.ids[0].value) == (Result.OK, "d1")
    assert len(head_end.book.events) == 1
    refused = await asked(client, message(Verb.GET, "Sandwiches"))
    assert refused.reply is not None
    assert refused.reply.problems[0].code == "2.5"
    bad = await client.request("cim.request.dms", b"<a/>", timeout=WITHIN_S)
    assert parse(bad.data).kind is Kind.FAULT
    rows = [row for row in await side.trail() if row["direction"] == "in"]
    assert [row["carrier"] for row in rows] == ["http", "nats", "nats", "nats", "nats"]


async def test_nobody_speaks_for_another(line: Line) -> None:
    side, client = line.side, line.client
    await client.publish("cim.send.oms", serialize(message(Verb.GET, Noun.GROUPS, source="oms")))
    await client.publish("cim.send.dms", serialize(message(Verb.GET, Noun.GROUPS, source="oms")))
    await client.flush()
    rows = await until(side.trail, bool, WITHIN_S, "the second of them")
    assert [(row["peer"], row["code"]) for row in rows] == [("dms", "2.14")]


async def test_what_is_sent_without_waiting_is_done_and_answered_where_it_says(
    line: Line, home: Home, head_end: HeadEnd
) -> None:
    side, client = line.side, line.client
    await grouped(side, home)
    answers = await client.subscribe("box.dms.>")
    sent = message(Verb.CREATE, Noun.DISPATCHES, dispatch("d1"), correlation_id="c1")
    await client.publish("cim.send.dms", serialize(sent))
    sent = message(
        Verb.CREATE,
        Noun.DISPATCHES,
        dispatch("d2"),
        correlation_id="c2",
        reply_address="nats:box.dms.answers",
    )
    await client.publish("cim.send.dms", serialize(sent))
    answer = parse((await answers.next_msg(timeout=WITHIN_S)).data)
    assert answer.header is not None
    assert answer.header.correlation_id == "c2"

    async def events() -> int:
        return len(head_end.book.events)

    assert await until(events, lambda n: n == 2, WITHIN_S, "both events") == 2


async def test_what_happens_is_published_once(line: Line, home: Home) -> None:
    side, client = line.side, line.client
    told = await client.subscribe("cim.event.DERGroups")
    await client.flush()
    await grouped(side, home)
    event = parse((await told.next_msg(timeout=WITHIN_S)).data)
    assert event.payload == groups(group(home))
    assert event.header is not None
    assert (event.kind, event.header.verb) == (Kind.EVENT, Verb.CREATED)


@pytest.mark.parametrize("server", [True], ids=["jetstream"], indirect=True)
async def test_nothing_is_lost_while_the_server_is_away(
    line: Line, home: Home, head_end: HeadEnd
) -> None:
    side, client = line.side, line.client
    server = line.server
    await grouped(side, home)
    carrier = side.cim.nats
    assert carrier is not None
    assert carrier.streams
    events = client.jetstream()
    await until(
        lambda: _count(client, "CIM_EVENT"), lambda n: n == 1, WITHIN_S, "the group's event"
    )

    server.kill()
    got = await side.system().send(message(Verb.CREATE, Noun.DISPATCHES, dispatch("d1")))
    assert got.code == "0.0"
    assert len(head_end.book.events) == 1
    await until(_away(carrier.ready), bool, WITHIN_S, "the server is missed")
    server.start()
    await until(lambda: _count(client, "CIM_EVENT"), lambda n: n == 2, WITHIN_S, "its event")

    for _ in range(3):
        await events.publish(
            "cim.send.dms",
            serialize(message(Verb.CREATE, Noun.DISPATCHES, dispatch("d2"), message_id="m2")),
            headers={"Nats-Msg-Id": "m2"},
        )

    async def orders() -> int:
        return len(head_end.book.events)

    assert await until(orders, lambda n: n == 2, WITHIN_S, "the order that was kept") == 2
    await until(lambda: _count(client, "CIM_SEND"), lambda n: n == 0, WITHIN_S, "all is taken")
    assert len(head_end.book.events) == 2


async def _count(client: Client, stream: str) -> int:
    """How many messages a stream holds; -1 while the server is away."""
    try:
        return (await client.jetstream().stream_info(stream)).state.messages
    except (NatsError, TimeoutError, OSError):
        return -1


def _away(ready: asyncio.Event) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return not ready.is_set()

    return look
