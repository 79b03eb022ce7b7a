"""The responder of a running utility, asked by the hub's own client, by hand, and by OpenSSL."""

import asyncio
import base64
import shutil
import socket
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from yarl import URL

from certs import issue
from certs.est import client as est_client
from certs.identity import lfdi
from certs.issue import new_key
from certs.ocsp import client
from certs.ocsp.answer import Status, read
from certs.ocsp.client import Means
from certs.ocsp.errors import DeclinedError as DeclinedByIt
from certs.ocsp.issued import Issued, note_issued
from certs.ocsp.question import addresses, named, question
from certs.ocsp.transport import REQUEST_TYPE, RESPONSE_TYPE
from certs.pem import der, read_certificates
from certs.pki import Pki, authorities, init_pki, issue_device, open_pki, revoke
from hems.clock import SystemClock
from hems.headend.errors import SettingsError
from hems.headend.est.settings import EstSettings
from hems.headend.ocsp.delegates import LASTING, answerers
from hems.headend.ocsp.responder import MOST_OCTETS, DeclinedError, answer
from hems.headend.ocsp.settings import OcspSettings
from hems.headend.ocsp.views import Responder
from hems.headend.settings import HeadEndSettings, load_settings
from tests.hems.headend.enrolling import Utility, running

pytestmark = pytest.mark.requirement("L2-KEYS", "L3-ROOT")

OPENSSL = shutil.which("openssl")
MEANS = Means(time.time)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def utility(settings: HeadEndSettings, pki: Pki) -> AsyncIterator[Utility]:
    port = free_port()
    own = OcspSettings(pki=pki.folder, port=port, reached_at=f"http://127.0.0.1:{port}/ocsp")
    changed = settings.model_copy(update={"ocsp": own})
    async with running(changed, pki, EstSettings(pki=pki.folder)) as found:
        yield found


def cas(pki: Pki) -> dict[str, x509.Certificate]:
    return dict(zip(("root", "mca", "mica", "operational"), authorities(pki), strict=True))


def certificate(pki: Pki, name: str) -> x509.Certificate:
    return read_certificates(pki.identity(name).certificate)[0]


async def status(utility: Utility, about: x509.Certificate, issuer: str = "mica") -> Status:
    """Ask as the hub does."""
    url = utility.head_end.addresses.ocsp
    return (await client.ask(about, cas(utility.pki)[issuer], [url], (), MEANS)).status


async def raw(
    utility: Utility, octets: bytes, *, get: str | None = None, kind: str = REQUEST_TYPE
) -> tuple[int, bytes]:
    url, headers = utility.head_end.addresses.ocsp, {"Content-Type": kind}
    async with aiohttp.ClientSession() as session:
        asked = (
            session.post(url, data=octets, headers=headers)
            if get is None
            else session.get(URL(f"{url}/{get}", encoded=True))
        )
        async with asked as found:
            if found.status == 200:
                assert found.content_type == RESPONSE_TYPE
            return found.status, await found.read()


async def test_good_revoked_and_unknown(utility: Utility) -> None:
    pki = utility.pki
    for name, issuer in (("hub", "mica"), ("utility", "operational")):
        assert await status(utility, certificate(pki, name), issuer) is Status.GOOD
    for below, above in (("mica", "mca"), ("mca", "root"), ("operational", "root")):
        assert await status(utility, cas(pki)[below], above) is Status.GOOD
    issue_device(pki, "withdrawn")
    assert await status(utility, certificate(pki, "withdrawn")) is Status.GOOD
    revoke(pki, certificate(pki, "withdrawn"))
    assert await status(utility, certificate(pki, "withdrawn")) is Status.REVOKED
    assert await status(utility, certificate(pki, "utility"), "operational") is Status.GOOD
    with pytest.raises(DeclinedByIt, match="unauthorized"):
        await status(utility, certificate(pki, "utility"), "mica")


async def test_an_enrolled_home_names_the_responder_and_is_known_by_it(utility: Utility) -> None:
    code = await utility.code()
    issued = await est_client.enrol(code, new_key(), None, time.time)
    own = issued.chain[0]
    assert addresses(own) == (utility.head_end.addresses.ocsp,)
    aia = own.extensions.get_extension_for_class(x509.AuthorityInformationAccess)
    assert not aia.critical
    assert await status(utility, own) is Status.GOOD
    await utility.operator.ask("POST", f"/homes/{lfdi(der(own))}/revoke", {})
    assert await status(utility, own) is Status.REVOKED


async def test_one_that_nobody_has_issued_is_unknown(utility: Utility) -> None:
    pki = utility.pki
    mica = cas(pki)["mica"]
    name, key = named(mica, hashes.SHA256())
    asked = ocsp.OCSPRequestBuilder().add_certificate_by_hash(name, key, 4711, hashes.SHA256())
    code, body = await raw(utility, asked.build().public_bytes(Encoding.DER))
    found = ocsp.load_der_ocsp_response(body)
    assert (code, found.certificate_status) == (200, ocsp.OCSPCertStatus.UNKNOWN)


async def test_what_it_declines(utility: Utility, tmp_path: Path) -> None:
    pki = utility.pki
    other = init_pki(tmp_path / "other")
    foreign = question(certificate(other, "hub"), cas(other)["mica"]).octets()
    good = question(certificate(pki, "hub"), cas(pki)["mica"])
    number = good.certificate.serial_number
    serial = number.to_bytes(number.bit_length() // 8 + 1, "big")
    negative = bytes((serial[0] | 0x80,)) + serial[1:]
    cases = [
        (good.octets().replace(serial, negative), ocsp.OCSPResponseStatus.MALFORMED_REQUEST),
        (foreign, ocsp.OCSPResponseStatus.UNAUTHORIZED),
        (b"", ocsp.OCSPResponseStatus.MALFORMED_REQUEST),
        (b"nonsense", ocsp.OCSPResponseStatus.MALFORMED_REQUEST),
        (good.octets()[:-4], ocsp.OCSPResponseStatus.MALFORMED_REQUEST),
        (bytes(MOST_OCTETS + 1), ocsp.OCSPResponseStatus.MALFORMED_REQUEST),
        (_with_nonce(good.certificate, good.issuer, bytes(129)),
         ocsp.OCSPResponseStatus.MALFORMED_REQUEST),
        (_with_nonce(good.certificate, good.issuer, b""),
         ocsp.OCSPResponseStatus.MALFORMED_REQUEST),
    ]  # fmt: skip
    for octets, expected in cases:
        code, body = await raw(utility, octets)
        assert (code, ocsp.load_der_ocsp_response(body).response_status) == (200, expected)
    assert (await raw(utility, bytes(2 * MOST_OCTETS + 1)))[0] == 413
    assert (await raw(utility, good.octets(), kind="text/plain"))[0] == 415
    code, body = await raw(utility, b"", get="no+base64!")
    assert ocsp.load_der_ocsp_response(body).response_status.name == "MALFORMED_REQUEST"


def _with_nonce(about: x509.Certificate, issuer: x509.Certificate, nonce: bytes) -> bytes:
    builder = ocsp.OCSPRequestBuilder().add_certificate(about, issuer, hashes.SHA256())
    return (
        builder.add_extension(x509.OCSPNonce(nonce), critical=False)
        .build()
        .public_bytes(Encoding.DER)
    )


@pytest.mark.parametrize("octets", [1, 16, 32, 128])
async def test_a_nonce_comes_back(utility: Utility, octets: int) -> None:
    about, issuer = certificate(utility.pki, "hub"), cas(utility.pki)["mica"]
    nonce = bytes(range(octets))
    _, body = await raw(utility, _with_nonce(about, issuer, nonce))
    found = ocsp.load_der_ocsp_response(body).extensions
    assert found.get_extension_for_class(x509.OCSPNonce).value.nonce == nonce
    plain = ocsp.OCSPRequestBuilder().add_certificate(about, issuer, hashes.SHA256()).build()
    _, body = await raw(utility, plain.public_bytes(Encoding.DER))
    assert not list(ocsp.load_der_ocsp_response(body).extensions)


async def test_the_question_may_stand_in_the_path(utility: Utility) -> None:
    asked = question(certificate(utility.pki, "hub"), cas(utility.pki)["mica"])
    text = base64.b64encode(asked.octets()).decode()
    for written in (quote(text, safe=""), quote(text, safe="/+="), text):
        _, body = await raw(utility, b"", get=written)
        assert read(body, asked, time.time()).status is Status.GOOD


async def test_a_ca_whose_files_are_gone_says_try_later(utility: Utility) -> None:
    path = utility.pki.crl("mica")
    before = path.read_bytes()
    asked = question(certificate(utility.pki, "hub"), cas(utility.pki)["mica"])
    path.write_bytes(b"damaged")
    _, body = await raw(utility, asked.octets())
    assert ocsp.load_der_ocsp_response(body).response_status is ocsp.OCSPResponseStatus.TRY_LATER
    path.write_bytes(before)
    _, body = await raw(utility, asked.octets())
    assert read(body, asked, time.time()).status is Status.GOOD


@pytest.mark.skipif(OPENSSL is None, reason="needs the openssl command")
async def test_openssl_believes_it_too(utility: Utility, tmp_path: Path) -> None:
    pki = utility.pki
    issue_device(pki, "gone")
    revoke(pki, certificate(pki, "gone"))
    issuer, chain = tmp_path / "mica.pem", tmp_path / "chain.pem"
    issuer.write_bytes(cas(pki)["mica"].public_bytes(Encoding.PEM))
    chain.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in authorities(pki)))

    async def asked(name: str, *more: str) -> str:
        process = await asyncio.create_subprocess_exec(
            str(OPENSSL), "ocsp", *more, "-issuer", str(issuer),
            "-cert", str(pki.identity(name).certificate), "-CAfile", str(chain),
            "-url", utility.head_end.addresses.ocsp, "-timeout", "30",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        return said.decode()

    for digest in ("-sha1", "-sha256"):
        said = await asked("hub", digest)
        assert "Response verify OK" in said
        assert ": good" in said
        assert "WARNING" not in said, "the nonce came back"
    assert ": revoked" in await asked("gone")


async def test_delegates_are_renewed_in_good_time(pki: Pki) -> None:
    class Clock(SystemClock):
        late_s = 0.0

        def now(self) -> float:
            return time.time() + self.late_s

    clock = Clock()
    responder = await Responder.load(pki, OcspSettings(pki=pki.folder), clock)

    def ends() -> set[float]:
        found = responder._answerers.values()
        return {each.delegate.certificate.not_valid_after_utc.timestamp() for each in found}

    first = ends()
    await responder.keep()
    assert ends() == first
    clock.late_s = LASTING.total_seconds() / 2 + 60.0
    await responder.keep()
    assert min(ends()) > max(first)
    assert min(first) > clock.now(), "those in use held still"


def test_an_answer_holds_as_long_as_was_asked_for(pki: Pki) -> None:
    now = time.time()
    asked = question(certificate(pki, "hub"), cas(pki)["mica"])
    known = Issued(pki.folder).knows
    octets = answer(asked.octets(), answerers(pki, now), known, now, timedelta(hours=3))
    assert round(read(octets, asked, now).until - now) in range(3 * 3600 - 1, 3 * 3600 + 1)
    with pytest.raises(DeclinedError, match="malformed"):
        answer(asked.octets() + b"\0", answerers(pki, now), known, now, timedelta(hours=3))


def test_what_was_issued_outlives_a_restart_and_half_a_line(pki: Pki) -> None:
    issued = Issued(pki.folder)
    key = new_key().public_key()
    made = issue.issue_service(
        issue.issue_authority("x", issue.Validity.since(datetime.now(UTC)), path_length=0),
        key, "x", ["localhost"], issue.Validity.since(datetime.now(UTC), timedelta(days=1)),
    )  # fmt: skip
    assert not issued.knows(made.serial_number)
    note_issued(pki.ca.folder, [made])
    assert issued.knows(made.serial_number)
    path = pki.ca.folder / "issued"
    path.write_text(path.read_text() + "ab")
    again = Issued(open_pki(pki.folder).folder)
    assert again.knows(made.serial_number)
    assert not again.knows(0xAB)


def test_its_table_in_the_configuration(tmp_path: Path, settings: HeadEndSettings) -> None:
    names = ("database", "certificate", "key", "roots", "crls", "token_file")
    base = "".join(f'{name} = "{getattr(settings, name)}"\n' for name in names)
    path = tmp_path / "headend.toml"
    path.write_text(f'{base}[ocsp]\npki = "ca"\nreached_at = "http://h:1/ocsp"\nhours = 2\n')
    found = load_settings(path).ocsp
    assert found is not None
    assert (found.pki, found.hours) == (tmp_path / "ca", 2.0)
    path.write_text(f'{base}[ocsp]\npki = "ca"\nreached_at = "ftp://h/"\n')
    with pytest.raises(SettingsError, match="no address of a responder"):
        load_settings(path)
