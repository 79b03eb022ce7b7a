"""The transport over TLS: each failure is one sentence that names the server and the reason."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from certs.identity import IdentityFiles, lfdi
from certs.issue import Validity
from certs.pem import read_certificates
from certs.pki import Pki, init_pki, issue_device, issue_service, revoke
from certs.tls import client_context, server_context
from hems.sep2 import resources as res
from hems.sep2.errors import TrustError
from hems.sep2.transport.http import Transport, VerifyPeer
from tests.hems.sep2.serving import TIME, sep

pytestmark = [pytest.mark.requirement("PRO-2030.5"), pytest.mark.requirement("L1-AUTH")]


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return init_pki(tmp_path / "pki")


@asynccontextmanager
async def over_tls(
    server: ssl.SSLContext, client: ssl.SSLContext, verify_peer: VerifyPeer | None = None
) -> AsyncIterator[tuple[Transport, list[str]]]:
    """Give a transport to a TLS server, and the paths that the server was asked for."""
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path)
        return sep(TIME)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server).start()
        base = f"https://127.0.0.1:{runner.addresses[0][1]}"
        async with Transport(base, client, verify_peer=verify_peer) as transport:
            yield transport, asked
    finally:
        await runner.cleanup()


def _server(pki: Pki, identity: IdentityFiles | None = None) -> ssl.SSLContext:
    return server_context(identity or pki.identity("utility"), pki.trust)


def _client(pki: Pki, identity: IdentityFiles | None = None) -> ssl.SSLContext:
    return client_context(identity or pki.identity("hub"), pki.trust)


async def test_the_peer_is_looked_at_once_for_each_connection(pki: Pki) -> None:
    seen: list[str] = []

    def verify(connection: ssl.SSLObject) -> None:
        shown = connection.getpeercert(binary_form=True)
        assert shown is not None
        seen.append(lfdi(shown))

    async with over_tls(_server(pki), _client(pki), verify) as (transport, asked):
        for _ in range(3):
            assert await transport.get("/tm", res.Time) == TIME
        assert len(seen) == 1
        await transport.close()
        await transport.get("/tm", res.Time)
    assert seen == [seen[0]] * 2
    assert asked == ["/tm"] * 4


async def test_a_peer_that_is_refused_gets_no_request(pki: Pki) -> None:
    def verify(_: ssl.SSLObject) -> None:
        raise TrustError("its LFDI is not the one agreed on")

    async with over_tls(_server(pki), _client(pki), verify) as (transport, asked):
        with pytest.raises(TrustError) as caught:
            await transport.get("/tm", res.Time)
        assert str(caught.value) == f"{transport.host}: its LFDI is not the one agreed on"
    assert asked == []


def _expired(pki: Pki) -> IdentityFiles:
    now = datetime.now(UTC)
    span = Validity(now - timedelta(days=9), now - timedelta(days=1))
    return issue_service(pki, "expired", hosts=["127.0.0.1"], validity=span)


def _revoked(pki: Pki) -> IdentityFiles:
    files = issue_service(pki, "revoked", hosts=["127.0.0.1"])
    revoke(pki, read_certificates(files.certificate)[0])
    return files


def _of_another_ca(pki: Pki) -> IdentityFiles:
    return init_pki(pki.folder.parent / "other").identity("utility")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_expired, "the peer's certificate is refused: it has expired"),
        (_revoked, "the peer's certificate is refused: it has been revoked"),
        (_of_another_ca, "the peer's certificate is refused: it"),
    ],
)
async def test_a_bad_server_is_named_with_the_reason(
    pki: Pki, make: Callable[[Pki], IdentityFiles], reason: str
) -> None:
    identity = make(pki)
    async with over_tls(_server(pki, identity), _client(pki)) as (transport, asked):
        with pytest.raises(TrustError) as caught:
            await transport.get("/tm", res.Time)
        assert str(caught.value).startswith(f"{transport.host}: {reason}")
    assert asked == []


def _revoked_hub(pki: Pki) -> ssl.SSLContext:
    files = issue_device(pki, "lost")
    revoke(pki, read_certificates(files.certificate)[0])
    return _client(pki, files)


def _hub_of_another_ca(pki: Pki) -> ssl.SSLContext:
    other = init_pki(pki.folder.parent / "other")
    return client_context(other.identity("hub"), pki.trust)


def _no_certificate(pki: Pki) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(pki.trust.roots)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_revoked_hub, "the peer says that our certificate has been revoked"),
        (_hub_of_another_ca, "the peer does not trust the CA of our certificate"),
        (_no_certificate, "the peer refused the handshake: it got no client certificate"),
    ],
)
async def test_what_the_server_thinks_of_us_is_told(
    pki: Pki, make: Callable[[Pki], ssl.SSLContext], reason: str
) -> None:
    client = make(pki)
    async with over_tls(_server(pki), client) as (transport, asked):
        with pytest.raises(TrustError) as caught:
            await transport.get("/tm", res.Time)
        assert str(caught.value).startswith(f"{transport.host}: {reason}")
    assert asked == []


async def test_a_server_without_tls(pki: Pki) -> None:
    app = web.Application()
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base = f"https://127.0.0.1:{runner.addresses[0][1]}"
        async with Transport(base, _client(pki)) as transport:
            with pytest.raises(TrustError, match=r"the peer does not speak TLS|plain HTTP"):
                await transport.get("/tm", res.Time)
    finally:
        await runner.cleanup()
