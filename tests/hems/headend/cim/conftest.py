"""A head-end with its enterprise side, and systems that send it messages, on real sockets."""

import asyncio
import io
import ssl
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import select

from certs.identity import IdentityFiles, Trust
from certs.tls import client_context
from hems.clock import SystemClock
from hems.headend.cim.assembly import Cim, assemble_cim
from hems.headend.cim.envelope import Header, Kind, Message, Request, Verb
from hems.headend.cim.models import CimMarkRow
from hems.headend.cim.nouns import Noun, Right
from hems.headend.cim.settings import CimSettings, NatsSettings, PeerSettings
from hems.headend.cim.wire import MEDIA_TYPE, parse, serialize
from hems.headend.mirror_store import MirrorStore
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings

DMS, OMS, EYE = "dms", "oms", "eye"
EVERYTHING = frozenset(Right)


class HeldClock(SystemClock):
    """The machine's clock, that a test can set ahead."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def now(self) -> float:
        return super().now() + self.ahead_s


@dataclass(frozen=True)
class Got:
    """What came back."""

    status: int
    body: bytes
    headers: Any

    @property
    def message(self) -> Message:
        return parse(self.body)

    @property
    def code(self) -> str:
        reply = self.message.reply
        assert reply is not None
        return reply.problems[0].code

    @property
    def reason(self) -> str:
        reply = self.message.reply
        assert reply is not None
        return reply.problems[0].reason or ""


def message(
    verb: Verb,
    noun: Noun | str,
    payload: object | None = None,
    *,
    source: str = DMS,
    kind: Kind = Kind.REQUEST,
    request: Request | None = None,
    query: object | None = None,
    at: float | None = None,
    **header: Any,
) -> Message:
    head = Header(
        verb=verb,
        noun=str(noun),
        timestamp=SystemClock().now() if at is None else at,
        source=source,
        message_id=header.pop("message_id", str(uuid.uuid4())),
        **header,
    )
    return Message(kind, head, request, payload=payload, query=query)


@dataclass
class System:
    """One of the utility's systems on the wire."""

    session: aiohttp.ClientSession
    url: str
    token: str

    async def send(self, sent: Message | bytes, **headers: str) -> Got:
        body = sent if isinstance(sent, bytes) else serialize(sent)
        headers = {"Content-Type": MEDIA_TYPE, "Authorization": f"Bearer {self.token}"} | headers
        data = io.BytesIO(body)
        async with self.session.post(self.url + "/cim", data=data, headers=headers) as answer:
            return Got(answer.status, await answer.read(), answer.headers.copy())

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.session.request(
            method, self.url + path, json=body, headers=headers
        ) as answer:
            text = await answer.read()
            return answer.status, await answer.json() if text.startswith(b"{") else text


@dataclass
class Inbox:
    """Where a system takes answers and events; what it answers can be set."""

    url: str = ""
    status: int = 200
    got: list[bytes] = field(default_factory=list)

    def messages(self) -> list[Message]:
        return [parse(body) for body in self.got]

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.status // 100 == 2:
            self.got.append(body)
        return web.Response(status=self.status)


@dataclass
class Side:
    """The enterprise side at work."""

    cim: Cim
    head_end: HeadEnd
    clock: HeldClock
    url: str
    session: aiohttp.ClientSession
    folder: Path

    def system(self, name: str = DMS) -> System:
        token = (self.folder / f"token-{name}").read_text().strip()
        return System(self.session, self.url, token)

    async def trail(self) -> list[dict[str, Any]]:
        """The trail, the earliest first."""
        rows = await self.cim.journal.entries()
        return [dict(row) for row in reversed(rows)]

    async def marks(self) -> int:
        """Of how many kinds it is known up to where they were passed on."""
        async with self.head_end.store.reading() as connection:
            return len((await connection.execute(select(CimMarkRow.kind))).all())


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    made = Inbox()
    app = web.Application()
    app.router.add_post("/in/{any}", made.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/in/box"
    yield made
    await runner.cleanup()


Start = Callable[..., Awaitable[Side]]


@pytest.fixture
async def start(
    head_end: HeadEnd, settings: HeadEndSettings, tmp_path: Path, inbox: Inbox
) -> AsyncIterator[Start]:
    """Start the enterprise side, with NATS if that is given."""
    async with AsyncExitStack() as stack:
        clock = HeldClock()

        async def begin(nats: NatsSettings | None = None, *, work: bool = True) -> Side:
            def peer(name: str, may: frozenset[Right], *more: str) -> PeerSettings:
                token = tmp_path / f"token-{name}"
                return PeerSettings(
                    name=name,
                    token_file=token,
                    may=may,
                    reply_to=(inbox.url.removesuffix("/box") + "/", *more),
                )

            chosen = CimSettings(
                tls=False,
                peers=(
                    peer(DMS, EVERYTHING, "nats:box.dms"),
                    peer(OMS, EVERYTHING),
                    peer(EYE, frozenset({Right.QUERY})),
                ),
                nats=nats,
                look_s=0.05,
            )
            cim = await assemble_cim(
                chosen,
                head_end.book,
                head_end.store,
                MirrorStore(head_end.store),
                clock,
                tls=outward(settings),
                stack=stack,
            )
            runner = web.AppRunner(cim.app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            if work:
                for name, running in cim.work().items():
                    task = asyncio.create_task(running, name=name)
                    stack.push_async_callback(_end, task)
            session = await stack.enter_async_context(aiohttp.ClientSession())
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            return Side(cim, head_end, clock, url, session, tmp_path)

        yield begin


def outward(settings: HeadEndSettings) -> ssl.SSLContext:
    return client_context(
        IdentityFiles(settings.certificate, settings.key), Trust(settings.roots, settings.crls)
    )


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    ended = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(ended[0], asyncio.CancelledError), ended[0]


@pytest.fixture
async def side(start: Start) -> Side:
    return await start()


def same_id(sent: Message, **header: Any) -> Message:
    """The message with something of its header changed."""
    assert sent.header is not None
    return replace(sent, header=replace(sent.header, **header))
