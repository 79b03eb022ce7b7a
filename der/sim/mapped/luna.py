"""A Huawei LUNA2000 battery behind a SUN2000: forced charge and discharge for whole minutes.

Register 47100 commands: 1 charge at 47247, 2 discharge at 47249, 0 stop; each ends by itself
after the minutes of 47083 if 47246 is 0. Charging is positive in 37765. Only the addresses that
exist can be read.
"""

from collections.abc import Callable, Mapping, Sequence

from der.sim.errors import ExceptionCode, RefusedError
from der.sim.faults import Fault
from der.sim.journal import Journal
from der.sim.mapped.bank import Clock, Shown, bounded, choose, number, placed, s32, text, u16, u32
from der.sim.modbus.server import Table
from der.sim.physics.house import Snapshot
from der.sim.sunspec.reversion import Countdown

STOP, CHARGE, DISCHARGE = 0, 1, 2
STANDBY, RUNNING = 1, 2
PERIOD, COMMAND, ENDS_BY, CHARGE_W, DISCHARGE_W = 47083, 47100, 47246, 47247, 47249
SIZES = {PERIOD: 1, COMMAND: 1, ENDS_BY: 1, CHARGE_W: 2, DISCHARGE_W: 2}


class LunaBattery:
    """The battery.

    Args:
        capacity_wh: Its energy.
        max_w: Greatest power, charging and discharging.
    """

    def __init__(  # noqa: PLR0917 - as many as a device has
        self,
        capacity_wh: float,
        max_w: float,
        home: Callable[[], Snapshot],
        fault: Fault,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._capacity_wh = capacity_wh
        self._bounds = {PERIOD: 1440, COMMAND: 2, ENDS_BY: 1, CHARGE_W: max_w, DISCHARGE_W: max_w}
        self._home = home
        self._shown = Shown(fault)
        self._journal = journal
        self._clock = clock
        self._set = dict.fromkeys(SIZES, 0)
        self._timer = Countdown()

    def target_w(self) -> float | None:
        """Return what the battery is forced to, charging positive; None when it is not."""
        if self._timer.ran_out(self._clock()):
            self._set[COMMAND] = STOP
        return {
            STOP: None,
            CHARGE: float(self._set[CHARGE_W]),
            DISCHARGE: -float(self._set[DISCHARGE_W]),
        }[self._set[COMMAND]]

    def cells(self) -> Mapping[Table, Mapping[int, int]]:
        """Return the registers that can be read."""
        home = self._home()
        self.target_w()
        status = RUNNING if home.battery.power_w else STANDBY
        registers = placed(
            (30000, text("SUN2000-5KTL-L1", 15)),
            (30015, text("SIM-LUNA-1", 10)),
            (37758, u32(self._capacity_wh)),
            (37760, u16(home.soc * 1000)),
            (37762, u16(status)),
            (37765, s32(self._shown.watts(home.battery.power_w))),
            (37780, u32(home.battery.import_wh / 10)),
            (37782, u32(home.battery.export_wh / 10)),
            *((at, u32(v) if SIZES[at] == 2 else u16(v)) for at, v in self._set.items()),  # noqa: PLR2004 - registers
        )
        return {Table.HOLDING: registers}

    def take(self, table: Table, address: int, values: Sequence[int]) -> None:
        """Obey a write of one setting."""
        del table
        if len(values) != choose(SIZES, address):
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"{len(values)} at {address}")
        value = int(bounded(number(values), 0, self._bounds[address], f"{address}"))
        self._set[address] = value
        if address == COMMAND:
            self._timer.start(60 * self._set[PERIOD] if value else 0, self._clock())
        self._journal.wrote("luna2000", str(address), f"{address}={value}")

    def restart(self) -> None:
        """Stop what was forced."""
        self._set = dict.fromkeys(SIZES, 0)
        self._timer = Countdown()
