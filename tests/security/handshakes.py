"""Attacks on TLS itself: old versions, weak suites, records out of place, and many at once."""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from OpenSSL import SSL

from certs.pem import read_certificates
from certs.pki import issue_device, revoke
from tests.security.attack import Attack, Entry, Kind
from tests.security.callers import HEAD_END, LISTENER, Door, call
from tests.security.hello import GOOD_SUITE, Hello, answered, record
from tests.security.street import Street, caller

_GOOD: Final = "^hello: version 0303, suite c02b, compression 0"
_HALF_OPEN: Final = 2_000
_DRIPS: Final = 40
_FALLBACK: Final = 0x5600
_HEARTBEAT: Final = 24
_ALERT: Final = 21

HELLOS: Final[Mapping[str, tuple[str, Hello]]] = {
    "ssl-3": ("offers SSL 3.0 only", Hello(0x0300, record=0x0300)),
    "tls-1.0": ("offers TLS 1.0 only", Hello(0x0301)),
    "tls-1.1": ("offers TLS 1.1 only", Hello(0x0302)),
    "downgrade": (
        "falls back to TLS 1.1, saying that it does (SCSV)",
        Hello(0x0302, (GOOD_SUITE, _FALLBACK)),
    ),
    "suite-null": ("offers suites without encryption", Hello(suites=(0x0001, 0x0002, 0xC006))),
    "suite-anonymous": (
        "offers suites without certificates",
        Hello(suites=(0x0034, 0xC018, 0xC019)),
    ),
    "suite-rc4": ("offers RC4 only", Hello(suites=(0x0005, 0xC007, 0xC011))),
    "suite-3des": ("offers 3DES only (Sweet32)", Hello(suites=(0x000A, 0xC008, 0xC012))),
    "suite-export": ("offers export suites only (FREAK)", Hello(suites=(0x0003, 0x0008, 0x0014))),
    "suite-cbc": ("offers CBC suites only (Lucky 13)", Hello(suites=(0xC009, 0xC00A, 0xC023))),
    "suite-rsa": ("offers suites without forward secrecy", Hello(suites=(0x009C, 0x009D, 0x002F))),
    "suite-psk": ("offers pre-shared keys only", Hello(suites=(0x00A8, 0x008C))),
    "suite-none": ("offers no suite at all", Hello(suites=())),
    "curve": ("offers other curves than P-256 only", Hello(groups=(21, 22, 19))),
    "many-suites": ("offers 30,000 suites that do not exist", Hello(suites=[0xFADE] * 30_000)),
}
"""Offers that are to be refused."""
CLAMPED: Final[Mapping[str, tuple[str, Hello]]] = {
    "compression": ("asks for compression (CRIME)", Hello(compressions=b"\1\0")),
    "heartbeat-extension": ("offers heartbeats (Heartbleed)", Hello(more=[(15, b"\1")])),
    "alpn": ("names protocols that do not exist", Hello(more=[(16, b"\0\x04\x03xyz")])),
    "server-name": (
        "asks for another server by name",
        Hello(more=[(0, b"\0\x0f\0\0\x0cevil.example")]),
    ),
}
"""Offers that are to be answered as if the odd part were not there."""
RECORDS: Final[Mapping[str, tuple[str, bytes]]] = {
    "plain-http": ("speaks plain HTTP on the TLS port", b"GET /dcap HTTP/1.1\r\nHost: h\r\n\r\n"),
    "garbage": ("sends octets of no protocol", bytes(range(255, 0, -1)) * 8),
    "heartbeat": (
        "sends a heartbeat that claims to be longer than it is (Heartbleed)",
        Hello().octets() + record(_HEARTBEAT, b"\x01\x40\x00"),
    ),
    "heartbeat-first": ("begins with a heartbeat", record(_HEARTBEAT, b"\x01\x40\x00")),
    "data-first": ("begins with application data", record(23, b"GET /dcap HTTP/1.1\r\n\r\n")),
    "early-ccs": ("changes ciphers before there is a key", record(20, b"\1") + Hello().octets()),
    "long-record": ("sends a record longer than any may be", record(22, b"\1" * 20_000)),
    "huge-hello": (
        "sends a ClientHello that claims 16 MB",
        record(22, b"\x01\xff\xff\xff" + b"\0" * 12_000) * 16,
    ),
    "ssl-2": (
        "sends a ClientHello of SSL 2.0",
        b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + b"\0" * 37,
    ),
    "alert-first": ("begins with a fatal alert", record(21, b"\2\x28")),
}
"""Records that are to be refused."""


def _place(street: Street, door: Door) -> tuple[str, int]:
    url = urlsplit(door.url(street))
    return url.hostname or "", url.port or 0


def _sends(door: Door, octets: Callable[[], bytes]) -> Callable[[Street], Awaitable[str]]:
    async def attempt(street: Street) -> str:
        return await answered(*_place(street, door), octets())

    return attempt


def _rightly(door: Door) -> Callable[[Street], Awaitable[str]]:
    async def rightly(street: Street) -> str:
        return await call(street, door, street.pki.identity(door.who))

    return rightly


def _heartbleed(door: Door) -> Callable[[Street], Awaitable[str]]:
    """Read all that comes after the heartbeat: nothing of it may be a heartbeat's answer."""

    async def attempt(street: Street) -> str:
        reader, writer = await asyncio.open_connection(*_place(street, door))
        got = b""
        try:
            writer.write(RECORDS["heartbeat"][1])
            async with asyncio.timeout(3):
                while chunk := await reader.read(65_536):
                    got += chunk
        except (TimeoutError, ConnectionError):
            pass  # what has come by then is what is looked at
        finally:
            writer.close()
        kinds, at = [], 0
        while at + 5 <= len(got):
            kinds.append(got[at])
            at += 5 + int.from_bytes(got[at + 3 : at + 5], "big")
        assert _HEARTBEAT not in kinds, "it was answered with memory"
        ended = "refused: alert" if _ALERT in kinds else "taken"
        return f"{ended}, after records of the kinds {kinds}"

    return attempt


def _renegotiates(door: Door) -> Callable[[Street], Awaitable[str]]:
    def attempt(host: str, port: int, certificate: str, key: str) -> str:
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        context.set_cipher_list(b"ALL:@SECLEVEL=0")
        context.use_certificate_chain_file(certificate)
        context.use_privatekey_file(key)
        with socket.create_connection((host, port), 10) as raw:
            raw.setblocking(True)
            connection = SSL.Connection(context, raw)
            connection.set_connect_state()
            connection.do_handshake()
            assert connection.renegotiate()
            try:
                connection.do_handshake()
                while connection.renegotiate_pending():
                    connection.send(b"G")
                    connection.recv(1)
            except SSL.Error as error:
                return f"refused: {error}"
            total: int = connection.total_renegotiations()
            assert not total, "a new handshake was made"
            return "refused: nothing came of it"

    async def run(street: Street) -> str:
        host, port = _place(street, door)
        files = street.pki.identity(door.who)
        return await asyncio.to_thread(attempt, host, port, str(files.certificate), str(files.key))

    return run


def _half_open(door: Door) -> Callable[[Street], Awaitable[str]]:
    """Open connections and say nothing on them; meanwhile somebody honest calls."""

    async def attempt(street: Street) -> str:
        host, port = _place(street, door)
        opened = 0
        async with AsyncExitStack() as held:
            for _ in range(_HALF_OPEN // 100):
                some = await asyncio.gather(
                    *(asyncio.open_connection(host, port) for _ in range(100)),
                    return_exceptions=True,
                )
                for each in some:
                    if not isinstance(each, BaseException):
                        held.callback(each[1].close)
                        opened += 1
            began = time.monotonic()
            answer = await call(street, door, street.pki.identity(door.who))
            took = time.monotonic() - began
        assert opened >= _HALF_OPEN * 0.9, f"only {opened} could be opened"
        return f"{opened} held open; the right one is answered {answer[:12]!r} in {took:.1f} s"

    return attempt


def _drips(door: Door) -> Callable[[Street], Awaitable[str]]:
    """Send a ClientHello octet by octet on many connections, and never end it."""

    async def attempt(street: Street) -> str:
        host, port = _place(street, door)
        octets = Hello().octets()[:-1]
        async with AsyncExitStack() as held:
            writers = []
            for _ in range(_DRIPS):
                _, writer = await asyncio.open_connection(host, port)
                held.callback(writer.close)
                writers.append(writer)
            for octet in octets[:30]:
                for writer in writers:
                    writer.write(bytes([octet]))
                await asyncio.sleep(0.1)
            return await call(street, door, street.pki.identity(door.who))

    return attempt


def _never_ends(door: Door) -> Callable[[Street], Awaitable[str]]:
    """Begin a handshake and wait for the server to give it up."""

    async def attempt(street: Street) -> str:
        reader, writer = await asyncio.open_connection(*_place(street, door))
        try:
            writer.write(Hello().octets()[:-1])
            began = time.monotonic()
            await reader.read()
            return f"refused: closed after {time.monotonic() - began:.0f} s"
        except ConnectionError:
            return f"refused: reset after {time.monotonic() - began:.0f} s"
        finally:
            writer.close()

    return attempt


def _cut_off(door: Door) -> Callable[[Street], Awaitable[str]]:
    """Begin 300 handshakes and hang up in the middle of each."""

    async def attempt(street: Street) -> str:
        octets = Hello().octets()
        for _ in range(300):
            _, writer = await asyncio.open_connection(*_place(street, door))
            writer.write(octets)
            await writer.drain()
            writer.transport.abort()
        return await call(street, door, street.pki.identity(door.who))

    return attempt


def _resumes(door: Door) -> Callable[[Street], Awaitable[str]]:
    """Take up a session again after the certificate that began it was revoked."""

    def session_of(
        host: str, port: int, context: ssl.SSLContext, session: ssl.SSLSession | None
    ) -> ssl.SSLSession | None:
        with (
            socket.create_connection((host, port), 10) as raw,
            context.wrap_socket(raw, session=session) as secure,
        ):
            secure.sendall(b"GET /dcap HTTP/1.1\r\nHost: h\r\n\r\n")
            got = secure.recv(100)
            if not got:
                raise ConnectionResetError("closed without an answer")
            return secure.session

    async def attempt(street: Street) -> str:
        host, port = _place(street, door)
        name = f"thief-{'h' if door is HEAD_END else 'l'}"
        files = await asyncio.to_thread(issue_device, street.pki, name)
        context = caller(files)
        session = await asyncio.to_thread(session_of, host, port, context, None)
        await asyncio.to_thread(revoke, street.pki, read_certificates(files.certificate)[0])
        end = time.monotonic() + 80
        while time.monotonic() < end:
            try:
                await asyncio.to_thread(session_of, host, port, context, session)
            except OSError as error:
                return f"refused: {error}"
            await asyncio.sleep(2)
        raise AssertionError("it was served 80 s after its revocation")

    return attempt


def _table(door: Door, side: str) -> Sequence[Attack[Street]]:
    rows = []
    failed = Entry(door.log, "TLS handshake failed: ")
    quick = {"tls-1.0", "tls-1.1", "suite-null", "suite-3des", "downgrade", "plain-http", "garbage"}
    for name, (does, hello) in HELLOS.items():
        rows.append(
            Attack(
                f"tls-{side}-{name}",
                Kind.TLS,
                f"At {door.name}, {does}",
                _sends(door, hello.octets),
                "^refused",
                failed,
                _sends(door, Hello().octets),
                _GOOD,
                deep=name not in quick,
            )
        )
    for name, (does, hello) in CLAMPED.items():
        rows.append(
            Attack(
                f"tls-{side}-{name}",
                Kind.TLS,
                f"At {door.name}, {does}",
                _sends(door, hello.octets),
                _GOOD,
                # The attacker leaves in the middle of the handshake.
                None,
                _rightly(door),
                door.served,
                silent="what is asked for is not granted, and the handshake goes on without it",
                deep=True,
            )
        )
    for name, (does, octets) in RECORDS.items():
        attempt = _heartbleed(door) if name == "heartbeat" else _sends(door, partial(bytes, octets))
        rows.append(
            Attack(
                f"tls-{side}-{name}",
                Kind.TLS,
                f"At {door.name}, {does}",
                attempt,
                "^refused",
                failed,
                _rightly(door),
                door.served,
                deep=name not in quick,
            )
        )
    return rows


def _crowds(door: Door, side: str) -> Sequence[Attack[Street]]:
    def row(
        name: str,
        does: str,
        attempt: Callable[[Door], Callable[[Street], Awaitable[str]]],
        defence: str,
        entry: Entry | str,
    ) -> Attack[Street]:
        """Return a row; in the place of its entry may stand why it leaves none."""
        return Attack(
            f"tls-{side}-{name}",
            Kind.TLS,
            f"At {door.name}, {does}",
            attempt(door),
            defence,
            entry if isinstance(entry, Entry) else None,
            _rightly(door),
            door.served,
            "" if isinstance(entry, Entry) else entry,
            deep=name != "renegotiation",
        )

    return [
        row(
            "renegotiation",
            "starts a second handshake within the first",
            _renegotiates,
            "^refused",
            "the request for it is declined within the connection, which goes on",
        ),
        row(
            "half-open",
            f"opens {_HALF_OPEN} connections and says nothing",
            _half_open,
            door.served.replace("^", "answered '"),
            "a connection on which nothing is said is no handshake that failed",
        ),
        row(
            "drip",
            f"sends {_DRIPS} ClientHellos octet by octet",
            _drips,
            door.served,
            "handshakes that are not over have not failed",
        ),
        row(
            "never-ends",
            "never ends its handshake",
            _never_ends,
            r"^refused: .* [1-6]?\d s",
            "who waits in vain has been refused nothing; the agent watches half-open connections",
        ),
        row(
            "cut-off",
            "hangs up in the middle of 300 handshakes",
            _cut_off,
            door.served,
            "who hangs up has been refused nothing",
        ),
        row(
            "resumption-after-revocation",
            "takes a session up again after its certificate was revoked",
            _resumes,
            "^refused",
            Entry(door.log, "revoked"),
        ),
    ]


ROWS: Final[Sequence[Attack[Street]]] = [
    *_table(HEAD_END, "head-end"),
    *_table(LISTENER, "hub"),
    *_crowds(HEAD_END, "head-end"),
    *_crowds(LISTENER, "hub"),
]
