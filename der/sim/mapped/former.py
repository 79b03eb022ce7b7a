"""A battery inverter that can form the home's voltage, as a Modbus device.

coil 0                 1 forms, 0 follows; returns to 0 when it gives up
holding register 0     set-point in W, charging positive; holds while it follows
holding register 1     hold time of the set-point in s, restarted by each write of either
holding registers 2-3  frequency in mHz and voltage in 0.1 V to form
input registers 0-1    power in W, charging positive, high word first
input register 2       charge in 0.1 %
input registers 3-4    usable energy in Wh
input registers 5-6    voltage in 0.1 V, frequency in mHz
input register 7       bit 0 forms, bit 1 gave up
input registers 8-11   energy charged, and discharged, in 10 Wh
"""

from collections.abc import Mapping, Sequence

from der.sim.errors import ExceptionCode, RefusedError
from der.sim.faults import Fault
from der.sim.journal import Journal
from der.sim.mapped.bank import Clock, Shown, bounded, number, placed, s16, s32, u16, u32
from der.sim.modbus.server import Table
from der.sim.physics.house import House
from der.sim.physics.island import Trip
from der.sim.sunspec.reversion import Countdown

SETPOINT, HOLD, HZ, VOLTS = 0, 1, 2, 3
LEAST_HZ, MOST_HZ = 47.0, 53.0


class FormingBattery:
    """The inverter and its battery."""

    def __init__(self, house: House, fault: Fault, journal: Journal, clock: Clock) -> None:
        self._house = house
        self._shown = Shown(fault)
        self._journal = journal
        self._clock = clock
        self._asked_w: float | None = None
        self._hold_s = 0
        self._timer = Countdown()

    def target_w(self) -> float | None:
        """Return what it is to do while it follows; None when nobody tells it."""
        if self._timer.ran_out(self._clock()):
            self._asked_w = None
        return self._asked_w

    def cells(self) -> Mapping[Table, Mapping[int, int]]:
        """Return settings and what is measured."""
        home, island = self._house.now, self._house.island
        self.target_w()
        measured = placed(
            (0, s32(self._shown.watts(home.battery.power_w))),
            (2, u16(home.soc * 1000)),
            (3, u32(self._house.config.battery.capacity_wh)),
            (5, u16(home.voltage_v * 10)),
            (6, u16(home.frequency_hz * 1000)),
            (7, u16(island.asked | (island.trip is not Trip.NONE) << 1)),
            (8, u32(home.battery.import_wh / 10)),
            (10, u32(home.battery.export_wh / 10)),
        )
        held = placed(
            (SETPOINT, s16(self._asked_w or 0.0)),
            (HOLD, u16(self._hold_s)),
            (HZ, u16(island.hz * 1000)),
            (VOLTS, u16(island.volts * 10)),
        )
        return {
            Table.COIL: {0: int(island.asked)},
            Table.HOLDING: held,
            Table.INPUT: measured,
        }

    def take(self, table: Table, address: int, values: Sequence[int]) -> None:
        """Obey a write."""
        known = {Table.COIL: {0}, Table.HOLDING: {SETPOINT, HOLD, HZ, VOLTS}}
        if len(values) != 1 or address not in known.get(table, set()):
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"{len(values)} at {address}")
        if table is Table.COIL:
            self._switch(forms=bool(values[0]))
        else:
            self._set(address, number(values, signed=address == SETPOINT))
        name = "form" if table is Table.COIL else ("setpoint", "hold", "mhz", "decivolt")[address]
        self._journal.wrote("former", name, f"{name}={number(values, signed=True)}")

    def restart(self) -> None:
        """Forget its set-point; what it forms goes dark."""
        self._asked_w, self._timer = None, Countdown()
        self._house.island.follow()

    def _switch(self, *, forms: bool) -> None:
        if forms:
            self._house.island.form()
        else:
            self._house.island.follow()

    def _set(self, address: int, value: int) -> None:
        island, most_w = self._house.island, self._house.config.battery.power_w
        if address == HZ:
            island.hz = bounded(value / 1000, LEAST_HZ, MOST_HZ, "frequency")
        elif address == VOLTS:
            island.volts = bounded(value / 10, 200.0, 253.0, "voltage")
        else:
            if address == SETPOINT:
                self._asked_w = bounded(value, -most_w, most_w, "set-point")
            else:
                self._hold_s = value
            self._timer.start(self._hold_s, self._clock())
