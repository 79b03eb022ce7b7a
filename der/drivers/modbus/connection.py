"""Modbus transport: one connection to one unit, typed errors, one request at a time.

Register and coil addresses are as on the wire, counted from 0. A connection that was lost,
timed out or answered garbage is closed for good, because what still arrives on it can no longer
be told from an answer, and who answers next may have started anew; the caller opens a new one.
Several units behind one gateway share the socket below (`channel.py`); each has a connection of
its own here.
"""

import struct
from collections.abc import Sequence
from typing import Final

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadDiscreteInputsRequest,
    WriteSingleCoilRequest,
)
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from der.addresses import ModbusAddress
from der.drivers.modbus.framing import RegistersResponse
from der.drivers.modbus.pool import ModbusPool
from der.drivers.modbus.wire import WireError
from der.errors import DeviceError, PermanentError, RefusalError, TransientError
from der.peer import Peer

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
_EXCEPTION: Final = 0x80


class ModbusConnection:
    """An open connection to one unit; made by `ModbusConnection.open`."""

    def __init__(self, device: str, address: ModbusAddress, pool: ModbusPool) -> None:
        self.device = device
        self.address = address
        self._pool = pool
        self._ended: str | None = None
        self._channel = pool.join(self, address)

    @classmethod
    async def open(
        cls, device: str, address: ModbusAddress, pool: ModbusPool | None = None
    ) -> "ModbusConnection":
        """Connect.

        Args:
            device: Id of the device, for messages.
            address: Where it is.
            pool: Whose connections are shared; None for one of its own.

        Raises:
            TransientError: Nobody listens there, or nobody answers in time.
            PermanentError: TLS failed: a certificate, on either side, is not right.
        """
        connection = cls(device, address, pool or ModbusPool())
        try:
            await connection._channel.open(address.timeout_s)
        except WireError as error:
            connection.close()
            kind = PermanentError if error.lasting else TransientError
            raise kind(f"{device}: no Modbus connection to {address}: {error}") from error
        except BaseException:
            connection.close()
            raise
        return connection

    @property
    def peer(self) -> Peer:
        """Who is at the other end."""
        return self._channel.peer

    @property
    def ended(self) -> str | None:
        """Why it is of no more use; None while it stands."""
        return self._ended

    async def read_holding(self, start: int, count: int, point: str) -> tuple[int, ...]:
        """Read `count` holding registers from `start`, in as few frames as Modbus allows.

        Raises:
            RefusalError: The device refuses this address.
            TransientError: No usable answer.
        """
        data = b""
        while len(data) < 2 * count:
            done = len(data) // 2
            data += await self.read_frame(start + done, min(MAX_REGISTERS, count - done), point)
        return struct.unpack(f">{count}H", data)

    async def read_frame(self, start: int, count: int, point: str) -> bytes:
        """Read `count` (at most 125) holding registers as bytes, high byte first.

        Errors as `read_holding`.
        """
        request = ReadHoldingRegistersRequest(address=start, count=count, dev_id=self.address.unit)
        return await self._registers(request, point)

    async def read_input(self, start: int, count: int, point: str) -> tuple[int, ...]:
        """Read `count` (at most 125) input registers from `start`; errors as `read_holding`."""
        request = ReadInputRegistersRequest(address=start, count=count, dev_id=self.address.unit)
        return struct.unpack(f">{count}H", await self._registers(request, point))

    async def read_coils(self, start: int, count: int, point: str) -> tuple[bool, ...]:
        """Read `count` (at most 2000) coils from `start`; errors as `read_holding`."""
        return await self._bits(
            ReadCoilsRequest(address=start, count=count, dev_id=self.address.unit), point
        )

    async def read_discrete(self, start: int, count: int, point: str) -> tuple[bool, ...]:
        """Read `count` (at most 2000) discrete inputs from `start`; errors as `read_holding`."""
        return await self._bits(
            ReadDiscreteInputsRequest(address=start, count=count, dev_id=self.address.unit), point
        )

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

    async def write_register(self, address: int, value: int, point: str) -> None:
        """Write one holding register by function 6, for devices that know no function 16."""
        answer = await self._call(
            WriteSingleRegisterRequest(
                address=address, registers=[value], dev_id=self.address.unit
            ),
            point,
        )
        if (answer.address, list(answer.registers)) != (address, [value]):
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
        self.end("connection is closed")

    def end(self, cause: str) -> None:
        """End the connection; the first cause is kept, and calls end with it."""
        if self._ended is None:
            self._ended = cause
            self._pool.leave(self)

    async def _registers(self, request: ModbusPDU, point: str) -> bytes:
        answer = await self._call(request, point)
        data = answer.payload if isinstance(answer, RegistersResponse) else b""
        if len(data) != 2 * request.count:
            raise self._lost(
                point, f"sent {len(data) // 2} registers where {request.count} were asked"
            )
        return data

    async def _bits(self, request: ModbusPDU, point: str) -> tuple[bool, ...]:
        answer = await self._call(request, point)
        if not request.count <= len(answer.bits) < request.count + 8:  # filled up to whole bytes
            raise self._lost(
                point, f"sent {len(answer.bits)} bits where {request.count} were asked"
            )
        return tuple(answer.bits[: request.count])

    async def _call(self, request: ModbusPDU, point: str) -> ModbusPDU:
        try:
            answer = await self._channel.ask(self, request, self.address.timeout_s)
        except TimeoutError as error:
            raise self._lost(point, f"no answer within {self.address.timeout_s:g} s") from error
        except WireError as error:
            if error.alien:
                self._pool.alien(self.device, self.peer.host)
            raise self._lost(point, str(error)) from error
        if answer.function_code & ~_EXCEPTION != request.function_code:
            raise self._lost(point, "answered another function than was asked")
        if answer.isError():
            raise self._refusal(answer.exception_code, point)
        return answer

    def _refusal(self, code: int, point: str) -> DeviceError:
        where = f"{self.device}: {point} at {self.address}"
        if code in _PERMANENT:
            return RefusalError(f"{where}: Modbus exception {code} ({_PERMANENT[code]})", code)
        meaning = _TRANSIENT.get(code, "unknown")
        return TransientError(f"{where}: Modbus exception {code} ({meaning})")

    def _lost(self, point: str, cause: str) -> TransientError:
        """End the connection and word the error; what ended it earlier explains more."""
        cause = self._ended or cause
        self.end(cause)
        return TransientError(f"{self.device}: {point} at {self.address}: {cause}")
