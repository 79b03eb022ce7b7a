"""What must hold of any octets whatever that a device sends as an answer, and of any registers.

The first octet says what the others are: the answer of a device behind MBAP or RTU framing, or
changes to the registers of a SunSpec device (`sunspec_target.py`). Each is read once by the driver
and once by the plain rules written out here, which share nothing with it; the two must agree.
"""

import asyncio
import struct
from collections.abc import Coroutine
from typing import Final

from pymodbus.pdu import ModbusPDU

from der.addresses import ModbusAddress
from der.drivers.modbus.channel import Channel, User
from der.drivers.modbus.connection import ModbusConnection
from der.drivers.modbus.framing import Framing, MbapFraming, RtuFraming
from der.drivers.modbus.pool import ModbusPool
from der.drivers.modbus.wire import Wire
from der.errors import RefusalError, TransientError
from der.sim.modbus.framing import crc
from tests.fuzz.sunspec_target import WrongError, examine_registers

UNIT: Final = 5
COUNT: Final = 3
"""Registers that are asked for, with transaction number 1."""
_FUNCTIONS: Final = frozenset({1, 2, 3, 4, 5, 6, 15, 16})
_READ: Final = 3
_OTHERS: Final = frozenset({1, 2, 5, 6, 15, 16})
_LOST: Final = "lost"
_WAITS: Final = "waits"


class _Deaf(asyncio.Transport):
    """A transport whose other end is the fuzzer."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send nothing."""

    def abort(self) -> None:
        """Close."""


class _OneWire(Channel):
    """A channel over a wire that is given, with no time limit but the end of the input."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(ModbusAddress("fuzz"))
        self._wire = wire

    async def ask(self, user: User, request: ModbusPDU, seconds: float) -> ModbusPDU:
        """Ask at once."""
        del user, seconds
        assert self._wire is not None
        return await self._wire.ask(request)


class _FuzzPool(ModbusPool):
    """Leads to one wire."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._only = _OneWire(wire)

    def join(self, user: User, address: ModbusAddress) -> Channel:
        """Return the channel."""
        del user, address
        return self._only


def examine(data: bytes) -> str:
    """Read an answer, or registers, and return in a few words what came of it.

    Raises:
        WrongError: The driver and the plain rules do not agree.
        Exception: Any other than a device error is a finding too.
    """
    if not data:
        return "nothing"
    kind, body = data[0] % 3, data[1:]
    if kind == 2:
        return RUNNER.run(examine_registers(body))
    framing: Framing = RtuFraming() if kind else MbapFraming()
    return RUNNER.run(_answer(framing, body))


class _Runner:
    """One event loop for all inputs; a new one each time would take longer than the work."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, work: Coroutine[None, None, str]) -> str:
        """Run one examination to its end."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return self._loop.run_until_complete(work)

    def close(self) -> None:
        """End the loop; the next examination makes a new one."""
        if self._loop is not None:
            self._loop.close()
            self._loop = None


RUNNER: Final = _Runner()


async def _answer(framing: Framing, body: bytes) -> str:
    """Give a device's octets to the wire in pieces, and compare what is read."""
    wire = Wire(framing, lambda _: None)
    wire.connection_made(_Deaf())
    bus = ModbusConnection("fuzz", ModbusAddress("fuzz", unit=UNIT), _FuzzPool(wire))
    asked = asyncio.ensure_future(bus.read_holding(0, COUNT, "power"))
    await asyncio.sleep(0)
    size = 1 + body[0] % 64 if body else 1
    for start in range(0, len(body), size):
        _feed(wire, body[start : start + size])
    if not asked.done():
        await asyncio.sleep(0)
    wire.end(_WAITS)
    try:
        said: object = await asked
    except RefusalError as error:
        said = f"refused {error.code}"
    except TransientError as error:
        said = _WAITS if str(error).endswith(_WAITS) else _LOST
        if "Modbus exception" in str(error):
            said = "busy"
    right = expected(framing.numbered, body)
    if said not in right:
        raise WrongError(f"{body.hex(' ')}: read {said!r}, which should be one of {right!r}")
    return "registers" if isinstance(said, tuple) else str(said)


def _feed(wire: Wire, data: bytes) -> None:
    """Give octets to a wire as the event loop does."""
    while data and wire.ended is None:
        buffer = wire.get_buffer(-1)
        count = min(len(buffer), len(data))
        buffer[:count] = data[:count]
        data = data[count:]
        wire.buffer_updated(count)


def expected(numbered: bool, data: bytes) -> list[object]:
    """Return what may come of an answer by the plain rules of the two framings."""
    right: list[object] = []
    while True:
        found = _mbap(data) if numbered else _rtu(data)
        if isinstance(found, str):
            return [*right, found]
        size, unit, number, pdu = found
        if unit == UNIT and number in {None, 0, 1}:
            return [*right, _verdict(pdu)]
        if pdu[0] in _OTHERS:
            right.append(_LOST)  # whether it contradicts itself is not looked into here
        elif not _sound(pdu):
            return [*right, _LOST]
        data = data[size:]


_Found = tuple[int, int, int | None, bytes]


def _mbap(data: bytes) -> _Found | str:
    if len(data) < 8:
        return _WAITS
    number, protocol, length, unit, function = struct.unpack_from(">HHHBB", data)
    if protocol or not 3 <= length <= 254 or function & 0x7F not in _FUNCTIONS:
        return _LOST
    if len(data) < 6 + length:
        return _WAITS
    return 6 + length, unit, number, data[7 : 6 + length]


def _rtu(data: bytes) -> _Found | str:
    if len(data) > 1 and data[1] & 0x7F not in _FUNCTIONS:
        return _LOST
    if len(data) < 5:
        return _WAITS
    size = 5 if data[1] & 0x80 else 8 if data[1] in {5, 6, 15, 16} else 5 + data[2]
    if size > 256:
        return _LOST
    if len(data) < size:
        return _WAITS
    if crc(data[: size - 2]) != data[size - 2 : size]:
        return _LOST
    return size, data[0], None, data[1 : size - 2]


def _verdict(pdu: bytes) -> object:
    """Return what a message says to who asked for registers."""
    if pdu[0] & 0x80:
        if pdu[0] & 0x7F != _READ:
            return _LOST
        return f"refused {pdu[1]}" if pdu[1] in {1, 2, 3, 7} else "busy"
    if pdu[0] != _READ or not _sound(pdu) or pdu[1] != 2 * COUNT:
        return _LOST
    return struct.unpack(f">{COUNT}H", pdu[2:])


def _sound(pdu: bytes) -> bool:
    """Whether a message with registers, or an exception, does not contradict itself."""
    return bool(pdu[0] & 0x80) or (pdu[1] == len(pdu) - 2 and pdu[1] % 2 == 0)
