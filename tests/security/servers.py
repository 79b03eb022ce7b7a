"""Attacks by who answers in the utility's place: certificates and TLS of a server."""

import asyncio
import re
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from certs.identity import IdentityFiles
from tests.security.attack import Attack, Entry, Kind, Where
from tests.security.den import Den
from tests.security.forging import ANSWERING_SERVICES, ANYBODY, Made, Mint
from tests.security.relay import Serve, listening
from tests.waiting import until

Try = Callable[[Den, str], Awaitable[str]]
"""Given what the hub must say of it, tries; returns what the attacker got."""
_WITHIN_S: Final = 40.0
_REFUSED: Final = r"WARNING .*127\.0\.0\.1:\d+: .*"
_REFUSES: Final = "the peer's certificate|the certificate of"
_UNUSABLE: Final = ("with a key on", "with an RSA", "with an Ed25519", "made to encipher")
_NO_HANDSHAKE: Final = f"{_REFUSES}|version of TLS|none of our ciphers|closed during the handshake"
"""Where the impostor finds first that the two have nothing in common; it may hang up on that."""
_SAYS: Final[Mapping[str, str]] = {
    "expired": "it has expired",
    "revoked": "it has been revoked",
    "not yet valid": "not yet valid",
    "signed with SHA-384": "SHA-256",
    "signed by itself": "self-signed|not trusted",
    "of a CA itself": "is a CA's",
    "without a keyUsage": "no keyUsage",
}
"""What the log must say, where any line about a failed handshake would not be enough."""
_QUICK: Final = frozenset({"of a CA that nobody trusts", "expired"})


@dataclass
class Impostor:
    """A TLS server that takes what it is told in the utility's place.

    Attributes:
        context: What it shows.
        heard: What it was told.
        port: Where it listens.
    """

    context: ssl.SSLContext
    heard: list[bytes] = field(default_factory=list)
    port: int = 0

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[None]:
        """Listen while the context lasts."""
        async with listening(self._take, self.context) as self.port:
            yield

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            if got := await reader.read(65_536):
                self.heard.append(got)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()


async def _answers(den: Den, context: ssl.SSLContext, says: str) -> str:
    """Have an impostor answer, until the hub has said what it thinks of that."""
    impostor = Impostor(context)
    async with impostor.answering():

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await den.way.pass_on(impostor.port, reader, writer)

        await stood_in(den, serve)
        why = await _thinks(den, says)
    assert not impostor.heard, f"it was told {impostor.heard[0][:60]!r}"
    return f"refused, and told nothing: {why}"


async def _thinks(den: Den, says: str) -> str:
    """Wait until the page says why the hub is not connected; returns that."""

    async def state() -> str:
        utility = (await den.hub.home()).utility
        return f"{utility.state}: {utility.detail}"

    pattern = re.compile(f"^(refused|unreachable): .*({says})")
    return await until(
        state, lambda said: pattern.search(said) is not None, _WITHIN_S, f"the page says {says}"
    )


def answering(identity: IdentityFiles, ciphers: str = "ALL") -> ssl.SSLContext:
    """Return the TLS context of a server that takes everybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    context.load_cert_chain(identity.certificate, identity.key)
    return context


async def stood_in(den: Den, serve: Serve) -> None:
    """Stand in the utility's place until the hub has called and hung up."""
    ended: list[float] = []

    async def watched(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            ended.append(time.monotonic())

    den.way.taken_over(watched)

    async def over() -> int:
        return len(ended)

    await until(over, bool, _WITHIN_S, "the hub has called and hung up")


def _shows(name: str, make: Made) -> Try:
    async def attempt(den: Den, says: str) -> str:
        shown = await asyncio.to_thread(make, Mint(den.pki, service=True))
        return await _answers(den, answering(shown.store(den.files("servers"), name)), says)

    return attempt


def _speaks(change: Callable[[IdentityFiles], ssl.SSLContext]) -> Try:
    async def attempt(den: Den, says: str) -> str:
        return await _answers(den, change(den.pki.identity("utility")), says)

    return attempt


def _says(octets: bytes) -> Try:
    """Say octets in the place of a handshake."""

    async def attempt(den: Den, says: str) -> str:
        heard: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.read(65_536))
            writer.write(octets)
            await writer.drain()
            await asyncio.sleep(0.5)

        await stood_in(den, serve)
        why = await _thinks(den, says)
        assert heard
        assert all(each.startswith(b"\x16\x03") for each in heard), (
            "it was told something in the clear"
        )
        return f"refused, and told nothing but a ClientHello: {why}"

    return attempt


async def _rightly(den: Den) -> str:
    den.honest()
    return await den.connected()


def _old(version: ssl.TLSVersion) -> Callable[[IdentityFiles], ssl.SSLContext]:
    def context(identity: IdentityFiles) -> ssl.SSLContext:
        made = answering(identity)
        made.maximum_version = version
        return made

    return context


def _weak(ciphers: str) -> Callable[[IdentityFiles], ssl.SSLContext]:
    return lambda identity: answering(identity, ciphers)


def _row(
    id_: str,
    kind: Kind,
    does: str,
    attempt: Try,
    *,
    says: str,
    deep: bool = True,
) -> Attack[Den]:
    async def tried(den: Den) -> str:
        return await attempt(den, says)

    entry = Entry(Where.HUB_RUN, f"{_REFUSED}({says})")
    return Attack(id_, kind, does, tried, "^refused", entry, _rightly, "^connected", deep=deep)


_CERTIFICATES: Final[Mapping[str, Made]] = ANYBODY | ANSWERING_SERVICES
ROWS: Final[Sequence[Attack[Den]]] = [
    *(
        _row(
            f"certificate-server-{'-'.join(re.findall('[a-zA-Z0-9]+', name))}".lower(),
            Kind.CERTIFICATES,
            f"Answers in the utility's place with a service's certificate {name}",
            _shows(f"server-{number}", make),
            says=_SAYS.get(name, _NO_HANDSHAKE if name.startswith(_UNUSABLE) else _REFUSES),
            deep=name not in _QUICK,
        )
        for number, (name, make) in enumerate(_CERTIFICATES.items())
    ),
    _row(
        "tls-server-1.0",
        Kind.TLS,
        "Answers in the utility's place by TLS 1.0",
        _speaks(_old(ssl.TLSVersion.TLSv1)),
        says=_NO_HANDSHAKE,
    ),
    _row(
        "tls-server-1.1",
        Kind.TLS,
        "Answers in the utility's place by TLS 1.1",
        _speaks(_old(ssl.TLSVersion.TLSv1_1)),
        says=_NO_HANDSHAKE,
        deep=False,
    ),
    _row(
        "tls-server-cbc",
        Kind.TLS,
        "Answers in the utility's place with a CBC suite only",
        _speaks(_weak("ECDHE-ECDSA-AES256-SHA")),
        says=_NO_HANDSHAKE,
    ),
    _row(
        "tls-server-null",
        Kind.TLS,
        "Answers in the utility's place without encryption",
        _speaks(_weak("ECDHE-ECDSA-NULL-SHA")),
        says=_NO_HANDSHAKE,
    ),
    _row(
        "tls-server-anonymous",
        Kind.TLS,
        "Answers in the utility's place without a certificate",
        _speaks(_weak("AECDH-AES256-SHA")),
        says=_NO_HANDSHAKE,
    ),
    _row(
        "tls-server-plain",
        Kind.TLS,
        "Answers in the utility's place in the clear",
        _says(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        says="does not speak TLS",
    ),
    _row(
        "tls-server-garbage",
        Kind.TLS,
        "Answers in the utility's place with octets of no protocol",
        _says(bytes(range(256)) * 8),
        says="does not speak TLS",
    ),
    _row(
        "tls-server-strip",
        Kind.TLS,
        "Sends the hub on to plain HTTP before any handshake",
        _says(b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1/dcap\r\n\r\n"),
        says="does not speak TLS",
    ),
]
