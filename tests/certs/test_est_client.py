"""A hub against EST servers that are broken or hostile, over real TLS."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from certs.est import client
from certs.est.code import EnrolmentCode, fingerprint, new_secret
from certs.est.errors import EstError, Fault, WaitError
from certs.est.transport import PATH
from certs.est.wire import (
    ATTRIBUTES_TYPE,
    CERTS_ONLY,
    CRLS_ONLY,
    certs_only,
    crls_only,
    wishes_body,
)
from certs.hwname import HardwareName
from certs.issue import Validity, new_key
from certs.pem import der, read_certificates, read_crls
from certs.pki import HARDWARE_TYPE, Pki, authorities, certify, init_pki, issue_service, revoke
from hems.headend.est.tls import EstTls

pytestmark = pytest.mark.requirement("L1-AUTH", "LC-TEST")


class Server:
    """An EST server whose every answer a test may change."""

    def __init__(self, pki: Pki) -> None:
        self.pki = pki
        self.key = new_key()
        self.asked: list[str] = []
        self.passwords: list[str] = []
        self.bodies: dict[str, bytes] = {
            "cacerts": certs_only(authorities(pki)),
            "crls": crls_only(read_crls(pki.trust.crls)),
            "csrattrs": wishes_body(),
            "simpleenroll": certs_only(self.issue(self.key)),
        }
        self.kinds = {
            "cacerts": CERTS_ONLY,
            "crls": CRLS_ONLY,
            "csrattrs": ATTRIBUTES_TYPE,
            "simpleenroll": CERTS_ONLY,
        }
        self.statuses: dict[str, int] = {}
        self.headers: dict[str, str] = {}
        self.dies_at = ""
        self.code = EnrolmentCode("h", 1, b"")

    def issue(self, key: ec.EllipticCurvePrivateKey) -> Sequence[x509.Certificate]:
        name = HardwareName(HARDWARE_TYPE, b"new")
        return certify(self.pki, key.public_key(), name, Validity.since(datetime.now(UTC)))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        what = request.match_info["what"]
        self.asked.append(what)
        if "Authorization" in request.headers:
            self.passwords.append(what)
        await request.read()
        headers = {"Content-Type": self.kinds[what], **self.headers}
        if what == self.dies_at:
            response = web.StreamResponse(headers={**headers, "Content-Length": "100000"})
            await response.prepare(request)
            await response.write(b"MII")
            assert request.transport is not None
            request.transport.abort()
            return response
        return web.Response(
            body=self.bodies[what], headers=headers, status=self.statuses.get(what, 200)
        )


@asynccontextmanager
async def serving(server: Server, name: str = "utility") -> AsyncIterator[Server]:
    app = web.Application()
    app.router.add_route("*", PATH + "{what}", server.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    tls = EstTls(server.pki.identity(name), [server.pki.trust.roots]).context
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    root = read_certificates(server.pki.trust.roots)[0]
    server.code = EnrolmentCode(
        "127.0.0.1", runner.addresses[0][1], fingerprint(der(root)), new_secret(), "111115"
    )
    try:
        yield server
    finally:
        await runner.cleanup()


@pytest.fixture
async def server(pki: Pki) -> AsyncIterator[Server]:
    async with serving(Server(pki)) as found:
        yield found


async def refused(server: Server, fault: Fault, said: str = "") -> None:
    with pytest.raises(EstError) as caught:
        await client.enrol(server.code, server.key, None, time.time)
    assert caught.value.fault is fault, caught.value
    assert said in str(caught.value)


async def test_what_is_right_is_taken(server: Server) -> None:
    issued = await client.enrol(server.code, server.key, None, time.time)
    assert len(issued.chain) == 3
    assert server.asked == ["cacerts", "crls", "csrattrs", "simpleenroll"]
    assert server.passwords == ["simpleenroll"], "the secret is shown once, at the end"


@pytest.mark.parametrize("what", ["cacerts", "crls", "csrattrs", "simpleenroll"])
@pytest.mark.parametrize("body", [b"", b"!", b"MIIB", b"AAAA" * 20_000], ids=str)
async def test_garbage_and_floods(server: Server, what: str, body: bytes) -> None:
    server.bodies[what] = body
    await refused(server, Fault.BROKEN)
    assert server.asked[-1] == what, "nothing is asked after it"


@pytest.mark.parametrize("what", ["cacerts", "crls", "csrattrs", "simpleenroll"])
async def test_a_server_that_dies_in_the_middle(server: Server, what: str) -> None:
    server.dies_at = what
    await refused(server, Fault.UNREACHABLE)
    server.dies_at = ""
    assert (await client.enrol(server.code, server.key, None, time.time)).chain


@pytest.mark.parametrize(
    ("status", "fault"),
    [(301, Fault.BROKEN), (400, Fault.REFUSED), (401, Fault.SPENT), (500, Fault.BROKEN)],
)
async def test_other_statuses(server: Server, status: int, fault: Fault) -> None:
    server.statuses["simpleenroll"] = status
    server.headers = {"Location": f"https://{server.code.authority}{PATH}simpleenroll"}
    await refused(server, fault)
    assert server.asked.count("simpleenroll") == 1, "a redirect is not followed with the secret"


@pytest.mark.parametrize(
    ("header", "again_s"),
    [
        ("7", 7),
        ("", 30),
        ("soon", 30),
        ("-5", 30),
        ("99999999999", 86400),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
    ],
)
async def test_a_server_that_decides_later(server: Server, header: str, again_s: float) -> None:
    server.statuses["simpleenroll"] = 202
    server.headers = {"Retry-After": header}
    with pytest.raises(WaitError) as caught:
        await client.enrol(server.code, server.key, None, time.time)
    assert caught.value.again_s == again_s


async def test_certificates_that_are_not_ours(server: Server, tmp_path: Path) -> None:
    other = Server(init_pki(tmp_path / "other"))
    server.bodies["simpleenroll"] = certs_only(server.issue(new_key()))
    await refused(server, Fault.BROKEN, "another key")
    foreign = other.issue(server.key)
    server.bodies["simpleenroll"] = certs_only(foreign)
    await refused(server, Fault.BROKEN, "not of the server's CA")


async def test_lists_of_another_ca(server: Server, tmp_path: Path) -> None:
    other = init_pki(tmp_path / "other")
    server.bodies["crls"] = crls_only(read_crls(other.trust.crls))
    await refused(server, Fault.BROKEN, "revocation lists")
    assert server.passwords == []


async def test_a_server_that_is_revoked_gets_no_secret(pki: Pki) -> None:
    revoke(pki, read_certificates(pki.identity("utility").certificate)[0])
    async with serving(Server(pki)) as server:
        await refused(server, Fault.UNTRUSTED, "revoked")
        assert server.passwords == []


async def test_a_server_of_another_name_gets_no_secret(pki: Pki) -> None:
    issue_service(pki, "elsewhere", hosts=["elsewhere.example"])
    async with serving(Server(pki), "elsewhere") as server:
        await refused(server, Fault.UNTRUSTED)
        assert server.passwords == []


async def test_nobody_there_and_somebody_else(server: Server) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        unused = probe.getsockname()[1]
    nobody = EnrolmentCode("127.0.0.1", unused, server.code.fingerprint, new_secret())
    with pytest.raises(EstError) as caught:
        await client.enrol(nobody, server.key, None, time.time)
    assert caught.value.fault is Fault.UNREACHABLE

    async def in_plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    plain = await asyncio.start_server(in_plain, "127.0.0.1", 0)
    port = plain.sockets[0].getsockname()[1]
    with pytest.raises(EstError) as caught:
        await client.enrol(
            EnrolmentCode("127.0.0.1", port, server.code.fingerprint, new_secret()),
            server.key,
            None,
            time.time,
        )
    assert caught.value.fault is Fault.UNREACHABLE
    plain.close()
    await plain.wait_closed()
