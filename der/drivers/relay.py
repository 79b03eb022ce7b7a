"""Relay boards on Modbus: loads that may run or are off, such as water heaters and heat pumps.

The load keeps its own thermostat: permission lets it run, it does not make it run. The board
gives the permission back by itself when its hold time runs out, so a dead hub leaves no cold
house.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from der.addresses import ModbusAddress
from der.commands import Command, Connect, Disconnect, Identify
from der.description import Connector, DeviceDescription, Now, Service
from der.drivers.modbus.connection import ModbusConnection
from der.errors import PermanentError, RejectedError
from der.model import Connection, DeviceSpec, Expiry, Reading, Safeguard, Setpoint
from der.service import A, unsupported

_log = logging.getLogger(__name__)

_NO_VALUE: Final = -0x8000
_LONGEST_HOLD_S: Final = 0xFFFF
_COLDEST_C: Final = -60.0
_HOTTEST_C: Final = 200.0


@dataclass(frozen=True, slots=True)
class RelayMap:
    """Where a board keeps its values; addresses counted from 0.

    Attributes:
        permission_coil: 1 allowed, 0 off.
        hold_register: Holding register: seconds until the board allows by itself, restarted by
            each write of coil or hold time.
        inputs: First of the input registers that one read fetches.
        power: Offset in them of the power in W, int32, high word first.
        temperature: Offset of the temperature in 0.1 degC, int16, -32768 for none.
        status: Offset of the status word.
        closed_bit: Status bit: the contactor is closed.
        calling_bit: Status bit: the thermostat calls.
        permitted_bit: Status bit: permission is given.
    """

    permission_coil: int = 0
    hold_register: int = 0
    inputs: int = 0
    power: int = 0
    temperature: int = 2
    status: int = 3
    closed_bit: int = 0
    calling_bit: int = 1
    permitted_bit: int = 2


def connector(description: DeviceDescription, service: Service | None, now: Now) -> Connector:
    """Return what connects to a relay board.

    Raises:
        PermanentError: The description has no Modbus address.
    """
    del service
    if not isinstance(description.at, ModbusAddress):
        raise PermanentError(f"{description.spec.id}: a relay board needs a Modbus address")
    return partial(connect, description.spec, description.at, now=now)


async def connect(
    spec: DeviceSpec,
    address: ModbusAddress,
    *,
    board: RelayMap | None = None,
    now: Callable[[], float] = time.time,
) -> "RelayLink":
    """Connect to a relay board.

    Args:
        spec: The load behind it.
        address: Where the board is.
        board: Its register map; None for the standard one.
        now: UTC epoch seconds, for the readings.

    Raises:
        TransientError: No usable answer.
        PermanentError: The board does not have the registers of its map.
    """
    bus = await ModbusConnection.open(spec.id, address)
    link = RelayLink(spec, bus, board or RelayMap(), now)
    try:
        await link.read()  # a wrong map or unit shows now, not at the first emergency
    except BaseException:
        await link.close()
        raise
    return link


class RelayLink:
    """A live connection to one relay; made by `connect`."""

    def __init__(
        self, spec: DeviceSpec, bus: ModbusConnection, board: RelayMap, now: Callable[[], float]
    ) -> None:
        self._spec = spec
        self._bus = bus
        self._board = board
        self._now = now
        self._temp_sane = True

    @property
    def connection(self) -> Connection:
        """Where the board is; it does not say who made it."""
        return Connection(str(self._bus.address))

    @property
    def safeguard(self) -> Safeguard:
        """The board's hold time."""
        return Safeguard(Expiry.AUTO_OFF, "the load may run by its own thermostat")

    async def read(self) -> Reading:
        """Read power, temperature and status in one frame.

        Raises:
            TransientError: No usable answer.
            PermanentError: The board does not have these registers.
        """
        board = self._board
        count = max(board.power + 2, board.temperature + 1, board.status + 1)
        registers = await self._bus.read_input(board.inputs, count, "power and status")
        status = registers[board.status]
        permitted = _bit(status, board.permitted_bit)
        return Reading(
            at=self._now(),
            power_w=float(_signed(registers[board.power] << 16 | registers[board.power + 1], 32)),
            temp_c=self._temp_c(_signed(registers[board.temperature], 16)),
            connected=_bit(status, board.closed_bit),
            wants_power=_bit(status, board.calling_bit),
            limit_w=None if permitted else 0.0,
        )

    async def write(self, setpoint: Setpoint | None) -> None:
        """Allow the load to run (set-point at or above its rating) or switch it off (less).

        `revert_w` is not used: when the hold time has run out, the board allows.

        Raises:
            RejectedError: The lapse time is longer than the board can count.
            TransientError: No usable answer.
        """
        if setpoint is None:
            await self._permit(allowed=True)
            return
        hold_s = math.ceil(setpoint.lapse_s)
        if hold_s > _LONGEST_HOLD_S:
            raise RejectedError(
                f"{self._spec.id}: the relay can hold for {_LONGEST_HOLD_S} s, not {hold_s} s"
            )
        await self._permit(allowed=setpoint.power_w >= self._spec.max_w, hold_s=hold_s)

    async def ioctl(self, command: Command[A]) -> object:
        """Allow, or switch off for as long as the board can hold, or name the board.

        Raises:
            RejectedError: The board has no such command.
            TransientError: No usable answer.
        """
        match command:
            case Connect():
                await self._permit(allowed=True)
                return "allowed to run"
            case Disconnect():
                await self._permit(allowed=False, hold_s=_LONGEST_HOLD_S)
                return f"off for {_LONGEST_HOLD_S} s"
            case Identify():
                return self.connection
            case _:
                raise unsupported(self._spec.id, command)

    async def close(self) -> None:
        """End the connection."""
        self._bus.close()

    async def _permit(self, *, allowed: bool, hold_s: int | None = None) -> None:
        # The hold time goes first: the load is never off without an end to it.
        if hold_s is not None:
            await self._bus.write_holding(self._board.hold_register, [hold_s], "hold time")
        await self._bus.write_coil(self._board.permission_coil, allowed, "run permission")

    def _temp_c(self, tenths: int) -> float | None:
        if tenths == _NO_VALUE:
            return None
        temp_c = tenths / 10.0
        sane = _COLDEST_C <= temp_c <= _HOTTEST_C
        if sane is not self._temp_sane:
            self._temp_sane = sane
            if not sane:
                _log.warning(
                    "%s: temperature of %g degC makes no sense and is left out",
                    self._spec.id,
                    temp_c,
                )
        return temp_c if sane else None  # a broken sensor must not hide the load's power


def _bit(word: int, bit: int) -> bool:
    return bool(word >> bit & 1)


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value
