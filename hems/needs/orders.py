"""What the owner asks of a car or an appliance beside the habit: checked, and when it is over."""

import math
from dataclasses import dataclass, field
from datetime import time
from typing import Final
from zoneinfo import ZoneInfo

from der.sentence import say
from hems.cem.local_time import next_time
from hems.cem.needs import CarMode

LONGEST_S: Final = 7 * 86400.0
"""Nothing is asked for further ahead: what is forgotten must end by itself."""
MOST_WH: Final = 250e3
"""No car takes more."""
_DAY_S: Final = 86400.0


class OrderError(Exception):
    """An order that makes no sense; `str()` is one sentence for the owner."""


@dataclass(frozen=True, slots=True)
class CarWish:
    """What the owner asks of a car; None for what stays as it is.

    Attributes:
        mode: How it is to be charged.
        ready_by: When it has to be ready: by the home's clock, or in UTC epoch seconds.
        energy_wh: What it needs by then, as drawn since it was plugged in.
        until: When this ends, UTC epoch seconds; None for when the car is ready or unplugged.
    """

    mode: CarMode | None = None
    ready_by: time | float | None = None
    energy_wh: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class CarOrder:
    """A wish about a car that holds; fields as in `CarWish`, the time found.

    Attributes:
        mode: As in `CarWish`.
        ready_at: UTC epoch seconds.
        energy_wh: As in `CarWish`.
        until: As in `CarWish`.
        asked_at: When it was asked for, UTC epoch seconds.
    """

    mode: CarMode | None = None
    ready_at: float | None = None
    energy_wh: float | None = None
    until: float | None = None
    asked_at: float = field(default=math.inf, compare=False)

    def over(self, now: float) -> bool:
        """Return whether its time is past; else it holds until the car is unplugged.

        Not every charger tells that: without a time it ends by itself after `LONGEST_S`.
        """
        ends_at = self.ready_at if self.until is None else self.until
        return now >= (self.asked_at + LONGEST_S if ends_at is None else ends_at)

    @property
    def ends_with_the_stay(self) -> bool:
        """Whether it is over, too, when the car is unplugged."""
        return self.until is None


@dataclass(frozen=True, slots=True)
class RunOrder:
    """A run that was asked for; times are UTC epoch seconds.

    Attributes:
        earliest: When it may begin.
        ready_by: When it has to be done.
        released_at: When its switch was let on; None while it waits.
        began_at: When it was first seen to draw power; None before.
    """

    earliest: float
    ready_by: float
    released_at: float | None = None
    began_at: float | None = None


def car_order(wish: CarWish, now: float, zone: ZoneInfo) -> CarOrder:
    """Return a wish about a car as it holds.

    Raises:
        OrderError: It asks for nothing, or for what cannot be.
    """
    if wish.mode is None and wish.ready_by is None and wish.energy_wh is None:
        raise OrderError(say("Say what is asked of the car: a mode, a time or an energy."))
    check_energy(wish.energy_wh)
    ready_at = None if wish.ready_by is None else _instant(wish.ready_by, now, zone)
    for at in (ready_at, wish.until):
        if at is not None:
            _ahead(at, now)
    return CarOrder(wish.mode, ready_at, wish.energy_wh, wish.until, now)


def check_energy(energy_wh: float | None) -> None:
    """Refuse an energy in Wh that no car takes; raises OrderError."""
    if energy_wh is not None and not 0 < energy_wh <= MOST_WH:
        raise OrderError(
            say("A car needs more than 0 and at most {most:g} kWh.", most=MOST_WH / 1000)
        )


def run_order(
    ready_by: time | float | None, earliest: float | None, now: float, zone: ZoneInfo
) -> RunOrder:
    """Return a run that is asked for now.

    Args:
        ready_by: When it has to be done, as in `CarWish`; None for within a day.
        earliest: When it may begin, UTC epoch seconds; None for now.
        now: UTC epoch seconds.
        zone: The home's.

    Raises:
        OrderError: Its times make no sense.
    """
    begins = now if earliest is None else max(earliest, now)
    if ready_by is None:
        by = begins + _DAY_S
    else:
        by = _instant(ready_by, begins if isinstance(ready_by, time) else now, zone)
    _ahead(by, now)
    if by <= begins:
        raise OrderError(say("A run cannot be done before it may begin."))
    return RunOrder(begins, by)


def _instant(ready_by: time | float, now: float, zone: ZoneInfo) -> float:
    if not isinstance(ready_by, time):
        return float(ready_by)
    found = next_time(ready_by, zone, now)
    if found is None:
        raise OrderError(
            say("The clock does not show {time} in the days to come.", time=f"{ready_by:%H:%M}")
        )
    return found


def _ahead(at: float, now: float) -> None:
    if not (math.isfinite(at) and now < at):
        raise OrderError(say("A need has a time in the future."))
    if at > now + LONGEST_S:
        raise OrderError(
            say("A need lies at most {longest:g} days ahead.", longest=LONGEST_S / 86400)
        )
