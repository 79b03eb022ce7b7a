"""A client's second connection takes up the session of its first, and is judged all the same."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from certs.errors import PeerError
from certs.identity import IdentityFiles
from certs.issue import Validity
from certs.pem import read_certificates, write_certificates, write_crls
from certs.pki import Pki, init_pki, issue_device, issue_service, revoke
from certs.resume import HOSTS, PER_HOST, Resumable, Sessions, good_until
from certs.tls import SepContext, client_context, server_context

pytestmark = [pytest.mark.requirement("L1-AUTH"), pytest.mark.requirement("PRO-2030.5")]

WAIT_S = 10.0


@asynccontextmanager
async def echoing(context: ssl.SSLContext, port: int = 0) -> AsyncIterator[int]:
    """Give the port of a TLS server that sends each line back."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(line)
        except OSError:
            pass  # the client saw it too, and tells
        finally:
            writer.close()

    listener = await asyncio.start_server(echo, "127.0.0.1", port, ssl=context)
    async with listener:
        yield listener.sockets[0].getsockname()[1]


async def resumed(port: int, client: ssl.SSLContext) -> bool:
    """Talk one line over a new connection; returns whether its session was taken up again."""
    async with asyncio.timeout(WAIT_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client)
        try:
            writer.write(b"hello\n")
            if await reader.readline() != b"hello\n":
                raise ConnectionResetError("closed by the server")
            connection: ssl.SSLObject = writer.get_extra_info("ssl_object")
            return bool(connection.session_reused)
        finally:
            writer.close()
            await writer.wait_closed()


def with_tickets(pki: Pki, version: ssl.TLSVersion) -> ssl.SSLContext:
    """Return a server as others build them: sessions in tickets, none of our rules."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    identity = pki.identity("utility")
    context.load_cert_chain(identity.certificate, identity.key)
    context.load_verify_locations(pki.trust.roots)
    return context


def ours(pki: Pki) -> ssl.SSLContext:
    return server_context(pki.identity("utility"), pki.trust)


def tickets(pki: Pki) -> ssl.SSLContext:
    return with_tickets(pki, ssl.TLSVersion.TLSv1_2)


def tickets13(pki: Pki) -> ssl.SSLContext:
    return with_tickets(pki, ssl.TLSVersion.TLSv1_3)


def hub(pki: Pki, identity: IdentityFiles | None = None) -> SepContext:
    return client_context(identity or pki.identity("hub"), pki.trust, tls13=True)


@pytest.mark.parametrize("serve", [ours, tickets, tickets13])
async def test_each_further_connection_is_resumed(
    pki: Pki, serve: Callable[[Pki], ssl.SSLContext]
) -> None:
    client = hub(pki)
    async with echoing(serve(pki)) as port:
        assert [await resumed(port, client) for _ in range(4)] == [False, True, True, True]


@pytest.mark.parametrize("serve", [ours, tickets, tickets13])
async def test_a_server_that_forgot_gets_a_full_handshake(
    pki: Pki, serve: Callable[[Pki], ssl.SSLContext]
) -> None:
    client = hub(pki)
    async with echoing(serve(pki)) as port:
        await resumed(port, client)
    async with echoing(serve(pki), port):  # restarted: other keys for its tickets
        assert not await resumed(port, client)
        assert await resumed(port, client)


@pytest.mark.requirement("L2-KEYS")
async def test_a_server_revoked_in_between_is_refused(pki: Pki) -> None:
    client = hub(pki)
    async with echoing(tickets(pki)) as port:
        await resumed(port, client)
        assert await resumed(port, client)
        revoke(pki, read_certificates(pki.identity("utility").certificate)[0])
        client.reload_crls()
        with pytest.raises(ssl.SSLCertVerificationError, match="revoked"):
            await resumed(port, client)


@pytest.mark.requirement("L2-KEYS")
async def test_a_client_revoked_in_between_is_refused_by_our_server(pki: Pki) -> None:
    identity = issue_device(pki, "gone")
    client, server = hub(pki, identity), server_context(pki.identity("utility"), pki.trust)
    refused: list[str] = []
    server.on_refused = refused.append
    async with echoing(server) as port:
        await resumed(port, client)
        assert await resumed(port, client)
        revoke(pki, read_certificates(identity.certificate)[0])
        server.reload_crls()
        for _ in range(2):
            with pytest.raises(OSError):  # noqa: PT011 - an end, or an alert that says why
                await resumed(port, client)
    assert "is revoked" in refused[0], "the session was taken up and then judged"
    assert "has been revoked" in refused[1], "a full handshake, which lets the client know why"


async def test_the_peer_is_checked_on_a_resumed_connection_too(pki: Pki) -> None:
    client, seen = hub(pki), []
    plain = client.sslobject_class

    class Pinned(plain):  # type: ignore[misc, valid-type]
        def do_handshake(self) -> None:
            super().do_handshake()
            seen.append(self.session_reused)
            if len(seen) == 2:
                raise PeerError("not the one agreed on")

    client.sslobject_class = Pinned
    async with echoing(ours(pki)) as port:
        await resumed(port, client)
        with pytest.raises(PeerError, match="not the one agreed on"):
            await resumed(port, client)
    assert seen == [False, True]


@pytest.mark.requirement("L2-KEYS")
async def test_no_session_outlives_the_certificate_it_was_judged_by(pki: Pki) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=5)
    span = Validity(datetime.now(UTC) - timedelta(days=1), soon)
    files = issue_service(pki, "short", hosts=["127.0.0.1"], validity=span)
    client = hub(pki)
    async with echoing(server_context(files, pki.trust)) as port:
        await resumed(port, client)
    kept = client.sessions.take("127.0.0.1", soon.timestamp() - 1)
    assert kept is not None
    assert kept.until <= soon.timestamp()
    client.sessions.keep("127.0.0.1", kept)
    assert client.sessions.take("127.0.0.1", soon.timestamp()) is None


async def test_what_is_kept_is_bounded_and_given_out_once(pki: Pki) -> None:
    client = hub(pki)
    async with echoing(ours(pki)) as port:
        await resumed(port, client)
    made = client.sessions.take("127.0.0.1", 0)
    assert made is not None
    assert client.sessions.take("127.0.0.1", 0) is None
    session, chain = made.session, made.chain
    assert good_until(session, chain, client.crls) <= session.time + session.timeout
    sessions = Sessions()
    for host in range(HOSTS + 1):
        for _ in range(PER_HOST + 1):
            sessions.keep(f"h{host}", Resumable(session, chain, 9.0))
    assert sessions.take("h0", 0.0) is None
    taken = [sessions.take("h1", 0.0) for _ in range(PER_HOST + 1)]
    assert [t is not None for t in taken] == [True] * PER_HOST + [False]
    assert sessions.take("h2", 9.0) is None
    sessions.forget()
    assert sessions.take("h3", 0.0) is None
    many = Sessions(hosts=HOSTS + 1, per_host=1)
    for host in range(HOSTS + 1):
        many.keep(f"h{host}", Resumable(session, chain, 1.0))
        many.keep(f"h{host}", Resumable(session, chain, 9.0))
    found = [(many.take(f"h{host}", 5.0), many.take(f"h{host}", 5.0)) for host in range(HOSTS + 1)]
    assert all(first is not None and second is None for first, second in found)


async def test_a_renewed_identity_is_not_hidden_by_an_old_session(pki: Pki) -> None:
    files, other = issue_device(pki, "first"), issue_device(pki, "second")
    client = hub(pki, files)
    async with echoing(ours(pki)) as port:
        await resumed(port, client)
        files.certificate.write_bytes(other.certificate.read_bytes())
        files.key.write_bytes(other.key.read_bytes())
        client.reload_identity()
        assert not await resumed(port, client)
        assert client.renewals == 1


async def test_a_root_that_is_trusted_no_more(pki: Pki) -> None:
    """OpenSSL keeps it; our own check does not."""
    other = init_pki(pki.folder.parent / "other")
    client = hub(pki)
    async with echoing(ours(pki)) as port:
        await resumed(port, client)
        both = [*read_certificates(pki.trust.roots), *read_certificates(other.trust.roots)]
        write_certificates(pki.trust.roots, both)
        client.reload_roots()
        assert not await resumed(port, client), "other rules: judged in full"
        write_certificates(pki.trust.roots, both[1:])
        client.reload_roots()
        with pytest.raises(PeerError, match="of a root that is not trusted any more"):
            await resumed(port, client)


async def test_a_root_that_is_new_lets_its_peers_in(pki: Pki) -> None:
    other = init_pki(pki.folder.parent / "other")
    client = hub(pki, other.identity("hub"))
    async with echoing(server_context(other.identity("utility"), other.trust)) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await resumed(port, client)
        roots = [*read_certificates(pki.trust.roots), *read_certificates(other.trust.roots)]
        write_certificates(pki.trust.roots, roots)
        write_crls(pki.trust.crls, [*client.crls, *hub(other).crls])
        client.reload_roots()
        client.reload_crls()
        assert not await resumed(port, client)
