"""An electric car at its charger: comes and goes, has a battery, follows a limit with a ramp."""

from dataclasses import dataclass

from der.sim.physics.dataset import HOUR_S

DAY_HOURS = 24.0
NOMINAL_V = 230.0
LEAST_A = 6.0
"""Least current that may be offered to a car (IEC 61851-1); less means none."""
SWITCH_S = 2.0
"""How long a charger interrupts the charge to switch phases."""


@dataclass(frozen=True, slots=True)
class CarRating:
    """The car, its charger and its owner's habits.

    Attributes:
        capacity_wh: Usable energy of the car's battery.
        efficiency: Share of the AC energy that is stored.
        max_a: Greatest current of the charger on each phase.
        phases: Phases that charger and car have, 1 or 3.
        switches: Whether the charger can use one phase of three.
        leave_hour: Hour of the day at which it drives off, local time.
        arrive_hour: Hour of the day at which it is plugged in; the same hour: never leaves.
        trip_wh: Energy a day's driving takes.
        ramp_s: Time from nothing to full power, or back.
    """

    capacity_wh: float = 60_000.0
    efficiency: float = 0.92
    max_a: float = 32.0
    phases: int = 1
    switches: bool = False
    leave_hour: float = 7.5
    arrive_hour: float = 17.5
    trip_wh: float = 9000.0
    ramp_s: float = 1.0

    @property
    def max_w(self) -> float:
        """Greatest charging power in W."""
        return self.most_w(self.phases)

    def most_w(self, phases: int) -> float:
        """Greatest charging power in W on so many phases."""
        return self.max_a * NOMINAL_V * phases

    def least_w(self, phases: int) -> float:
        """Least power in W at which it charges at all on so many phases."""
        return LEAST_A * NOMINAL_V * phases

    def home_at(self, time_s: float) -> bool:
        """Whether the car is plugged in at a time in s since Monday 00:00."""
        hour = time_s / HOUR_S % DAY_HOURS
        if self.leave_hour <= self.arrive_hour:
            return not self.leave_hour <= hour < self.arrive_hour
        return self.arrive_hour <= hour < self.leave_hour


@dataclass(slots=True)
class Car:
    """The car's state.

    Attributes:
        rating: What it is.
        stored_wh: Energy in its battery.
        plugged: Whether it stands at its charger.
        power_w: AC power it draws.
        phases: Phases on which it draws it; 0 before the charger has told it.
    """

    rating: CarRating
    stored_wh: float
    plugged: bool = True
    power_w: float = 0.0
    phases: int = 0
    _switching_s: float = 0.0

    @property
    def soc(self) -> float:
        """State of charge, 0 to 1."""
        return self.stored_wh / self.rating.capacity_wh

    @property
    def full(self) -> bool:
        """Whether it takes no more."""
        return self.stored_wh >= self.rating.capacity_wh * (1 - 1e-9)

    def charge(
        self, limit_w: float, time_s: float, hours: float, wall_s: float, phases: int | None = None
    ) -> float:
        """Charge for a while.

        Args:
            limit_w: What the charger offers; below the least power it offers nothing.
            time_s: When, in s since Monday 00:00.
            hours: How long in house time, above 0.
            wall_s: How long in the time that the charger's electronics live in.
            phases: On how many phases it offers that; None for all.

        Returns:
            AC power drawn in W.
        """
        self._come_and_go(self.rating.home_at(time_s))
        self._switch(self.rating.phases if phases is None else phases, wall_s)
        if not self.plugged or self._switching_s > 0:
            self.power_w = 0.0
            return 0.0
        rating = self.rating
        target_w = min(limit_w, rating.most_w(self.phases))
        if target_w < rating.least_w(self.phases) or self.full:
            target_w = 0.0
        reach_w = rating.max_w * wall_s / rating.ramp_s
        power_w = max(self.power_w - reach_w, min(self.power_w + reach_w, target_w))
        room_wh = rating.capacity_wh - self.stored_wh
        self.power_w = min(power_w, room_wh / (rating.efficiency * hours))
        stored_wh = self.stored_wh + self.power_w * rating.efficiency * hours
        self.stored_wh = min(rating.capacity_wh, stored_wh)
        return self.power_w

    def _switch(self, phases: int, wall_s: float) -> None:
        """Go to other phases, which interrupts a charge."""
        self._switching_s = max(0.0, self._switching_s - wall_s)
        if phases != self.phases:
            if self.phases and self.power_w > 0:
                self._switching_s = SWITCH_S
            self.phases = phases

    def _come_and_go(self, home: bool) -> None:
        if home and not self.plugged:
            self.stored_wh = max(0.0, self.stored_wh - self.rating.trip_wh)
        self.plugged = home
