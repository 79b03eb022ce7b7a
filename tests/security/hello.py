"""ClientHellos made by hand, and what a server says to them: what no TLS library sends any more."""

import asyncio
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

TLS12: Final = 0x0303
GOOD_SUITE: Final = 0xC02B
_HANDSHAKE: Final = 22
_ALERT: Final = 21
_SERVER_HELLO: Final = 2
_ALERTS: Final = {
    10: "unexpected message",
    22: "record overflow",
    40: "handshake failure",
    42: "bad certificate",
    47: "illegal parameter",
    50: "decode error",
    70: "protocol version",
    71: "insufficient security",
    80: "internal error",
    86: "inappropriate fallback",
    100: "no renegotiation",
}
_WITHIN_S: Final = 8.0


@dataclass(frozen=True, slots=True)
class Hello:
    """A ClientHello.

    Attributes:
        version: The highest that the client offers.
        suites: Cipher suites offered.
        compressions: Methods of compression offered.
        groups: Curves offered.
        more: Further extensions: number, content.
        record: Version of the record around it.
    """

    version: int = TLS12
    suites: Sequence[int] = (GOOD_SUITE,)
    compressions: bytes = b"\0"
    groups: Sequence[int] = (23,)
    more: Sequence[tuple[int, bytes]] = ()
    record: int = 0x0301

    def octets(self) -> bytes:
        """Return it as it goes over the wire."""
        groups = b"".join(struct.pack(">H", group) for group in self.groups)
        extensions = [
            (10, struct.pack(">H", len(groups)) + groups),
            (11, b"\x01\x00"),
            (13, struct.pack(">H", 2) + b"\x04\x03"),
            *self.more,
        ]
        packed = b"".join(struct.pack(">HH", kind, len(body)) + body for kind, body in extensions)
        suites = b"".join(struct.pack(">H", suite) for suite in self.suites)
        body = (
            struct.pack(">H", self.version)
            + os.urandom(32)
            + b"\0"
            + struct.pack(">H", len(suites))
            + suites
            + bytes([len(self.compressions)])
            + self.compressions
            + struct.pack(">H", len(packed))
            + packed
        )
        message = b"\x01" + len(body).to_bytes(3, "big") + body
        return b"".join(
            record(_HANDSHAKE, message[at : at + 16_000], self.record)
            for at in range(0, len(message), 16_000)
        )


def record(kind: int, body: bytes, version: int = TLS12, length: int | None = None) -> bytes:
    """Return a TLS record; with `length` one that lies about how long it is."""
    return struct.pack(">BHH", kind, version, len(body) if length is None else length) + body


async def answered(host: str, port: int, sent: bytes) -> str:
    """Send octets to a TLS server; returns in words what it says first."""
    try:
        async with asyncio.timeout(_WITHIN_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(sent)
                return await _said(reader)
            finally:
                writer.close()
    except TimeoutError:
        return "silence"
    except (ConnectionError, asyncio.IncompleteReadError) as error:
        return f"refused: closed ({type(error).__name__})"


async def _said(reader: asyncio.StreamReader) -> str:
    kind, _version, length = struct.unpack(">BHH", await reader.readexactly(5))
    body = await reader.readexactly(length)
    if kind == _ALERT and length == 2:
        return f"refused: alert {_ALERTS.get(body[1], body[1])}"
    if kind == _HANDSHAKE and body[0] == _SERVER_HELLO:
        version = struct.unpack(">H", body[4:6])[0]
        at = 38 + 1 + body[38]
        suite, compression = struct.unpack(">HB", body[at : at + 3])
        return f"hello: version {version:04x}, suite {suite:04x}, compression {compression}"
    return f"record {kind} of {length} octets"
