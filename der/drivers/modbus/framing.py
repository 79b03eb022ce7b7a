"""How Modbus messages lie in a stream of bytes: MBAP (TCP and TLS) and RTU with its CRC. Pure.

Framers, PDUs and CRC are pymodbus's. What is added here is suspicion: its framers wait for more,
or hunt for a begin, when bytes cannot be Modbus; a control cycle has no time for either, and a
frame found by hunting in garbage may be a reading that the device never gave.
"""

import logging
from dataclasses import dataclass
from typing import Final, Protocol

from pymodbus.exceptions import ModbusIOException
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.register_message import ReadHoldingRegistersResponse

_FUNCTIONS: Final = frozenset({1, 2, 3, 4, 5, 6, 15, 16})
_EXCEPTION: Final = 0x80
_MBAP_SIZE: Final = 7
_LEAST_LENGTH_FIELD: Final = 3  # unit, function, one byte of data
_MOST_LENGTH_FIELD: Final = 254
_CRC_SIZE: Final = 2
_LEAST_RTU: Final = 5  # unit, function, one byte of data, CRC
_MOST_RTU: Final = 256

# Every failure leaves the transport as one typed error that names device and point; the library's
# own log lines would repeat it without either.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)


class NotModbusError(Exception):
    """Bytes that no device sends as an answer to what this transport asks."""


class RegistersResponse(ReadHoldingRegistersResponse):
    """An answer with registers, kept as bytes: most are decoded as points, not as registers.

    Attributes:
        payload: The registers, high byte first.
    """

    payload: bytes = b""

    def decode(self, data: bytes) -> None:
        """Take the registers; the library's own decoder forgives a byte count that is wrong."""
        if data[0] != len(data) - 1 or data[0] % 2:
            raise ModbusIOException(f"byte count {data[0]} in {len(data) - 1} bytes of data")
        self.payload = data[1:]

    def __str__(self) -> str:
        return f"{len(self.payload) // 2} registers"


class InputRegistersResponse(RegistersResponse):
    """The same for input registers."""

    function_code = 4


def _decoder() -> DecodePDU:
    decoder = DecodePDU(False)
    decoder.register(RegistersResponse)
    decoder.register(InputRegistersResponse)
    return decoder


_DECODER: Final = _decoder()


@dataclass(frozen=True, slots=True)
class Taken:
    """A whole message at the begin of a stream.

    Attributes:
        size: Bytes it took.
        unit: Who sent it.
        transaction: Number that it answers; None where the framing has none.
        pdu: What it says.
    """

    size: int
    unit: int
    transaction: int | None
    pdu: ModbusPDU


class Framing(Protocol):
    """A way of putting messages into a stream."""

    @property
    def numbered(self) -> bool:
        """Whether an answer says which request it belongs to."""
        ...

    def frame(self, request: ModbusPDU, transaction: int) -> bytes:
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

    def __init__(self) -> None:
        self._framer = FramerSocket(_DECODER)

    def frame(self, request: ModbusPDU, transaction: int) -> bytes:
        """Return a request's bytes."""
        request.transaction_id = transaction
        return self._framer.buildFrame(request)

    def take(self, data: bytes) -> Taken | None:
        """Return the message that begins the data."""
        if len(data) <= _MBAP_SIZE:
            return None
        length = data[4] << 8 | data[5]
        if data[2] or data[3] or not _LEAST_LENGTH_FIELD <= length <= _MOST_LENGTH_FIELD:
            raise NotModbusError("no Modbus header")
        if data[_MBAP_SIZE] & ~_EXCEPTION not in _FUNCTIONS:
            raise NotModbusError("no function that was asked")
        size = length + 6
        if len(data) < size:
            return None
        _, unit, transaction, body = self._framer.decode(data[:size])
        return Taken(size, unit, transaction, _decoded(body))


class RtuFraming:
    """Modbus over Serial Line V1.02, 2.5.1, through a gateway that passes bytes on."""

    numbered = False

    def __init__(self) -> None:
        self._framer = FramerRTU(_DECODER)

    def frame(self, request: ModbusPDU, transaction: int) -> bytes:
        """Return a request's bytes; there is no place for a number in them."""
        del transaction
        return self._framer.buildFrame(request)

    def take(self, data: bytes) -> Taken | None:
        """Return the message that begins the data."""
        if len(data) > 1 and data[1] & ~_EXCEPTION not in _FUNCTIONS:
            raise NotModbusError("no function that was asked")
        if len(data) < _LEAST_RTU:
            return None
        found = _DECODER.lookupPduClass(data)
        size = 0 if found is None else found.calculateRtuFrameSize(data)
        if not _LEAST_RTU <= size <= _MOST_RTU:
            raise NotModbusError("no length that a Modbus frame has")
        if len(data) < size:
            return None
        end = size - _CRC_SIZE
        if not FramerRTU.check_CRC(data[:end], int.from_bytes(data[end:size], "big")):
            raise NotModbusError("wrong CRC")
        return Taken(size, data[0], None, _decoded(data[1:end]))


def _decoded(body: bytes) -> ModbusPDU:
    pdu = _DECODER.decode(body)
    if pdu is None:
        raise NotModbusError("a message that contradicts itself")
    return pdu
