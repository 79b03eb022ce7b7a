"""A Modbus relay board that lets an appliance run or keeps it off, and measures it.

coil 0              run permission, 1 at start
holding register 0  hold time in s: so long after the last write of coil or hold the board
                    returns to 'allowed' by itself; 0 stays as it is
input registers 0-1 power in W, int32, high word first
input register 2    temperature in 0.1 degC, int16
input register 3    status: bit 0 contactor closed, 1 thermostat calling, 2 permission
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from der.sim.errors import ExceptionCode, RefusedError
from der.sim.faults import Fault
from der.sim.journal import Journal
from der.sim.mapped.bank import Clock, Shown, placed, s16, s32, u16
from der.sim.modbus.server import Table
from der.sim.sunspec.reversion import Countdown


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
    """The board."""

    def __init__(
        self,
        device: str,
        appliance: Callable[[], Appliance],
        fault: Fault,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self.device = device
        self._appliance = appliance
        self._shown = Shown(fault)
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

    def cells(self) -> Mapping[Table, Mapping[int, int]]:
        """Return permission, hold time and what is measured."""
        seen = self._appliance()
        status = (seen.power_w > 0) << 0 | seen.calling << 1 | self.allowed() << 2
        measured = placed(
            (0, s32(self._shown.watts(seen.power_w))), (2, s16(seen.temp_c * 10)), (3, u16(status))
        )
        return {
            Table.COIL: {0: int(self.allowed())},
            Table.HOLDING: {0: self._hold_s},
            Table.INPUT: measured,
        }

    def take(self, table: Table, address: int, values: Sequence[int]) -> None:
        """Permit, forbid, or set the hold time."""
        if (address, len(values)) != (0, 1):
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"{len(values)} at {address}")
        if table is Table.COIL:
            self._allowed = bool(values[0])
        else:
            self._hold_s = values[0]
        self._timer.start(self._hold_s, self._clock())
        name = "permission" if table is Table.COIL else "hold"
        self._journal.wrote(self.device, "relay", f"{name}={values[0]}")

    def restart(self) -> None:
        """Forget all that it was told."""
        self._allowed = True
        self._hold_s = 0
        self._timer = Countdown()
