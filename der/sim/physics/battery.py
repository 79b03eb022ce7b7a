"""A home battery: what is moved changes its charge, less the losses, within its limits."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BatteryRating:
    """What the battery is built for.

    Attributes:
        capacity_wh: Usable energy between empty and full.
        power_w: Greatest AC power, charging and discharging.
        round_trip: Share of the AC energy charged that comes back as AC energy.
    """

    capacity_wh: float = 6400.0
    power_w: float = 5000.0
    round_trip: float = 0.9

    @property
    def one_way(self) -> float:
        """Efficiency of charging alone, and of discharging alone."""
        return math.sqrt(self.round_trip)


@dataclass(slots=True)
class Battery:
    """The battery and its charge.

    Attributes:
        rating: What it is built for.
        stored_wh: Energy stored now.
    """

    rating: BatteryRating
    stored_wh: float

    @property
    def soc(self) -> float:
        """State of charge, 0 to 1."""
        return self.stored_wh / self.rating.capacity_wh

    def move(self, target_w: float, hours: float) -> float:
        """Charge or discharge for a while.

        Args:
            target_w: AC power asked for, charging positive.
            hours: How long, above 0.

        Returns:
            AC power that was really moved: within the rating, and no more than fits or is left.
        """
        rating = self.rating
        power_w = max(-rating.power_w, min(rating.power_w, target_w))
        if power_w >= 0:
            room_wh = rating.capacity_wh - self.stored_wh
            power_w = min(power_w, room_wh / (rating.one_way * hours))
            stored_wh = self.stored_wh + power_w * rating.one_way * hours
        else:
            power_w = max(power_w, -self.stored_wh * rating.one_way / hours)
            stored_wh = self.stored_wh + power_w / rating.one_way * hours
        self.stored_wh = max(0.0, min(rating.capacity_wh, stored_wh))
        return power_w
