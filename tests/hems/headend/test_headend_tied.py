"""Requests tied to the connection over which they come (RFC 7030, clause 3.5)."""

import base64
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Callable

import pytest
from cryptography import x509
from cryptography.x509.oid import AttributeOID

from certs.est import client
from certs.est.errors import EstError, Fault
from certs.est.request import challenge, request_body, tls_unique
from certs.est.transport import ask, trusting
from certs.est.wire import CERTS_ONLY, PKCS10_TYPE, Wishes, out_of_base64
from certs.issue import new_key
from certs.pem import read_certificates
from certs.pki import Pki
from hems.headend.est.settings import EstSettings
from hems.headend.settings import HeadEndSettings
from tests.hems.headend.enrolling import Utility, running

pytestmark = pytest.mark.requirement("L1-AUTH", "LC-TEST")


@pytest.fixture(params=[False, True], ids=["may be", "must be"])
async def utility(
    request: pytest.FixtureRequest, settings: HeadEndSettings, pki: Pki
) -> AsyncIterator[Utility]:
    async with running(settings, pki, EstSettings(pki=pki.folder, tied=request.param)) as found:
        yield found


async def sent(utility: Utility, made: Callable[[bytes | None], bytes]) -> None:
    code = await utility.code()
    await ask(
        utility.est,
        "simpleenroll",
        utility.plain(),
        kind=CERTS_ONLY,
        body=made,
        sent=PKCS10_TYPE,
        password=code.password,
    )


async def test_the_hub_ties_its_requests(utility: Utility) -> None:
    issued = await client.enrol(await utility.code(), new_key(), None, time.time)
    assert issued.chain
    seen: list[bytes | None] = []

    def made(binding: bytes | None) -> bytes:
        seen.append(binding)
        return request_body(new_key(), None, Wishes(linked=True), binding)

    await sent(utility, made)
    await sent(utility, made)
    assert None not in seen
    assert len(set(seen)) == 2, "of every connection it is another"


async def test_a_request_of_another_connection_is_refused(utility: Utility) -> None:
    caught: list[bytes] = []

    def made(binding: bytes | None) -> bytes:
        caught.append(request_body(new_key(), None, Wishes(), binding))
        return caught[0]

    await sent(utility, made)
    with pytest.raises(EstError, match="another connection") as error:
        await sent(utility, made)
    assert error.value.fault is Fault.REFUSED
    with pytest.raises(EstError, match="another connection"):
        await sent(utility, lambda _: request_body(new_key(), None, Wishes(), b"guessed"))


async def test_one_that_is_tied_to_nothing_is_taken_where_it_may_be(
    request: pytest.FixtureRequest, utility: Utility
) -> None:
    def made(_: bytes | None) -> bytes:
        return request_body(new_key(), None, Wishes())

    if request.node.callspec.params["utility"]:
        with pytest.raises(EstError, match="not tied to its connection"):
            await sent(utility, made)
    else:
        await sent(utility, made)


async def test_a_key_that_cannot_sign_is_told_in_its_own_words(utility: Utility) -> None:
    def made(_: bytes | None) -> bytes:
        raise EstError(Fault.BROKEN, "the token is away")

    with pytest.raises(EstError, match="the token is away"):
        await sent(utility, made)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_over_tls_1_3_there_is_nothing_to_tie_to(pki: Pki, version: ssl.TLSVersion) -> None:
    own, there = pki.identity("utility"), ssl.MemoryBIO()
    server, back = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.MemoryBIO()
    server.load_cert_chain(own.certificate, own.key)
    caller = trusting(read_certificates(pki.trust.roots), ())
    caller.minimum_version = caller.maximum_version = version
    ends = [
        caller.wrap_bio(back, there, server_hostname="localhost"),
        server.wrap_bio(there, back, server_side=True),
    ]
    for _ in range(4):
        for each in ends:
            with contextlib.suppress(ssl.SSLWantReadError):
                each.do_handshake()
    found = {tls_unique(each) for each in ends}
    if version is ssl.TLSVersion.TLSv1_2:
        assert len(found) == 1, "both ends know the same"
        assert None not in found
    else:
        assert found == {None}
        with pytest.raises(EstError, match="cannot be tied"):
            request_body(new_key(), None, Wishes(linked=True), None)


def test_the_challenge_stands_in_the_request() -> None:
    body = request_body(new_key(), None, Wishes(), b"\x00" * 12)
    request = x509.load_der_x509_csr(out_of_base64(body))
    (found,) = request.attributes
    assert found.oid == AttributeOID.CHALLENGE_PASSWORD
    assert found.value == challenge(b"\x00" * 12) == base64.b64encode(b"\x00" * 12)
