"""Modbus TCP transport: one connection to one unit, typed errors, one request at a time.

Register and coil addresses are as on the wire, counted from 0. A connection that was lost,
timed out or answered garbage is closed for good, because what still arrives on it can no longer
be told from an answer; the caller opens a new one.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import WriteSingleCoilRequest
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
)

from der.addresses import ModbusAddress
from der.lifeline import Lifeline
from der.errors import DeviceError, RefusalError, TransientError

MAX_REGISTERS: Final = 125
"""Most registers that one Modbus read may ask for (application protocol V1.1b3, 6.3)."""

_PERMANENT: Final = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    7: "negative acknowledge",
}
_TRANSIENT: Final = {
    4: "server device failure",
    5: "acknowledged, still working",
    6: "server device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target does not respond",
}
_FUNCTIONS: Final = frozenset({1, 2, 3, 4, 5, 6, 15, 16})
_MBAP_SIZE: Final = 8
_LEAST_LENGTH_FIELD: Final = 3  # unit, function, one byte of data
_DECODER: Final = DecodePDU(False)
_MAX_LENGTH_FIELD: Final = 254

_log = logging.getLogger(__name__)

# Every failure leaves this module as one typed error that names device and point; the library's
# own log lines would repeat it without either.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)


def looks_like_modbus(data: bytes) -> bool:
    """Whether bytes are the begin of, or all of, an answer to what this transport asks."""
    if len(data) < _MBAP_SIZE:
        return True
    length = int.from_bytes(data[4:6], "big")
    if (
        data[2:4] != b"\0\0"
        or not _LEAST_LENGTH_FIELD <= length <= _MAX_LENGTH_FIELD
        or data[7] & 0x7F not in _FUNCTIONS
    ):
        return False
    end = length + 6
    return len(data) < end or _DECODER.decode(data[7:end]) is not None


class ModbusConnection:
    """An open connection to one unit; made by `ModbusConnection.open`."""

    def __init__(self, device: str, address: ModbusAddress) -> None:
        self.device = device
        self.address = address
        self._lifeline = Lifeline()
        self._lock = asyncio.Lock()
        self._client = AsyncModbusTcpClient(
            address.host,
            port=address.port,
            timeout=2 * address.timeout_s,  # ours, below, ends first and says where
            retries=0,
            reconnect_delay=0,
            trace_packet=self._inspect,
            trace_connect=self._watch,
        )

    @classmethod
    async def open(cls, device: str, address: ModbusAddress) -> "ModbusConnection":
        """Connect.

        Args:
            device: Id of the device, for messages.
            address: Where it is.

        Raises:
            TransientError: Nobody listens there, or nobody answers in time.
        """
        connection = cls(device, address)
        try:
            async with asyncio.timeout(address.timeout_s):
                connected = await connection._client.connect()
        except TimeoutError:
            connected = False
        except BaseException:
            connection.close()
            raise
        if not connected:
            connection.close()
            raise TransientError(f"{device}: no Modbus connection to {address}")
        return connection

    async def read_holding(self, start: int, count: int, point: str) -> tuple[int, ...]:
        """Read `count` holding registers from `start`, in as few frames as Modbus allows.

        Raises:
            RefusalError: The device refuses this address.
            TransientError: No usable answer.
        """
        registers: list[int] = []
        while len(registers) < count:
            request = ReadHoldingRegistersRequest(
                address=start + len(registers),
                count=min(MAX_REGISTERS, count - len(registers)),
                dev_id=self.address.unit,
            )
            registers += await self._registers(request, point)
        return tuple(registers)

    async def read_input(self, start: int, count: int, point: str) -> tuple[int, ...]:
        """Read `count` (at most 125) input registers from `start`; errors as `read_holding`."""
        request = ReadInputRegistersRequest(address=start, count=count, dev_id=self.address.unit)
        return await self._registers(request, point)

    async def write_holding(self, start: int, values: Sequence[int], point: str) -> None:
        """Write holding registers from `start` in one frame; the device confirms it.

        Raises:
            RefusalError: The device refuses address or value.
            TransientError: No usable answer; whether it took the values is unknown.
        """
        answer = await self._call(
            WriteMultipleRegistersRequest(
                address=start, registers=list(values), dev_id=self.address.unit
            ),
            point,
        )
        if (answer.address, answer.count) != (start, len(values)):
            raise self._lost(point, "confirmed another write than was asked")

    async def write_coil(self, address: int, value: bool, point: str) -> None:
        """Set or clear a coil; errors as `write_holding`."""
        answer = await self._call(
            WriteSingleCoilRequest(address=address, bits=[value], dev_id=self.address.unit), point
        )
        if answer.address != address or list(answer.bits[:1]) != [value]:
            raise self._lost(point, "confirmed another write than was asked")

    def close(self) -> None:
        """End the connection; calls under way end with TransientError."""
        self._end("connection is closed")

    async def _registers(self, request: ModbusPDU, point: str) -> tuple[int, ...]:
        answer = await self._call(request, point)
        if len(answer.registers) != request.count:
            raise self._lost(
                point, f"sent {len(answer.registers)} registers where {request.count} were asked"
            )
        return tuple(answer.registers)

    async def _call(self, request: ModbusPDU, point: str) -> ModbusPDU:
        try:
            async with self._lock, self._lifeline.bounded(self.address.timeout_s):
                answer: ModbusPDU = await self._client.execute(False, request)
        except asyncio.CancelledError:
            # The caller's deadline: an answer that still comes would be taken for the next one's.
            self._end("a call was given up")
            raise
        except TimeoutError as error:
            raise self._lost(point, f"no answer within {self.address.timeout_s:g} s") from error
        except ModbusException as error:
            raise self._lost(point, "no usable answer") from error
        if answer.isError():
            raise self._refusal(answer.exception_code, point)
        if answer.function_code != request.function_code:
            raise self._lost(point, "answered another function than was asked")
        return answer

    def _refusal(self, code: int, point: str) -> DeviceError:
        where = f"{self.device}: {point} at {self.address}"
        if code in _PERMANENT:
            return RefusalError(f"{where}: Modbus exception {code} ({_PERMANENT[code]})", code)
        meaning = _TRANSIENT.get(code, "unknown")
        return TransientError(f"{where}: Modbus exception {code} ({meaning})")

    def _lost(self, point: str, cause: str) -> TransientError:
        """End the connection and word the error; what ended it earlier explains more."""
        cause = self._lifeline.cause or cause
        self._end(cause)
        return TransientError(f"{self.device}: {point} at {self.address}: {cause}")

    def _end(self, cause: str) -> None:
        self._lifeline.cut(cause)
        self._client.close()

    def _inspect(self, sending: bool, data: bytes) -> bytes:
        """Stop garbage before the library's decoder: there it would end in a stray traceback."""
        if sending or looks_like_modbus(data):
            return data
        # Not in the error: that would be another one each time, and said each time.
        _log.debug("%s: %s is not Modbus", self.device, data[:_MBAP_SIZE].hex(" "))
        self._lifeline.cut("answered bytes that are not Modbus")
        return b""

    def _watch(self, connected: bool) -> None:
        if not connected:
            self._lifeline.cut("the device closed the connection")
