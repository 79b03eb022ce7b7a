"""A Modbus relay board that lets an appliance run or keeps it off, and measures it.

coil 0              run permission, 1 at start
holding register 0  hold time in s: so long after the last write of coil or hold the board
                    returns to 'allowed' by itself; 0 stays as it is
input registers 0-1 power in W, int32, high word first
input register 2    temperature in 0.1 degC, int16
input register 3    status: bit 0 contactor closed, 1 thermostat calling, 2 permission
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from der.sim.errors import ExceptionCode, RefusedError
from der.sim.journal import Journal
from der.sim.modbus import Table
from der.sim.reversion import Countdown


@dataclass(frozen=True, slots=True)
class Appliance:
    """What the board sees of its appliance.

    Attributes:
        power_w: What it draws.
        temp_c: Its temperature.
        calling: Whether its thermostat calls for heat.
    """

    power_w: float
    temp_c: float
    calling: bool


class RelayBoard:
    """The board as a Modbus unit."""

    def __init__(
        self,
        device: str,
        appliance: Callable[[], Appliance],
        journal: Journal,
        clock: Callable[[], float],
    ) -> None:
        self.device = device
        self._appliance = appliance
        self._journal = journal
        self._clock = clock
        self._allowed = True
        self._hold_s = 0
        self._timer = Countdown()

    def allowed(self) -> bool:
        """Whether the appliance may run now."""
        if self._timer.ran_out(self._clock()):
            self._allowed = True
        return self._allowed

    def read_bits(self, table: Table, address: int, count: int) -> list[bool]:
        """Return coil 0."""
        if table is not Table.COIL or (address, count) != (0, 1):
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"{count} of {table} at {address}")
        return [self.allowed()]

    def read_registers(self, table: Table, address: int, count: int) -> list[int]:
        """Return the hold time, or input registers."""
        registers = [self._hold_s] if table is Table.HOLDING else self._measured()
        if address + count > len(registers):
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"{count} of {table} at {address}")
        return registers[address : address + count]

    def write_coils(self, address: int, values: list[bool]) -> None:
        """Permit or forbid."""
        if (address, len(values)) != (0, 1):
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"{len(values)} coils at {address}")
        self._allowed = values[0]
        self._written(f"permission={int(values[0])}")

    def write_registers(self, address: int, values: list[int]) -> None:
        """Set the hold time."""
        if (address, len(values)) != (0, 1):
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"{len(values)} at {address}")
        self._hold_s = values[0]
        self._written(f"hold={values[0]}")

    def _written(self, what: str) -> None:
        self._timer.start(self._hold_s, self._clock())
        self._journal.wrote(self.device, "relay", what)

    def _measured(self) -> list[int]:
        seen = self._appliance()
        status = (seen.power_w > 0) << 0 | seen.calling << 1 | self.allowed() << 2
        packed = struct.pack(">ihH", round(seen.power_w), round(seen.temp_c * 10), status)
        return list(struct.unpack(">4H", packed))
