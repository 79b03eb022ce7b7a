"""An SMA PV inverter with SMA's own registers; production is positive on the wire.

Numbers have 32 bits, high register first. A signed one without value reads 0x80000000: so does
the power at night. The limit of the plant control (40016, percent) can only be written. If the
operating mode for absent limits is "apply fallback values" (41193 = 2507), the fallback (41197,
hundredths of a percent) holds once 40016 has not been written for as long as 41195 says.
"""

import math
from collections.abc import Callable, Mapping, Sequence

from der.sim.faults import Fault
from der.sim.journal import Journal
from der.sim.mapped.bank import Clock, Shown, bounded, choose, number, placed, s32, u32
from der.sim.modbus.server import Table
from der.sim.physics.house import Snapshot
from der.sim.sunspec.reversion import Countdown

NO_S32 = {0: 0x8000, 1: 0}
OK, OFF = 307, 303
BY_PLANT_CONTROL, FALLBACK = 1079, 2507
LIMIT, SILENCE, FALLBACK_PCT = 40016, 41195, 41197


class SmaInverter:
    """The inverter.

    Attributes:
        mode: Operating mode of the active power limitation, set at the inverter.
        when_silent: Operating mode for absent limits, set at the inverter.
    """

    def __init__(
        self,
        max_w: float,
        home: Callable[[], Snapshot],
        fault: Fault,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self.mode = BY_PLANT_CONTROL
        self.when_silent = FALLBACK
        self._max_w = max_w
        self._home = home
        self._shown = Shown(fault)
        self._journal = journal
        self._clock = clock
        self._limit_pct = 100.0
        self._fallback_pct = 100.0
        self._silence_s = 300
        self._timer = Countdown()

    def limit_w(self) -> float:
        """Return the greatest output, a positive number; infinite without a limit."""
        if self._timer.ran_out(self._clock()) and self.when_silent == FALLBACK:
            self._limit_pct = self._fallback_pct
        full = self._limit_pct >= 100 or self.mode != BY_PLANT_CONTROL  # noqa: PLR2004 - percent
        return math.inf if full else self._max_w * self._limit_pct / 100

    def cells(self) -> Mapping[Table, Mapping[int, int]]:
        """Return the registers that can be read."""
        home = self._home()
        produced_w = self._shown.watts(-home.pv.power_w)
        asleep = home.pv_offered_w <= 0
        power = NO_S32 if asleep else s32(produced_w)
        voltage = u32(home.voltage_v * 100)
        registers = placed(
            (30201, u32(OFF if asleep else OK)),
            (30231, u32(self._max_w)),
            (30529, u32(home.pv.export_wh)),
            (30775, power),
            (30777, power),
            (30779, NO_S32),
            (30781, NO_S32),
            (30783, voltage),
            (30785, {0: 0xFFFF, 1: 0xFFFF}),
            (30787, {0: 0xFFFF, 1: 0xFFFF}),
            (30803, u32(home.frequency_hz * 100)),
            (40210, u32(self.mode)),
            (41193, u32(self.when_silent)),
            (SILENCE, u32(self._silence_s)),
            (FALLBACK_PCT, u32(self._fallback_pct * 100)),
        )
        return {Table.HOLDING: registers}

    def take(self, table: Table, address: int, values: Sequence[int]) -> None:
        """Obey a write to the limit or to what happens without one."""
        del table
        take = choose(
            {LIMIT: self._take_limit, SILENCE: self._take_silence, FALLBACK_PCT: self._take_pct},
            address,
        )
        take(values)
        self._journal.wrote("sma", str(address), f"{address}={number(values)}")

    def restart(self) -> None:
        """Forget the limit; what lies in flash memory stays."""
        self._limit_pct = 100.0
        self._timer = Countdown()

    def _take_limit(self, values: Sequence[int]) -> None:
        self._limit_pct = bounded(number(values, signed=True), 0, 100, "limit")
        self._timer.start(self._silence_s, self._clock())

    def _take_silence(self, values: Sequence[int]) -> None:
        self._silence_s = int(bounded(number(values), 1, 86_400, "silence"))

    def _take_pct(self, values: Sequence[int]) -> None:
        self._fallback_pct = bounded(number(values), 0, 10_000, "fallback") / 100
