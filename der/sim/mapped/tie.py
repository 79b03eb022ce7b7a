"""A tie switch between home and street, with a sync-check relay, as a Modbus device.

coil 0               1 has the relay close the tie once both sides agree, for half a minute; 0 opens
input registers 0-1  voltage of the street in 0.1 V, its frequency in mHz (0 without voltage)
input registers 2-3  the same of the home
input register 4     by how much the home's phase leads, 0.1 degree; 0x8000 where one side is dead
input register 5     bit 0 closed, bit 1 waits to close, bit 2 both sides agree
input registers 6-7  power through it in W, import positive, high word first
"""

from collections.abc import Mapping, Sequence

from der.sim.errors import ExceptionCode, RefusedError
from der.sim.faults import Fault
from der.sim.journal import Journal
from der.sim.mapped.bank import Shown, placed, s16, s32, u16
from der.sim.modbus.server import Table
from der.sim.physics.house import House

NO_ANGLE = 0x8000


class TieSwitch:
    """The switch."""

    def __init__(self, house: House, fault: Fault, journal: Journal) -> None:
        self._house = house
        self._shown = Shown(fault)
        self._journal = journal

    def cells(self) -> Mapping[Table, Mapping[int, int]]:
        """Return the coil and what is measured on both sides."""
        home, island = self._house.now, self._house.island
        both = home.voltage_v > 0 and home.grid_voltage_v > 0
        measured = placed(
            (0, u16(home.grid_voltage_v * 10)),
            (1, u16(home.grid_frequency_hz * 1000)),
            (2, u16(home.voltage_v * 10)),
            (3, u16(home.frequency_hz * 1000)),
            (4, s16(home.angle_deg * 10) if both else {0: NO_ANGLE}),
            (5, u16(island.tie_closed | island.armed << 1)),
            (6, s32(self._shown.watts(home.meter.power_w))),
        )
        return {
            Table.COIL: {0: int(island.tie_closed or island.armed)},
            Table.INPUT: measured,
        }

    def take(self, table: Table, address: int, values: Sequence[int]) -> None:
        """Open, or close in step."""
        if (table, address, len(values)) != (Table.COIL, 0, 1):
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"{len(values)} at {address}")
        if values[0]:
            self._house.island.close_tie()
        else:
            self._house.island.open_tie()
        self._journal.wrote("tie", "switch", f"closed={int(values[0])}")

    def restart(self) -> None:
        """Forget nothing: its contacts stay where they are."""
