"""A Victron Multi behind a GX device (com.victronenergy.vebus), under external control.

The set-point (register 37, W at the AC input, charging positive) must be written again within a
minute; without it the Multi passes the grid through and leaves its battery alone. Powers are in
steps of 10 W. Register 38 forbids to charge, 39 to feed in.
"""

from collections.abc import Callable, Mapping, Sequence

from der.sim.faults import Fault
from der.sim.journal import Journal
from der.sim.mapped.bank import Clock, Shown, bounded, choose, number, placed, s16, u16
from der.sim.modbus.server import Table
from der.sim.physics.house import Snapshot
from der.sim.sunspec.reversion import Countdown

PATIENCE_S = 60.0
EXTERNAL, PASS_THROUGH = 252, 8
SETPOINT, NO_CHARGE, NO_FEED_IN = 37, 38, 39
GREATEST_W = 32_000


class VictronMulti:
    """The inverter and its battery."""

    def __init__(
        self, home: Callable[[], Snapshot], fault: Fault, journal: Journal, clock: Clock
    ) -> None:
        self._home = home
        self._shown = Shown(fault)
        self._journal = journal
        self._clock = clock
        self._asked_w = 0.0
        self._no_charge = False
        self._no_feed_in = False
        self._external = False
        self._timer = Countdown()

    def target_w(self) -> float | None:
        """Return what the battery is to do, charging positive; None when nobody tells it."""
        if self._timer.ran_out(self._clock()):
            self._external = False
            self._asked_w = 0.0
        if not self._external:
            return None
        low = 0.0 if self._no_feed_in else -GREATEST_W
        high = 0.0 if self._no_charge else GREATEST_W
        return max(low, min(high, self._asked_w))

    def cells(self) -> Mapping[Table, Mapping[int, int]]:
        """Return the registers that can be read."""
        home = self._home()
        self.target_w()
        registers = placed(
            (3, u16(home.voltage_v * 10)),
            (9, s16(home.frequency_hz * 100)),
            (12, s16(self._shown.watts(home.battery.power_w) / 10)),
            (30, u16(home.soc * 1000)),
            (31, u16(EXTERNAL if self._external else PASS_THROUGH)),
            (SETPOINT, s16(self._asked_w)),
            (NO_CHARGE, u16(self._no_charge)),
            (NO_FEED_IN, u16(self._no_feed_in)),
        )
        return {Table.HOLDING: registers}

    def take(self, table: Table, address: int, values: Sequence[int]) -> None:
        """Obey a write."""
        del table
        take = choose(
            {
                SETPOINT: self._take_setpoint,
                NO_CHARGE: self._take_no_charge,
                NO_FEED_IN: self._take_no_feed_in,
            },
            address,
        )
        take(number(values, signed=True))
        self._journal.wrote("victron", str(address), f"{address}={number(values, signed=True)}")

    def restart(self) -> None:
        """Forget all that it was told."""
        self._asked_w = 0.0
        self._no_charge = self._no_feed_in = self._external = False
        self._timer = Countdown()

    def _take_setpoint(self, power_w: int) -> None:
        self._asked_w = bounded(power_w, -GREATEST_W, GREATEST_W, "set-point")
        self._external = True
        self._timer.start(PATIENCE_S, self._clock())

    def _take_no_charge(self, value: int) -> None:
        self._no_charge = bounded(value, 0, 1, "flag") == 1

    def _take_no_feed_in(self, value: int) -> None:
        self._no_feed_in = bounded(value, 0, 1, "flag") == 1
