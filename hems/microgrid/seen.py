"""What an island's course is decided on, and what that measures of both sides. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from hems.microgrid.limits import Limits, Permit


@dataclass(frozen=True, slots=True)
class Side:
    """Voltage and frequency at one place; None where it is not measured now.

    Attributes:
        voltage_v: Phase to neutral.
        frequency_hz: 0 where there is no voltage.
    """

    voltage_v: float | None = None
    frequency_hz: float | None = None

    def dead(self, limits: Limits) -> bool:
        """Whether there is no usable voltage, as far as is known."""
        return self.voltage_v is not None and self.voltage_v < limits.dead_v * limits.nominal_v

    def live(self, limits: Limits) -> bool:
        """Whether there is a voltage."""
        return self.voltage_v is not None and not self.dead(limits)

    def abnormal(self, limits: Limits) -> bool:
        """Whether it is outside what a grid keeps to."""
        volts, hertz = self.voltage_v, self.frequency_hz
        if volts is not None:
            share = volts / limits.nominal_v
            if not limits.low_v <= share <= limits.high_v:
                return True
        return hertz is not None and not limits.low_hz <= hertz <= limits.high_hz

    def good(self, limits: Limits) -> bool:
        """Whether it is as a home may go back to it; both must be known."""
        if self.voltage_v is None or self.frequency_hz is None:
            return False
        share = self.voltage_v / limits.nominal_v
        return (
            limits.back_low_v <= share <= limits.back_high_v
            and limits.back_low_hz <= self.frequency_hz <= limits.back_high_hz
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """Both sides of the tie, and the inverter, at one instant; None for what is not known now.

    Attributes:
        grid: The street, as the tie measures it.
        bus: The home, as the tie or the inverter measures it.
        witnesses: The home, as its other devices do.
        angle_deg: By how much the home's phase leads.
        closed: Whether the tie is closed.
        forming: Whether the inverter forms, or is told to.
        gave_up: Whether it says that it gave up.
        soc: Its battery's charge, 0 to 1.
        tie_w: Power through the tie.
        loads_off: Whether all loads that can be switched have confirmed that they are off.
        sun_w: Sun that is expected now, W, not negative.
    """

    grid: Side = Side()
    bus: Side = Side()
    witnesses: Sequence[Side] = ()
    angle_deg: float | None = None
    closed: bool | None = None
    forming: bool | None = None
    gave_up: bool = False
    soc: float | None = None
    tie_w: float | None = None
    loads_off: bool = False
    sun_w: float = 0.0

    def contradicted(self, limits: Limits) -> bool:
        """Whether the home is well on a closed tie while the street is said not to be.

        With the tie closed both sides are one wire, so one of the sensors is wrong.
        """
        if self.closed is not True or not self.grid.abnormal(limits):
            return False
        known = [side for side in self.witnesses if side.voltage_v is not None]
        return bool(known) and not any(side.abnormal(limits) for side in known)

    def all_dead(self, limits: Limits) -> bool:
        """Whether all of the home's devices that measure a voltage measure none."""
        known = [side for side in self.witnesses if side.voltage_v is not None]
        return bool(known) and all(side.dead(limits) for side in known)

    def in_step(self, limits: Limits) -> bool:
        """Whether both sides agree so far that the tie may be asked to close."""
        grid, bus, angle = self.grid, self.bus, self.angle_deg
        if grid.voltage_v is None or bus.voltage_v is None or angle is None:
            return False
        if grid.frequency_hz is None or bus.frequency_hz is None:
            return False
        return (
            grid.good(limits)
            and bus.live(limits)
            and abs(bus.frequency_hz - grid.frequency_hz) <= limits.sync_hz
            and abs(bus.voltage_v - grid.voltage_v) <= limits.sync_v * limits.nominal_v
            and abs(angle) <= limits.sync_deg
        )

    def may_start(self, limits: Limits) -> bool:
        """Whether there is charge enough to form; one that is not known is left to the inverter."""
        if self.soc is None or self.soc >= limits.start_soc:
            return True
        return self.soc >= limits.dawn_soc and self.sun_w >= limits.dawn_w


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is permitted and asked.

    Attributes:
        permit: The utility's.
        leave: Who asks the home to part from its grid, in words; empty if nobody does.
        at_once: Whether that cannot wait for the tie's power to fall.
        stay: Whether the owner asks it to stay an island although the grid is back.
    """

    permit: Permit = Permit.NONE
    leave: str = ""
    at_once: bool = False
    stay: bool = False

    @property
    def may_leave(self) -> bool:
        """Whether the home is to part from a grid that is there."""
        return bool(self.leave) and self.permit is Permit.SCHEDULED

    @property
    def may_island(self) -> bool:
        """Whether the home may be an island at all."""
        return self.permit is not Permit.NONE
