"""Attacks on the head-end's EST server: who wants a certificate, or one that follows another."""

import asyncio
import base64
import io
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import aiohttp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from certs.est import client
from certs.est.answer import Issued
from certs.est.code import EnrolmentCode, new_secret, read_code
from certs.est.wire import PKCS10_TYPE, in_base64
from certs.hwname import HardwareName
from certs.identity import IdentityFiles, lfdi
from certs.issue import new_key
from certs.pem import der, write_certificates, write_key
from certs.pki import init_pki
from certs.verify import hardware_name
from tests.security.attack import Attack, Entry, Kind, Where
from tests.security.street import Street, caller

Do = Callable[[Street], Awaitable[str]]
_GUESSES: Final = 9
_AT_ONCE: Final = 6
_WITHIN_S: Final = 40.0
_ECDSA_WITH_SHA256: Final = bytes.fromhex("300a06082a8648ce3d040302")
_LONG: Final = 0x80


@dataclass(frozen=True, slots=True)
class Asking:
    """A request to the EST server, without any of a client's good manners.

    Attributes:
        body: It.
        password: Of HTTP Basic; empty for none.
        operation: What is asked for.
        identity: The certificate that is shown; None for none.
        kind: The body's media type.
    """

    body: bytes | AsyncIterator[bytes]
    password: str = ""
    operation: str = "simpleenroll"
    identity: IdentityFiles | None = None
    kind: str = PKCS10_TYPE


async def ask(street: Street, asking: Asking, address: str) -> str:
    """Ask from an address; returns status and text, or why there is no answer."""
    headers = {"Content-Type": asking.kind}
    if asking.password:
        basic = base64.b64encode(f"hub:{asking.password}".encode()).decode()
        headers["Authorization"] = f"Basic {basic}"
    code = await fresh(street)
    url = f"https://{code.host}:{code.port}/.well-known/est/{asking.operation}"
    connector = aiohttp.TCPConnector(local_addr=(address, 0), ssl=caller(asking.identity))
    body = io.BytesIO(asking.body) if isinstance(asking.body, bytes) else asking.body
    try:
        async with (
            asyncio.timeout(_WITHIN_S),
            aiohttp.ClientSession(connector=connector) as session,
            session.post(url, data=body, headers=headers) as answer,
        ):
            return f"{answer.status} {await answer.text()}"
    except (aiohttp.ClientError, ConnectionError) as error:
        return f"refused: {type(error).__name__}: {error}"


async def fresh(street: Street) -> EnrolmentCode:
    """Have the operator make a code."""
    made = json.loads(await street.line.rig.operator_post("/enrolment-codes", {}))
    return read_code(made["text"])


def request(key: ec.EllipticCurvePrivateKey, name: HardwareName | None = None) -> bytes:
    """Return a good request for a certificate."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    if name is not None:
        san = x509.SubjectAlternativeName([name.other_name()])
        builder = builder.add_extension(san, critical=True)
    return in_base64(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < _LONG:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, _LONG | len(octets)]) + octets + content


def signed_by_another() -> bytes:
    """Return a request that names one key and is signed by another: somebody else's key."""
    empty = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    named = empty.sign(new_key(), hashes.SHA256()).tbs_certrequest_bytes
    signature = new_key().sign(named, ec.ECDSA(hashes.SHA256()))
    whole = named + _ECDSA_WITH_SHA256 + _tlv(0x03, b"\0" + signature)
    return in_base64(_tlv(0x30, whole))


@dataclass(frozen=True, slots=True)
class Member:
    """A home that has just been enrolled.

    Attributes:
        issued: What it got.
        key: Its key.
        files: The same for a TLS library.
    """

    issued: Issued
    key: ec.EllipticCurvePrivateKey
    files: IdentityFiles

    @property
    def name(self) -> HardwareName:
        """Its hardware's."""
        return hardware_name(self.issued.chain[0])

    @property
    def lfdi(self) -> str:
        """Its LFDI."""
        return lfdi(der(self.issued.chain[0]))


async def member(street: Street) -> Member:
    """Enrol a home rightly."""
    key = new_key()
    issued = await client.enrol(await fresh(street), key, None, time.time)
    folder = street.files("homes")
    own = lfdi(der(issued.chain[0]))
    files = IdentityFiles(folder / f"{own}.pem", folder / f"{own}.key")
    await asyncio.to_thread(_keep, files, issued, key)
    return Member(issued, key, files)


def _keep(files: IdentityFiles, issued: Issued, key: ec.EllipticCurvePrivateKey) -> None:
    write_certificates(files.certificate, issued.chain)
    write_key(files.key, key)


async def _enrols(street: Street) -> str:
    return f"enrolled {(await member(street)).lfdi}"


async def _renews(street: Street) -> str:
    home = await member(street)
    asking = Asking(request(new_key(), home.name), operation="simplereenroll", identity=home.files)
    answer = await ask(street, asking, "127.0.0.1")
    return "enrolled by renewal" if answer.startswith("200 ") else answer


async def guess(street: Street) -> str:
    """Guess one-time codes, and then come with a right one."""
    address, body = street.address(), request(new_key())
    ended = []
    for _ in range(_GUESSES):
        wrong = replace(await fresh(street), secret=new_secret())
        ended.append((await ask(street, Asking(body, wrong.password), address))[:3])
    assert set(ended) <= {"401", "429"}, f"answers: {ended}"
    right = await ask(street, Asking(body, (await fresh(street)).password), address)
    assert right.startswith("429 "), f"a right one is taken in between: {right[:60]}"
    return f"{ended.count('401')} wrong, then {ended.count('429')} not even tried (429)"


async def used(street: Street) -> str:
    """Use a code that another home has used."""
    code = await fresh(street)
    await client.enrol(code, new_key(), None, time.time)
    return await ask(street, Asking(request(new_key()), code.password), street.address())


async def used_at_once(street: Street) -> str:
    """Use one code several times at the same moment, each for another key."""
    code, address = await fresh(street), street.address()
    answers = await asyncio.gather(
        *(ask(street, Asking(request(new_key()), code.password), address) for _ in range(_AT_ONCE))
    )
    good = sum(answer.startswith("200 ") for answer in answers)
    assert good == 1, f"{good} homes of one code: {[a[:40] for a in answers]}"
    return f"1 of {_AT_ONCE} enrolled"


def posted(make: Callable[[], bytes], operation: str = "simpleenroll", kind: str = "") -> Do:
    """Post something with a good code."""

    async def attempt(street: Street) -> str:
        password = (await fresh(street)).password
        asking = Asking(make(), password, operation, kind=kind or PKCS10_TYPE)
        return await ask(street, asking, street.address())

    return attempt


async def without_code(street: Street) -> str:
    """Ask without a code and without a certificate."""
    return await ask(street, Asking(request(new_key())), street.address())


async def key_of_another(street: Street) -> str:
    """Ask, with a good code, for a certificate of another home's key."""
    home = await member(street)
    password = (await fresh(street)).password
    return await ask(street, Asking(request(home.key), password), street.address())


async def unknown_maker(street: Street) -> str:
    """Show the certificate of a manufacturer that the utility does not believe."""
    folder = street.files("maker") / "pki"
    made = await asyncio.to_thread(_maker, folder)
    password = (await fresh(street)).password
    return await ask(street, Asking(request(new_key()), password, identity=made), street.address())


def _maker(folder: Path) -> IdentityFiles:
    if folder.exists():
        return IdentityFiles(folder / "hub.pem", folder / "hub.key")
    own = init_pki(folder, label="Nobody knows them").identity("hub")
    return IdentityFiles(own.certificate, own.key)


async def renewed_when_revoked(street: Street) -> str:
    """Renew a certificate that the operator has taken back (a stolen hub's)."""
    home = await member(street)
    await street.line.rig.operator_post(f"/homes/{home.lfdi}/revoke", {})
    asking = Asking(request(new_key(), home.name), "", "simplereenroll", home.files)
    return await ask(street, asking, street.address())


async def renewed_by_nobody(street: Street) -> str:
    """Renew without showing the certificate that is to be renewed."""
    home = await member(street)
    asking = Asking(request(new_key(), home.name), "", "simplereenroll")
    return await ask(street, asking, street.address())


async def renewed_for_another(street: Street) -> str:
    """Renew, by one's own certificate, that of another home."""
    home, other = await member(street), await member(street)
    asking = Asking(request(new_key(), other.name), "", "simplereenroll", home.files)
    return await ask(street, asking, street.address())


async def renewed_with_the_same_key(street: Street) -> str:
    """Renew for the same key, so that one that was stolen stays good."""
    home = await member(street)
    asking = Asking(request(home.key, home.name), "", "simplereenroll", home.files)
    return await ask(street, asking, street.address())


async def slow(street: Street) -> str:
    """Begin a body and never end it."""
    password = (await fresh(street)).password

    async def body() -> AsyncIterator[bytes]:
        yield b"MIIB"
        await asyncio.sleep(_WITHIN_S)

    return await ask(street, Asking(body(), password), street.address())


def _row(
    id_: str,
    does: str,
    attempt: Do,
    defence: str,
    says: str,
    *,
    rightly: Do = _enrols,
    quick: bool = False,
) -> Attack[Street]:
    return Attack(
        f"enrol-{id_}",
        Kind.ENROLMENT,
        does,
        attempt,
        defence,
        Entry(Where.HEAD_END, says),
        rightly,
        "^enrolled ",
        deep=not quick,
    )


_FROM: Final = r"EST refuses 127\.66\.\d+\.\d+ \S+: .*"
ROWS: Final[Sequence[Attack[Street]]] = [
    _row("guess", "Guesses one-time codes", guess, "429", _FROM + "too many", quick=True),
    _row("used", "Uses a code that has been used", used, "^401 ", _FROM + "code", quick=True),
    _row(
        "used-at-once",
        "Uses one code several times at the same moment",
        used_at_once,
        "^1 of",
        _FROM + "code",
    ),
    _row("no-code", "Asks without a code or a certificate", without_code, "^401 ", _FROM),
    _row(
        "key-of-another",
        "Asks for a certificate of another home's key",
        key_of_another,
        "^40[039] ",
        _FROM + "key",
        quick=True,
    ),
    _row(
        "other-signature",
        "Names a key and signs by another",
        posted(signed_by_another),
        "^400 .*not signed by the key",
        _FROM + "not signed",
        quick=True,
    ),
    _row(
        "garbage", "Asks with garbage", posted(lambda: b"\0\xff" * 50), "^400 ", _FROM + "PKCS #10"
    ),
    _row(
        "oversize",
        "Sends a body of 1 MB",
        posted(lambda: b"A" * 1_000_000),
        "^413 |^refused: ",
        _FROM + "longer",
    ),
    _row(
        "media",
        "Sends another media type",
        posted(lambda: request(new_key()), kind="text/xml"),
        "^415 ",
        _FROM + "application/pkcs10",
    ),
    _row(
        "server-key",
        "Has the server make a key, which it would then know",
        posted(lambda: request(new_key()), "serverkeygen"),
        "^501 ",
        _FROM + "keys are made",
    ),
    _row(
        "unknown-maker",
        "Shows the certificate of a manufacturer that nobody believes",
        unknown_maker,
        "^refused: ",
        "EST: a TLS handshake failed: ",
    ),
    _row(
        "renew-revoked",
        "Renews a certificate that was taken back",
        renewed_when_revoked,
        "^403 .*revoked",
        _FROM + "revoked",
        rightly=_renews,
        quick=True,
    ),
    _row(
        "renew-nobody",
        "Renews without showing what is renewed",
        renewed_by_nobody,
        "^403 ",
        _FROM + "present certificate",
        rightly=_renews,
    ),
    _row(
        "renew-another",
        "Renews another home's certificate",
        renewed_for_another,
        "^403 ",
        _FROM + "hardware",
        rightly=_renews,
    ),
    _row(
        "renew-same-key",
        "Renews for a key that may have been stolen",
        renewed_with_the_same_key,
        "^403 ",
        _FROM + "new key",
        rightly=_renews,
    ),
    _row("slow", "Begins a body and never ends it", slow, "^408 ", _FROM + "the body did not come"),
]
