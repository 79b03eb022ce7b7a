"""How Modbus messages lie in a stream of bytes: MBAP (TCP and TLS) and RTU with its CRC. Pure.

A framing waits for more only where what has come may become a message, and never hunts for a begin:
a control cycle has no time for it, and a frame found in garbage may be a reading that the device
never gave.
"""

import struct
from dataclasses import dataclass
from typing import Final, Protocol

from der.drivers.modbus.messages import Answer, ContradictionError, Request, crc, known, length

_MBAP: Final = struct.Struct(">HHHB")
"""Transaction, protocol (0), length of what follows it, unit."""
_LEAST_LENGTH_FIELD: Final = 3  # unit, function, one byte of data
_MOST_LENGTH_FIELD: Final = 254
_CRC_SIZE: Final = 2
_LEAST_RTU: Final = 5  # unit, function, one byte of data, CRC
_MOST_RTU: Final = 256


class NotModbusError(Exception):
    """Bytes that no device sends as an answer to what this transport asks."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A whole message at the begin of a stream.

    Attributes:
        size: Bytes it took.
        unit: Who sent it.
        transaction: Number that it answers; None where the framing has none.
        answer: What it says.
    """

    size: int
    unit: int
    transaction: int | None
    answer: Answer


class Framing(Protocol):
    """A way of putting messages into a stream."""

    @property
    def numbered(self) -> bool:
        """Whether an answer says which request it belongs to."""
        ...

    def frame(self, request: Request, transaction: int) -> bytes:
        """Return a request's bytes."""
        ...

    def take(self, data: bytes) -> Taken | None:
        """Return the message that begins the data; None until all of it is there.

        Raises:
            NotModbusError: It can't become one.
        """
        ...


class MbapFraming:
    """Modbus Messaging on TCP/IP V1.0b, 3.1.3; the same within TLS (Modbus/TCP Security)."""

    numbered = True

    def frame(self, request: Request, transaction: int) -> bytes:
        """Return a request's bytes."""
        message = request.message
        return _MBAP.pack(transaction, 0, 1 + len(message), request.unit) + message

    def take(self, data: bytes) -> Taken | None:
        """Return the message that begins the data."""
        if len(data) <= _MBAP.size:
            return None
        transaction, protocol, size, unit = _MBAP.unpack_from(data)
        if protocol or not _LEAST_LENGTH_FIELD <= size <= _MOST_LENGTH_FIELD:
            raise NotModbusError("no Modbus header")
        if not known(data[_MBAP.size]):
            raise NotModbusError("no function that was asked")
        end = _MBAP.size - 1 + size
        if len(data) < end:
            return None
        return Taken(end, unit, transaction, _answer(data[_MBAP.size : end]))


class RtuFraming:
    """Modbus over Serial Line V1.02, 2.5.1, through a gateway that passes bytes on."""

    numbered = False

    def frame(self, request: Request, transaction: int) -> bytes:
        """Return a request's bytes; there is no place for a number in them."""
        del transaction
        frame = bytes((request.unit,)) + request.message
        return frame + crc(frame)

    def take(self, data: bytes) -> Taken | None:
        """Return the message that begins the data."""
        if len(data) > 1 and not known(data[1]):
            raise NotModbusError("no function that was asked")
        if len(data) < _LEAST_RTU:
            return None
        end = 1 + length(data[1:])
        size = end + _CRC_SIZE
        if not _LEAST_RTU <= size <= _MOST_RTU:
            raise NotModbusError("no length that a Modbus frame has")
        if len(data) < size:
            return None
        if crc(data[:end]) != data[end:size]:
            raise NotModbusError("wrong CRC")
        return Taken(size, data[0], None, _answer(data[1:end]))


def _answer(message: bytes) -> Answer:
    try:
        return Answer.of(message)
    except ContradictionError as error:
        raise NotModbusError(str(error)) from error
