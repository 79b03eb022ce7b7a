"""The connections of a transport: few, kept, resumed, renewed; none that hangs stops the rest."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from certs.identity import IdentityFiles, lfdi
from certs.pem import der, read_certificates
from certs.pki import Pki, init_pki, issue_device, revoke
from certs.tls import client_context, server_context
from hems.sep2 import resources as res
from hems.sep2.errors import BusyError, DeadlineError, Sep2Error, TrustError
from hems.sep2.transport.connections import peer_lfdi
from hems.sep2.transport.http import Limits, Transport
from hems.sep2.transport.listener import Listener
from tests.certs.test_resumption import tickets
from tests.hems.sep2.serving import TIME, Reader, Writer, raw_server, sep, talking_to

pytestmark = [pytest.mark.requirement("PRO-2030.5"), pytest.mark.requirement("L1-AUTH")]

POLLS = 100


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return init_pki(tmp_path / "pki")


class Server:
    """A TLS server that notes who comes over which connection.

    Attributes:
        connections: The peers' ports, one for each connection.
        clients: The LFDI of each request's sender.
        resumed: Of each request, whether its connection was.
        holds: Paths that are answered only when their event is set.
    """

    def __init__(self) -> None:
        self.connections: set[int] = set()
        self.clients: list[str | None] = []
        self.resumed: list[bool] = []
        self.holds: dict[str, asyncio.Event] = {}
        self.caught = asyncio.Event()

    async def handle(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        self.connections.add(request.transport.get_extra_info("peername")[1])
        tls: ssl.SSLObject = request.transport.get_extra_info("ssl_object")
        self.clients.append(peer_lfdi(tls))
        self.resumed.append(bool(tls.session_reused))
        if request.path in self.holds:
            self.caught.set()
            await self.holds[request.path].wait()
        return sep(TIME)


@asynccontextmanager
async def serving(context: ssl.SSLContext, port: int = 0) -> AsyncIterator[tuple[Server, int]]:
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
        yield server, runner.addresses[0][1]
    finally:
        await runner.cleanup()


def utility(pki: Pki) -> ssl.SSLContext:
    return server_context(pki.identity("utility"), pki.trust)


async def test_a_hundred_polls_take_one_connection(pki: Pki) -> None:
    client = client_context(pki.identity("hub"), pki.trust)
    async with (
        serving(utility(pki)) as (server, port),
        Transport(f"https://127.0.0.1:{port}", client) as transport,
    ):
        for number in range(POLLS):
            await transport.get(f"/tm/{number % 7}", res.Time)
        assert len(server.connections) == 1
        await asyncio.gather(*(transport.get("/tm", res.Time) for _ in range(POLLS)))
    assert len(server.connections) <= Limits().connections
    assert len(server.clients) == 2 * POLLS


async def test_a_second_connection_is_resumed_and_pinned_all_the_same(pki: Pki) -> None:
    client = client_context(pki.identity("hub"), pki.trust)
    seen: list[bool] = []

    def verify(connection: ssl.SSLObject) -> None:
        seen.append(bool(connection.session_reused))
        if len(seen) == 3:
            raise TrustError("not the server agreed on")

    async with (
        serving(tickets(pki)) as (server, port),
        Transport(f"https://127.0.0.1:{port}", client, verify_peer=verify) as transport,
    ):
        for _ in range(2):
            await transport.get("/tm", res.Time)
            await transport.close()
        with pytest.raises(TrustError, match="not the server agreed on"):
            await transport.get("/tm", res.Time)
        await transport.get("/tm", res.Time)
    assert server.resumed == [False, True, False]
    assert seen == [False, True, True, False], "what was refused is not taken up once more"


async def test_a_session_is_not_resumed_over_a_revocation(pki: Pki) -> None:
    client = client_context(pki.identity("hub"), pki.trust)
    async with (
        serving(tickets(pki)) as (_, port),
        Transport(f"https://127.0.0.1:{port}", client) as transport,
    ):
        await transport.get("/tm", res.Time)
        revoke(pki, read_certificates(pki.identity("utility").certificate)[0])
        client.reload_crls()
        for _ in range(2):  # over the open connection, and over a new one
            with pytest.raises(TrustError, match="revoked"):
                await transport.get("/tm", res.Time)


async def test_a_server_that_restarted_is_met_anew(pki: Pki) -> None:
    client = client_context(pki.identity("hub"), pki.trust)
    async with serving(utility(pki)) as (_, port):
        transport = Transport(f"https://127.0.0.1:{port}", client)
        await transport.get("/tm", res.Time)
    async with transport, serving(utility(pki), port) as (server, _):
        await transport.get("/tm", res.Time)
    assert server.resumed == [False]


async def test_a_renewed_identity_takes_new_connections_and_loses_no_request(pki: Pki) -> None:
    first, second = issue_device(pki, "first"), issue_device(pki, "second")
    lfdis = [own(first), own(second)]
    client = client_context(first, pki.trust)
    async with (
        serving(utility(pki)) as (server, port),
        Transport(f"https://127.0.0.1:{port}", client) as transport,
    ):
        server.holds["/held"] = asyncio.Event()
        held = asyncio.create_task(transport.get("/held", res.Time))
        await server.caught.wait()
        first.certificate.write_bytes(second.certificate.read_bytes())
        first.key.write_bytes(second.key.read_bytes())
        client.reload_identity()
        assert await transport.get("/tm", res.Time) == TIME
        server.holds["/held"].set()
        assert await held == TIME
        assert await transport.get("/tm", res.Time) == TIME
    assert server.clients == [lfdis[0], lfdis[1], lfdis[1]]


def own(files: IdentityFiles) -> str:
    return lfdi(der(read_certificates(files.certificate)[0]))


async def silent(reader: Reader, _: Writer) -> None:
    """Take everything and say nothing."""
    await reader.read()


async def dripping(reader: Reader, writer: Writer) -> None:
    """Send an octet at a time of an answer that never ends."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/sep+xml\r\n")
    writer.write(b"Content-Length: 100000\r\n\r\n")
    while not reader.at_eof():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("talk", [silent, dripping])
async def test_a_peer_that_is_half_there_ends_within_the_deadline(talk: object) -> None:
    assert callable(talk)
    async with raw_server(talk) as port:
        base = f"http://127.0.0.1:{port}"
        async with Transport(base, limits=Limits(total_s=0.2)) as transport:
            with pytest.raises(DeadlineError, match=r"/tm: no answer within 0\.2 s"):
                await transport.get("/tm", res.Time)


async def test_a_peer_that_never_ends_its_handshake(pki: Pki) -> None:
    client = client_context(pki.identity("hub"), pki.trust)
    async with raw_server(silent) as port:
        base = f"https://127.0.0.1:{port}"
        async with Transport(base, client, limits=Limits(connect_s=0.2)) as transport:
            with pytest.raises(DeadlineError, match=r"no connection within 0\.2 s"):
                await transport.get("/tm", res.Time)


async def test_a_slow_line_s_queue_is_not_held_against_the_server() -> None:
    """Each answer is in time, all together are not: the last ones wait for their turn."""

    async def handler(_request: web.Request) -> web.Response:
        await asyncio.sleep(0.5)
        return sep(TIME)

    limits = Limits(total_s=2.0, connections=2)
    async with talking_to(handler, limits=limits) as transport:
        await asyncio.gather(*(transport.get(f"/{n}", res.Time) for n in range(10)))


async def test_many_places_that_hang_leave_a_way_for_the_rest() -> None:
    """Eight of them on four connections: each hangs once, and from then on they share two."""
    hanging = asyncio.Semaphore(0)
    never = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        if request.path.startswith("/hang"):
            hanging.release()
            await never.wait()
        return sep(TIME)

    async def get(transport: Transport, path: str) -> type[Sep2Error] | None:
        try:
            await transport.get(path, res.Time)
        except Sep2Error as error:
            return type(error)
        return None

    paths = [f"/hang/{n}" for n in range(8)]
    async with talking_to(handler, limits=Limits(total_s=0.3, connections=4)) as transport:
        first = await asyncio.gather(*(get(transport, p) for p in paths))
        assert first == [DeadlineError] * 8
        while not hanging.locked():
            await hanging.acquire()
        tasks = [asyncio.create_task(get(transport, p)) for p in paths]
        await hanging.acquire()
        await hanging.acquire()
        assert await get(transport, "/tm") is None
        assert not any(t.done() for t in tasks), "it was answered while two of them hung"
        assert hanging.locked(), "and no third was sent"
        never.set()
        await asyncio.gather(*tasks)
        assert [await get(transport, p) for p in paths] == [None] * 8


async def test_a_server_that_wants_to_be_left_alone_is() -> None:
    asked: list[str] = []
    busy = {"/a", "/b"}

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path)
        if request.path in busy:
            return web.Response(status=503, headers={"Retry-After": "3600"})
        return sep(TIME)

    async with talking_to(handler) as transport:
        for path in ("/a", "/tm", "/b", "/tm", "/a", "/a"):
            if path in busy:
                with pytest.raises(BusyError, match="503"):
                    await transport.get(path, res.Time)
            else:
                await transport.get(path, res.Time)  # one place alone stops no other
        with pytest.raises(BusyError, match="503"):
            await transport.get("/b", res.Time)
        for method in (transport.get("/tm", res.Time), transport.put("/x", TIME)):
            with pytest.raises(BusyError, match="left alone") as caught:
                await method
            assert 3590 < (caught.value.retry_after_s or 0) <= 3600
    assert asked == ["/a", "/tm", "/b", "/tm", "/a", "/a", "/b"]


async def test_the_listener_shows_a_renewed_certificate(pki: Pki) -> None:
    first, second = issue_device(pki, "first"), issue_device(pki, "second")
    lfdis = [own(first), own(second)]
    context = server_context(first, pki.trust)
    got: list[bytes] = []

    async def handle(body: bytes, _sender: str | None) -> None:
        got.append(body)

    listener = Listener(handle, context, host="127.0.0.1")
    uri = await listener.start()
    base, path = uri.removesuffix("/notify"), "/notify"
    one, two = (client_context(pki.identity("utility"), pki.trust) for _ in range(2))
    try:
        async with Transport(base, one) as before, Transport(base, two) as after:
            await before.post(path, TIME)
            first.certificate.write_bytes(second.certificate.read_bytes())
            first.key.write_bytes(second.key.read_bytes())
            context.reload_identity()
            await after.post(path, TIME)
            await before.post(path, TIME)  # what is open stays
            assert [before.is_peer(x) for x in lfdis] == [True, False]
            assert [lfdi(each.certificate or b"") for each in (before, after)] == lfdis
            assert [after.is_peer(x) for x in lfdis] == [False, True]
    finally:
        await listener.close()
    assert len(got) == 3
