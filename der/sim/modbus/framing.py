"""How Modbus frames travel: behind an MBAP header (TCP, TLS) or with a CRC (RTU through a gateway).

Written out, so that the two ends of the wire do not share one reading of the protocol.
References: Messaging on TCP/IP V1.0b, 3.1.3; Modbus over serial line V1.02, 2.5.1.
"""

import asyncio
import struct
from dataclasses import dataclass
from typing import Protocol

HEADER = struct.Struct(">HHHB")
LONGEST_PDU = 253

_READS_AND_SINGLES = frozenset({1, 2, 3, 4, 5, 6})
_MULTIPLES = frozenset({15, 16})


@dataclass(frozen=True, slots=True)
class Request:
    """A request, and what its answer must carry.

    Attributes:
        pdu: Function and data.
        unit: Unit identifier.
        transaction: Number of the transaction; 0 where there is none.
    """

    pdu: bytes
    unit: int
    transaction: int = 0


class Framing(Protocol):
    """Takes requests off a stream and wraps answers."""

    async def take(self, reader: asyncio.StreamReader) -> Request | None:
        """Return the next request; None if the stream is out of step."""
        ...

    def wrap(self, request: Request, pdu: bytes) -> bytes:
        """Return the frame that answers a request with a PDU."""
        ...


class Mbap:
    """Modbus TCP."""

    async def take(self, reader: asyncio.StreamReader) -> Request | None:
        """Return the next request; None if its header makes no sense."""
        header = await reader.readexactly(HEADER.size)
        transaction, protocol, length, unit = HEADER.unpack(header)
        if protocol != 0 or not 2 <= length <= LONGEST_PDU + 1:  # noqa: PLR2004 - unit and function
            return None
        return Request(await reader.readexactly(length - 1), unit, transaction)

    def wrap(self, request: Request, pdu: bytes) -> bytes:
        """Return the answer under the transaction's number."""
        return HEADER.pack(request.transaction, 0, len(pdu) + 1, request.unit) + pdu


class Rtu:
    """RTU frames through a plain TCP gateway."""

    async def take(self, reader: asyncio.StreamReader) -> Request | None:
        """Return the next request; None if its length is not known, or its CRC is wrong."""
        frame = await reader.readexactly(2)
        function = frame[1]
        if function in _READS_AND_SINGLES:
            frame += await reader.readexactly(4)
        elif function in _MULTIPLES:
            frame += await reader.readexactly(5)
            frame += await reader.readexactly(frame[-1])
        else:
            return None
        if await reader.readexactly(2) != crc(frame):
            return None
        return Request(frame[1:], frame[0])

    def wrap(self, request: Request, pdu: bytes) -> bytes:
        """Return the answer with its CRC."""
        frame = bytes([request.unit]) + pdu
        return frame + crc(frame)


def crc(frame: bytes) -> bytes:
    """Return the CRC-16 of a frame, low byte first."""
    register = 0xFFFF
    for byte in frame:
        register ^= byte
        for _ in range(8):
            low = register & 1
            register >>= 1
            if low:
                register ^= 0xA001
    return register.to_bytes(2, "little")
