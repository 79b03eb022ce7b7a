"""What is wrong below a request: certificates, and requests that contradict themselves as octets.

Each is refused before anything is read of it, or with the right status; nothing of it is kept.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from certs.identity import IdentityFiles
from certs.issue import Validity
from certs.pem import read_certificates
from certs.pki import Pki, init_pki, issue_device, issue_signer, revoke
from certs.signed import Purpose
from certs.tls import client_context
from hems.headend import exchange
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.sep2.resources import DERStatus
from hems.sep2.xml import serialize
from tests.faults import identities
from tests.faults.bench import without_certificate
from tests.hems.headend.bad_input import differing, dump
from tests.hems.headend.conftest import Home, Operator
from tests.waiting import until

pytestmark = pytest.mark.requirement("PRO-2030.5", "L1-AUTH")

WAIT_S: Final = 30.0
BODY: Final = serialize(DERStatus(reading_time=1_800_000_000))
PUT: Final = b"PUT /edev/1/der/1/ders HTTP/1.1\r\nHost: u\r\nContent-Type: application/sep+xml\r\n"
LONG: Final = b"%d" % len(BODY)


@pytest.fixture
async def untouched(head_end: HeadEnd, home: Home, operator: Operator) -> AsyncIterator[HeadEnd]:
    """A utility with a home and an event; what is asked of it must leave no trace."""
    await operator.event(limit_import_w=1500, minutes=60)
    before = await dump(head_end)
    yield head_end
    assert differing(before, await dump(head_end)) == {}
    # And it serves as ever.
    assert (await home.ask("GET", "/edev/1")).status == 200


async def octets(head_end: HeadEnd, pki: Pki, *parts: bytes, end: bool = False) -> bytes:
    """Send octets as home-a, and return what comes back until the connection ends, or it is whole.

    Args:
        head_end: To whom.
        pki: Whose certificate.
        parts: What is sent, one after the other.
        end: Whether the connection is ended behind it.
    """
    context = client_context(pki.identity("home-a"), pki.trust)
    host, _, port = head_end.addresses.base_url.removeprefix("https://").partition(":")
    async with asyncio.timeout(WAIT_S):
        reader, writer = await asyncio.open_connection(
            host, int(port), ssl=context, server_hostname=host
        )
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
            if end:
                writer.close()
                await writer.wait_closed()
                return b""
            return await reader.read(1 << 16)
        except (ConnectionError, ssl.SSLError):
            return b""
        finally:
            writer.close()


def status_of(answer: bytes) -> int:
    """Return the status of an answer; 0 where the connection was ended without one."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") else 0


CONTRADICTIONS: Final = {
    "two lengths": PUT + b"Content-Length: " + LONG + b"\r\nContent-Length: 5\r\n\r\n" + BODY,
    "two equal lengths": PUT + (b"Content-Length: " + LONG + b"\r\n") * 2 + b"\r\n" + BODY,
    "length and chunks": PUT + b"Content-Length: " + LONG
    + b"\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + BODY,
    "a length with a sign": PUT + b"Content-Length: +" + LONG + b"\r\n\r\n" + BODY,
    "a length below nothing": PUT + b"Content-Length: -1\r\n\r\n" + BODY,
    "a length in hex": PUT + b"Content-Length: 0x50\r\n\r\n" + BODY,
    "a list of lengths": PUT + b"Content-Length: 5, 5\r\n\r\n" + BODY,
    "chunks of no length": PUT + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n" + BODY,
    "an encoding nobody knows": PUT + b"Transfer-Encoding: sandwich\r\n\r\n" + BODY,
    "chunked, but not last": PUT + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "a folded header": PUT + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "a header without a name": PUT + b": a\r\nContent-Length: 0\r\n\r\n",
    "space before the colon": PUT + b"Content-Length : " + LONG + b"\r\n\r\n" + BODY,
    "NUL in a header": PUT + b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
    "a header too long": PUT + b"X: " + b"a" * 100_000 + b"\r\n\r\n",
    "too many headers": PUT + b"".join(b"X-%d: a\r\n" % n for n in range(20_000)) + b"\r\n",
    "a path too long": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: u\r\n\r\n",
    "no protocol": b"GET /dcap\r\n\r\n",
    "another protocol": b"GET /dcap SANDWICH/1.1\r\nHost: u\r\n\r\n",
    "no request": b"\x16\x03\x01\x00\xa5\x01\x00\x00" * 20 + b"\r\n\r\n",
    "a method that is none": b"G(T /dcap HTTP/1.1\r\nHost: u\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("what", CONTRADICTIONS)
async def test_a_request_that_contradicts_itself(untouched: HeadEnd, pki: Pki, what: str) -> None:
    answer = await octets(untouched, pki, CONTRADICTIONS[what])
    assert status_of(answer) in {0, 400, 413, 414, 431}, answer[:300]
    if answer:
        assert answer.partition(b"\r\n\r\n")[2].strip(), "no reason"


async def test_a_second_request_in_the_body_of_a_first_is_none(
    untouched: HeadEnd, pki: Pki
) -> None:
    hidden = b"DELETE /mup/1 HTTP/1.1\r\nHost: u\r\n\r\n"
    head = b"GET /tm HTTP/1.1\r\nHost: u\r\nContent-Length: %d\r\n\r\n" % len(hidden)
    answer = await octets(untouched, pki, head + hidden)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert status_of(answer) in {200, 400}


@pytest.mark.parametrize("cut", [0, 1, len(BODY) // 2, len(BODY) - 1])
async def test_who_goes_away_in_the_middle_has_said_nothing(
    untouched: HeadEnd, pki: Pki, cut: int
) -> None:
    await octets(
        untouched, pki, PUT + b"Content-Length: " + LONG + b"\r\n\r\n", BODY[:cut], end=True
    )


async def test_a_body_that_does_not_come_is_waited_for_and_no_longer(
    untouched: HeadEnd, pki: Pki, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "BODY_WITHIN_S", 0.5)
    waiting = asyncio.create_task(
        octets(untouched, pki, PUT + b"Content-Length: " + LONG + b"\r\n\r\n", BODY[:10])
    )
    assert (await home.ask("GET", "/tm")).status == 200, "it holds up nobody"
    answer = await waiting
    assert status_of(answer) == 408
    assert b"did not come" in answer


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("none", "no client certificate"),
        ("another CA", "not trusted"),
        ("expired", "expired"),
        ("not yet valid", "not yet valid"),
        ("revoked", "revoked"),
        ("for documents", "not made for this purpose"),
    ],
)
async def test_who_shows_a_certificate_that_counts_for_nothing(
    settings: HeadEndSettings, tmp_path: Path, kind: str, said: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    pki = await asyncio.to_thread(init_pki, tmp_path / "own" / "pki")
    utility = pki.identity("utility")
    now = datetime.now(UTC)
    late = Validity(now.replace(year=now.year + 1), now.replace(year=now.year + 2))
    identity: IdentityFiles | None = None
    match kind:
        case "another CA":
            identity = identities.of_another_ca(pki, "stranger", identities.device)
        case "expired":
            identity = identities.expired_device(pki, "late")
        case "not yet valid":
            identity = issue_device(pki, "early", validity=late)
        case "revoked":
            identity = issue_device(pki, "thief")
            revoke(pki, read_certificates(identity.certificate)[0])
        case "for documents":
            identity = issue_signer(pki, "editor", [Purpose.BULLETIN])
    chosen = settings.model_copy(
        update={
            "certificate": utility.certificate,
            "key": utility.key,
            "roots": pki.trust.roots,
            "crls": pki.trust.crls,
        }
    )
    async with HeadEnd(chosen) as head_end:
        before = await dump(head_end)
        context = (
            without_certificate(pki) if identity is None else client_context(identity, pki.trust)
        )
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientError):
                await session.get(head_end.addresses.dcap_url, ssl=context)

        async def words() -> str:
            return caplog.text

        await until(words, lambda text: "TLS handshake" in text and said in text, WAIT_S, said)
        assert differing(before, await dump(head_end, {})) == {}
