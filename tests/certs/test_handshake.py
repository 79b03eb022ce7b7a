"""Real TLS over loopback: who is let in, who is not, and whether both ends learn why."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from certs.explain import explain
from certs.identity import IdentityFiles, lfdi
from certs.issue import FOREVER, TEST_POLICY, Validity
from certs.pem import der, read_certificates
from certs.pki import Pki, init_pki, issue_device, renew_crls, revoke
from certs.tls import SepContext, client_context, server_context
from certs.verify import peer_lfdi

pytestmark = pytest.mark.requirement("L1-AUTH")

GCM = "ECDHE-ECDSA-AES128-GCM-SHA256"
CCM8 = "ECDHE-ECDSA-AES128-CCM8"


@dataclass(slots=True)
class Outcome:
    """What came of one connection attempt, seen from both ends.

    Attributes:
        echoed: What the server sent back; empty if it was refused.
        error: What the client's end raised.
        refused: What the contexts noted, one sentence each.
        cipher: The cipher suite's name.
        version: The TLS version.
    """

    echoed: bytes = b""
    error: BaseException | None = None
    refused: list[str] = field(default_factory=list)
    cipher: str = ""
    version: str = ""


async def connect(server: ssl.SSLContext, client: ssl.SSLContext) -> Outcome:
    """Connect a client's context to a server's over loopback and talk one line."""
    outcome = Outcome()
    for context in (server, client):
        if isinstance(context, SepContext):
            context.on_refused = outcome.refused.append

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(await reader.readline())
            await writer.drain()
        except OSError:
            pass  # the client saw it too, and tells
        finally:
            writer.close()

    listener = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=server)
    async with listener, asyncio.timeout(10):
        port = listener.sockets[0].getsockname()[1]
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client)
        except OSError as error:
            outcome.error = error
            return outcome
        connection: ssl.SSLObject = writer.get_extra_info("ssl_object")
        outcome.cipher = (connection.cipher() or ("",))[0]
        outcome.version = connection.version() or ""
        try:
            writer.write(b"hello\n")
            await writer.drain()
            outcome.echoed = await reader.readline()
            writer.close()
            await writer.wait_closed()
        except OSError as error:
            outcome.error = error
    return outcome


def plain_client(pki: Pki, identity: IdentityFiles | None, ciphers: str = GCM) -> ssl.SSLContext:
    """Return a client that checks nothing of our rules, as a stranger's might be."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(pki.trust.roots)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(ciphers)
    if identity is not None:
        context.load_cert_chain(identity.certificate, identity.key)
    return context


def server_of(pki: Pki) -> ssl.SSLContext:
    return server_context(pki.identity("utility"), pki.trust)


@pytest.mark.requirement("PRO-2030.5")
async def test_hub_and_utility_talk(pki: Pki) -> None:
    outcome = await connect(server_of(pki), client_context(pki.identity("hub"), pki.trust))
    assert outcome.error is None
    assert outcome.echoed == b"hello\n"
    assert (outcome.cipher, outcome.version) == (GCM, "TLSv1.2")
    assert outcome.refused == []


async def test_tls_1_3_where_both_ask_for_it(pki: Pki) -> None:
    server = server_context(pki.identity("utility"), pki.trust, tls13=True)
    client = client_context(pki.identity("hub"), pki.trust, tls13=True)
    outcome = await connect(server, client)
    assert (outcome.echoed, outcome.version) == (b"hello\n", "TLSv1.3")


@pytest.mark.requirement("PRO-2030.5")
async def test_a_peer_with_nothing_but_ccm8_works(pki: Pki) -> None:
    client = plain_client(pki, pki.identity("hub"), f"{CCM8}:@SECLEVEL=0")
    outcome = await connect(server_of(pki), client)
    assert (outcome.echoed, outcome.cipher) == (b"hello\n", CCM8)


async def test_a_device_may_serve_and_a_service_may_call(pki: Pki) -> None:
    """The hub's listener for notifications: the utility is the client there."""
    server = server_context(pki.identity("hub"), pki.trust)
    outcome = await connect(server, client_context(pki.identity("utility"), pki.trust))
    assert outcome.echoed == b"hello\n"


def expired(pki: Pki) -> IdentityFiles:
    now = datetime.now(UTC)
    validity = Validity(now - timedelta(days=9), now - timedelta(days=1))
    return issue_device(pki, "expired", validity=validity)


def not_yet(pki: Pki) -> IdentityFiles:
    now = datetime.now(UTC)
    return issue_device(pki, "early", validity=Validity(now + timedelta(days=1), FOREVER))


def revoked(pki: Pki) -> IdentityFiles:
    files = issue_device(pki, "revoked")
    revoke(pki, read_certificates(files.certificate)[0])
    return files


def revoked_authority(pki: Pki) -> IdentityFiles:
    files = issue_device(pki, "orphan")
    revoke(pki, read_certificates(files.certificate)[1])
    return files


def of_another_ca(pki: Pki) -> IdentityFiles:
    return init_pki(pki.folder.parent / "other").identity("hub")


def with_rsa(pki: Pki) -> IdentityFiles:
    return issue_device(pki, "rsa", key=rsa.generate_private_key(65537, 2048))


def with_p384(pki: Pki) -> IdentityFiles:
    return issue_device(pki, "p384", key=ec.generate_private_key(ec.SECP384R1()))


def without_type(pki: Pki) -> IdentityFiles:
    return issue_device(pki, "typeless", policies=[TEST_POLICY])


def without(_: Pki) -> None:
    return None


Maker = Callable[[Pki], IdentityFiles | None]


@pytest.mark.requirement("L2-KEYS")
@pytest.mark.parametrize(
    ("make", "server_says", "client_reads"),
    [
        (expired, "it has expired", "has expired"),
        (not_yet, "it is not yet valid", "refused our certificate"),
        (revoked, "it has been revoked", "has been revoked"),
        (revoked_authority, "it has been revoked", "has been revoked"),
        (of_another_ca, "CA that is not trusted", "does not trust the CA"),
        (without, "showed no client certificate", "got no client certificate"),
        (with_p384, "not on curve P-256", "refused the curve or key"),
        (with_rsa, "no elliptic-curve key; 2030.5 wants P-256", "closed the connection"),
        (without_type, "states no device type", "closed the connection"),
    ],
)
async def test_a_client_is_refused_and_both_learn_why(
    pki: Pki, make: Maker, server_says: str, client_reads: str
) -> None:
    identity = make(pki)
    outcome = await connect(server_of(pki), plain_client(pki, identity))
    assert outcome.echoed == b""
    assert len(outcome.refused) == 1
    assert server_says in outcome.refused[0]
    assert outcome.error is not None
    assert client_reads in explain(outcome.error)


@pytest.mark.requirement("L2-KEYS")
@pytest.mark.parametrize(
    ("make", "client_says"),
    [
        (expired, "it has expired"),
        (revoked, "it has been revoked"),
        (of_another_ca, "CA that is not trusted"),
        (without_type, "states no device type"),
    ],
)
async def test_a_server_is_refused_by_the_client(pki: Pki, make: Maker, client_says: str) -> None:
    identity = make(pki)
    assert identity is not None
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(identity.certificate, identity.key)
    outcome = await connect(server, client_context(pki.identity("hub"), pki.trust))
    assert outcome.error is not None
    assert client_says in explain(outcome.error)
    assert client_says in outcome.refused[0]


async def test_tls_below_1_2_is_refused(pki: Pki) -> None:
    client = plain_client(pki, pki.identity("hub"))
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        client.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        client.maximum_version = ssl.TLSVersion.TLSv1_1
    client.set_ciphers("ALL:@SECLEVEL=0")
    outcome = await connect(server_of(pki), client)
    assert "no version of TLS from 1.2 on" in outcome.refused[0]
    assert outcome.error is not None
    assert "does not take our version of TLS" in explain(outcome.error)


async def test_ciphers_beside_the_two_are_refused(pki: Pki) -> None:
    client = plain_client(pki, pki.identity("hub"), "ECDHE-ECDSA-CHACHA20-POLY1305")
    outcome = await connect(server_of(pki), client)
    assert "no cipher of IEEE 2030.5" in outcome.refused[0]
    assert outcome.error is not None
    assert "takes none of our ciphers" in explain(outcome.error)


async def test_plain_http_is_named(pki: Pki) -> None:
    server = server_context(pki.identity("utility"), pki.trust)
    refused: list[str] = []
    server.on_refused = refused.append
    listener = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0, ssl=server)
    async with listener, asyncio.timeout(10):
        port = listener.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await reader.read()
        writer.close()
    assert refused == ["the peer speaks plain HTTP, not TLS"]


async def test_a_service_is_not_let_in_for_what_it_is_not_made_for(pki: Pki) -> None:
    """A CA's own certificate passes OpenSSL's chain, but is nobody's identity."""
    mica = pki.folder / "ca" / "mica.pem"
    chain = pki.folder / "mica-chain.pem"
    chain.write_bytes(mica.read_bytes() + (pki.folder / "ca" / "mca.pem").read_bytes())
    identity = IdentityFiles(chain, pki.folder / "ca" / "mica.key")
    outcome = await connect(server_of(pki), plain_client(pki, identity))
    assert outcome.echoed == b""
    assert outcome.refused


@pytest.mark.requirement("L2-KEYS")
async def test_a_revocation_reaches_a_running_server(pki: Pki) -> None:
    """Two in the same second, and a session that was resumed across it."""
    server = server_context(pki.identity("utility"), pki.trust)
    first, second = issue_device(pki, "first"), issue_device(pki, "second")
    for identity in (first, second):
        assert (await connect(server, plain_client(pki, identity))).echoed == b"hello\n"
    for identity in (first, second):
        revoke(pki, read_certificates(identity.certificate)[0])
        server.reload_crls()
        outcome = await connect(server, plain_client(pki, identity))
        assert outcome.echoed == b""
        assert "revoked" in outcome.refused[0]
    assert (await connect(server, plain_client(pki, pki.identity("hub")))).echoed == b"hello\n"


@pytest.mark.requirement("L2-KEYS")
async def test_an_overdue_revocation_list_is_named(tmp_path: Path) -> None:
    pki = init_pki(tmp_path / "old", now=datetime.now(UTC) - timedelta(days=400))
    outcome = await connect(server_of(pki), plain_client(pki, pki.identity("hub")))
    assert "revocation list has expired and must be renewed" in outcome.refused[0]
    renew_crls(pki)
    outcome = await connect(server_of(pki), plain_client(pki, pki.identity("hub")))
    assert outcome.echoed == b"hello\n"


@pytest.mark.requirement("L2-KEYS")
def test_a_resumed_session_does_not_outlive_a_revocation(pki: Pki) -> None:
    """Blocking sockets, which alone can ask to resume; they are checked all the same."""
    files = issue_device(pki, "resumer")
    server = server_context(pki.identity("utility"), pki.trust)
    client = plain_client(pki, files)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        session, seen = _exchange(listener, server, client, None)
        assert seen == lfdi(der(read_certificates(files.certificate)[0]))
        session, _ = _exchange(listener, server, client, session, resumed=True)
        revoke(pki, read_certificates(files.certificate)[0])
        server.reload_crls()
        with pytest.raises(ssl.SSLError) as refusal:
            _exchange(listener, server, client, session)
    assert "revoked" in explain(refusal.value)


def _exchange(
    listener: socket.socket,
    server: ssl.SSLContext,
    client: ssl.SSLContext,
    session: ssl.SSLSession | None,
    *,
    resumed: bool = False,
) -> tuple[ssl.SSLSession | None, str]:
    """Shake hands without threads: the client's end is driven between the server's steps."""
    outer = socket.create_connection(listener.getsockname(), timeout=10)
    accepted, _ = listener.accept()
    outer.setblocking(False)
    accepted.setblocking(False)
    with (
        client.wrap_socket(outer, do_handshake_on_connect=False, session=session) as near,
        server.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False) as far,
    ):
        _drive(near.do_handshake, far.do_handshake)
        assert near.session_reused is resumed
        kept = near.session, peer_lfdi(far)
        # Without a clean end OpenSSL forgets the session, and the test would show nothing.
        _drive(near.unwrap, far.unwrap)
        return kept


def _drive(*steps: Callable[[], object]) -> None:
    """Take turns at both ends until each is done."""
    waiting = list(steps)
    while waiting:
        for step in list(waiting):
            try:
                step()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(step)


def test_the_security_level_falls_only_where_ccm8_needs_it(pki: Pki) -> None:
    context = server_of(pki)
    bits = {c["name"]: c["strength_bits"] for c in context.get_ciphers()}
    assert {GCM, CCM8} <= set(bits)
    assert context.security_level == (2 if bits[CCM8] >= 112 else 0)
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert context.options & ssl.OP_NO_COMPRESSION
