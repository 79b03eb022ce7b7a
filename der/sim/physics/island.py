"""The home behind its tie switch: connected, dark, or an island that its battery inverter forms.

A forming inverter gives whatever the rest of the home takes. Its frequency tells how it fares: it
sags a little while it discharges, rises while it charges, and rises on purpose once it can take no
more, which inverters of the sun answer by giving less (frequency-watt). What it cannot carry trips
it, and the home is dark until it is told to form again. Nothing here looks into a half-wave: what
happens within milliseconds (transfer, fault current, inrush) is only there by its outcome.
"""

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from der.sim.physics.supply import NOMINAL_HZ, NOMINAL_V

DROOP_HZ: Final = 0.2
"""By how much the frequency moves between no power and all of the inverter's rating."""
SHIFT_HZ: Final = 1.8
"""How far it is raised, at most, to make the sun give less."""
SHIFT_HZ_PER_S: Final = 2.0
LAG_S: Final = 0.3
FALL_HZ, GONE_HZ = 50.2, 51.7
"""Where the sun's inverters begin to give less, and where they give nothing."""
OVERLOAD: Final = 1.02
OVERLOAD_S: Final = 5.0
"""For how long more than the rating is borne."""
COLLAPSE: Final = 2.0
"""Multiple of the rating that is borne for no time at all."""
FULL_SOC: Final = 0.999
SURPLUS_S: Final = 10.0
"""For how long more is borne than can be stored."""
ARMED_S: Final = 30.0
"""For how long the sync-check relay waits for its moment once it was told to close."""
SYNC_HZ, SYNC_SHARE, SYNC_DEG = 0.1, 0.05, 10.0
"""Differences of frequency, voltage (of the nominal) and phase at which it closes."""


class Bus(StrEnum):
    """Who supplies the home."""

    GRID = "grid"
    FORMED = "formed"
    DEAD = "dead"


class Trip(StrEnum):
    """Why the inverter gave up."""

    NONE = "none"
    OVERLOAD = "overload"
    EMPTY = "empty"
    SURPLUS = "surplus"
    BACKFEED = "backfeed"
    """It was made to supply the street: the tie was closed on a dead grid."""


@dataclass(slots=True)
class Island:
    """Tie switch and forming inverter.

    Attributes:
        rng: Where chance comes from: the phase at which an island begins.
        rating_w: Of the forming inverter.
        tie_closed: Whether the home is connected to the street.
        asked: Whether the inverter is told to form.
        hz: Frequency that it was given.
        volts: Voltage that it was given.
        trip: Why it last gave up.
        voltage_v: Voltage in the home.
        frequency_hz: Frequency in the home, 0 while it is dark.
        angle_deg: By how much the home's phase leads the grid's, -180 to 180.
        backfeeds: How often the home was made to supply the street.
        blackouts: How often an island went dark.
        closings: Difference of phase at each closing on a live home, degrees.
    """

    rng: random.Random
    rating_w: float
    tie_closed: bool = True
    asked: bool = False
    hz: float = NOMINAL_HZ
    volts: float = NOMINAL_V
    trip: Trip = Trip.NONE
    voltage_v: float = NOMINAL_V
    frequency_hz: float = NOMINAL_HZ
    angle_deg: float = 0.0
    backfeeds: int = 0
    blackouts: int = 0
    closings: tuple[float, ...] = ()
    _shift_hz: float = 0.0
    _over_s: float = 0.0
    _surplus_s: float = 0.0
    _armed_s: float = 0.0

    @property
    def armed(self) -> bool:
        """Whether the tie waits for its moment to close."""
        return self._armed_s > 0

    @property
    def sun_share(self) -> float:
        """What the frequency lets the sun's inverters give, 0 to 1."""
        return min(max((GONE_HZ - self.frequency_hz) / (GONE_HZ - FALL_HZ), 0.0), 1.0)

    def open_tie(self) -> None:
        """Open the tie."""
        self.tie_closed, self._armed_s = False, 0.0

    def close_tie(self) -> None:
        """Have the sync-check relay close the tie as soon as both sides agree."""
        if not self.tie_closed:
            self._armed_s = ARMED_S

    def form(self) -> None:
        """Have the inverter form the home's voltage; it forgets why it last gave up."""
        if not self.asked:
            self.trip, self._shift_hz, self._over_s, self._surplus_s = Trip.NONE, 0.0, 0.0, 0.0
            self.angle_deg = self.rng.uniform(-180.0, 180.0)
        self.asked = True

    def follow(self) -> None:
        """Have it follow a voltage that is there, and do nothing without one."""
        self.asked = False

    def bus(self, grid_v: float) -> Bus:
        """Return who supplies the home.

        Args:
            grid_v: Voltage of the street.
        """
        if self.tie_closed and grid_v > 0:
            return Bus.GRID
        if self.asked and not self.tie_closed:
            return Bus.FORMED
        return Bus.DEAD

    def move(self, grid_v: float, grid_hz: float, wall_s: float) -> None:
        """Let time pass for the tie, after the home's voltage has moved."""
        if self.asked and self.tie_closed and not grid_v:
            self.backfeeds += 1
            self._give_up(Trip.BACKFEED)
        bus = self.bus(grid_v)
        if bus is Bus.GRID:
            self.voltage_v, self.frequency_hz, self.angle_deg = grid_v, grid_hz, 0.0
        elif bus is Bus.DEAD:
            self.voltage_v = self.frequency_hz = self.angle_deg = 0.0
        elif grid_hz:
            turned = self.angle_deg + 360 * (self.frequency_hz - grid_hz) * wall_s
            self.angle_deg = (turned + 180.0) % 360.0 - 180.0
        self._try_to_close(bus, grid_v, grid_hz, wall_s)

    def carry(self, load_w: float, soc: float, wall_s: float) -> None:
        """Have the inverter carry the rest of the home.

        Args:
            load_w: What the rest of the home takes, W; negative where it gives.
            soc: The battery's charge, 0 to 1.
            wall_s: For how long.
        """
        over = load_w / self.rating_w
        self._over_s = self._over_s + wall_s if over > OVERLOAD else 0.0
        if over > COLLAPSE or self._over_s > OVERLOAD_S:
            self._give_up(Trip.OVERLOAD)
            return
        if load_w > 0 and soc <= 0:
            self._give_up(Trip.EMPTY)
            return
        accepts = 0.0 if soc >= FULL_SOC else 1.0
        spare = max(-over - accepts, 0.0)
        self._surplus_s = self._surplus_s + wall_s if spare > OVERLOAD - 1 else 0.0
        if self._surplus_s > SURPLUS_S:
            self._give_up(Trip.SURPLUS)
            return
        towards = SHIFT_HZ_PER_S * (min(spare, 1.0) if spare else -0.1)
        self._shift_hz = min(max(self._shift_hz + towards * wall_s, 0.0), SHIFT_HZ)
        goal_hz = self.hz - DROOP_HZ * over + self._shift_hz
        self.frequency_hz = self.frequency_hz or goal_hz
        self.frequency_hz += (goal_hz - self.frequency_hz) * min(wall_s / LAG_S, 1.0)
        self.voltage_v = self.volts * (1 - 0.01 * over - 0.2 * max(over - 1.0, 0.0))

    def _give_up(self, why: Trip) -> None:
        self.trip, self.asked = why, False
        self.voltage_v = self.frequency_hz = 0.0
        self.blackouts += 1

    def _try_to_close(self, bus: Bus, grid_v: float, grid_hz: float, wall_s: float) -> None:
        if not self.armed:
            return
        self._armed_s = max(self._armed_s - wall_s, 0.0)
        if not grid_v:
            return  # no live home is ever put on a dead street
        alike = (
            abs(self.frequency_hz - grid_hz) <= SYNC_HZ
            and abs(self.voltage_v - grid_v) <= SYNC_SHARE * NOMINAL_V
            and abs(self.angle_deg) <= SYNC_DEG
        )
        if bus is Bus.FORMED and not alike:
            return
        if bus is Bus.FORMED:
            self.closings += (self.angle_deg,)
        self.tie_closed, self._armed_s = True, 0.0
