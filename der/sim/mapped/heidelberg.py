"""A Heidelberg Energy Control charger: input registers to read, holding registers to set.

Currents are in tenths of an ampere: 0 or 60 to 160. Without any request for as long as its
watchdog says (ms, 0 for never) it charges at its failsafe current until it is told another. It
knows function 6 only to write.
"""

from collections.abc import Callable, Mapping, Sequence

from der.sim.errors import ExceptionCode, RefusedError
from der.sim.faults import Fault
from der.sim.journal import Journal
from der.sim.mapped.bank import Clock, Shown, bounded, choose, number, placed, s16, u16, u32
from der.sim.modbus.server import Table
from der.sim.physics.car import NOMINAL_V
from der.sim.physics.house import Snapshot

NO_CAR, PLUGGED, ASKING = 2, 4, 7
WATCHDOG, STANDBY, LOCK, CURRENT, FAILSAFE = 257, 258, 259, 261, 262
LEAST, MOST = 60, 160
STANDBY_STATES = (0, 4)


class HeidelbergBox:
    """The charger, on one phase as the home is."""

    def __init__(
        self, home: Callable[[], Snapshot], fault: Fault, journal: Journal, clock: Clock
    ) -> None:
        self._home = home
        self._shown = Shown(fault)
        self._journal = journal
        self._clock = clock
        self._set = self._at_power_on()
        self._heard = clock()

    def limit_w(self) -> float:
        """Return the greatest power that it offers the car now."""
        self._watch()
        offered = self._set[CURRENT] if self._set[LOCK] else 0
        return offered / 10 * NOMINAL_V

    def cells(self) -> Mapping[Table, Mapping[int, int]]:
        """Return all registers that can be read; whoever asks feeds the watchdog."""
        home = self._home()
        self._watch()
        self._heard = self._clock()
        power_w = self._shown.watts(home.ev.power_w)
        state = NO_CAR
        if home.ev_plugged:
            state = ASKING if home.ev.power_w > 0 or self._set[CURRENT] == 0 else PLUGGED
        inputs = placed(
            (4, u16(0x108)),
            (5, u16(state)),
            (6, u16(home.amperes(home.ev.power_w) * 10)),
            (7, u16(0)),
            (8, u16(0)),
            (9, s16(310)),
            (10, u16(home.voltage_v)),
            (11, u16(0)),
            (12, u16(0)),
            (13, u16(1)),
            (14, u16(power_w)),
            (15, u32(home.ev.import_wh)),
            (17, u32(home.ev.import_wh)),
            (100, u16(MOST / 10)),
            (101, u16(LEAST / 10)),
        )
        return {Table.INPUT: inputs, Table.HOLDING: dict(self._set)}

    def take(self, table: Table, address: int, values: Sequence[int]) -> None:
        """Obey a write of one register."""
        del table
        self._watch()
        self._heard = self._clock()
        if len(values) != 1:
            raise RefusedError(ExceptionCode.ILLEGAL_FUNCTION, "one register at a time")
        check = choose(
            {
                WATCHDOG: _any,
                STANDBY: _standby,
                LOCK: _flag,
                CURRENT: _current,
                FAILSAFE: _current,
            },
            address,
        )
        check(number(values))
        self._set[address] = values[0]
        self._journal.wrote("heidelberg", str(address), f"{address}={values[0]}")

    def restart(self) -> None:
        """Stand as after a power cut."""
        self._set = self._at_power_on()
        self._heard = self._clock()

    def _watch(self) -> None:
        patience_s = self._set[WATCHDOG] / 1000
        if patience_s and self._clock() - self._heard > patience_s:
            self._set[CURRENT] = self._set[FAILSAFE]

    @staticmethod
    def _at_power_on() -> dict[int, int]:
        return {WATCHDOG: 15_000, STANDBY: 0, LOCK: 1, CURRENT: MOST, FAILSAFE: 0}


def _any(value: int) -> None:
    """Take whatever fits into a register."""
    del value


def _flag(value: int) -> None:
    bounded(value, 0, 1, "lock")


def _standby(value: int) -> None:
    if value not in STANDBY_STATES:
        raise RefusedError(ExceptionCode.ILLEGAL_VALUE, f"standby {value}")


def _current(value: int) -> None:
    if value:
        bounded(value, LEAST, MOST, "current")
