"""What the devices of the home measured, slot by slot over the last weeks: rolling, bounded."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from hems.cem.forecast.balance import base_load, could_have, settled, woken
from hems.cem.forecast.past import CarPast, Floats, Past
from hems.cem.planner.question import Role, Stay, Stretch
from hems.cem.slots import Slots

_SPAN_S: Final = 90 * 86400.0
_DAY_S: Final = 86400.0
_SUN_GONE_DAYS: Final = 7
"""PV that is silent for so long has been removed; other devices count as off after a day."""
_DRAWS_W: Final = 200.0
"""A charger that gives more than this has a car, whatever it says."""


@dataclass(slots=True)
class _Row:
    """One device: a ring of slots, the place of each its number modulo the length."""

    role: Role
    power_w: Floats
    held: NDArray[np.bool_]
    temp_c: Floats

    @classmethod
    def empty(cls, role: Role, count: int) -> "_Row":
        return cls(
            role, np.full(count, np.nan), np.zeros(count, dtype=bool), np.full(count, np.nan)
        )

    @property
    def knows(self) -> bool:
        """Whether anything of it is left."""
        return bool(np.isfinite(self.power_w).any() or np.isfinite(self.temp_c).any())

    def forget(self, places: NDArray[np.int64]) -> None:
        self.power_w[places] = np.nan
        self.held[places] = False
        self.temp_c[places] = np.nan


@dataclass(slots=True)
class History:
    """Takes what was measured in any order, twice or with gaps, and gives the home's past.

    Attributes:
        step_s: Length of a slot, s.
        span_s: How much is kept.
    """

    step_s: float
    span_s: float = _SPAN_S
    _rows: dict[str, _Row] = field(default_factory=dict)
    _end: int | None = None

    @property
    def end(self) -> float | None:
        """Up to when anything is known, UTC epoch seconds; None before the first stretch."""
        return None if self._end is None else self._end * self.step_s

    def take(self, stretch: Stretch) -> None:
        """Take what a device measured; what is known already is measured anew, NaN says nothing.

        Slots older than the span are left out. A stretch that lies ahead moves the span; what
        falls out of it at the other end is forgotten.
        """
        if not stretch.power_w or not math.isfinite(stretch.start):
            return
        first = round(stretch.start / self.step_s)
        self._reach(first + len(stretch.power_w))
        row = self._row(stretch.device, stretch.role)
        power_w = np.array(stretch.power_w, dtype=np.float64)
        held = np.zeros(len(power_w), dtype=bool)
        held[: len(stretch.held_back)] = stretch.held_back[: len(power_w)]
        numbers = first + np.arange(len(power_w))
        known = np.isfinite(power_w) & self._kept(numbers)
        places = numbers[known] % self._count
        row.power_w[places] = power_w[known]
        row.held[places] = held[known]

    def take_temperature(self, device: str, role: Role, at: float, temp_c: float) -> None:
        """Note the temperature of something warm; of several in a slot the last stays."""
        number = math.floor(at / self.step_s)
        self._reach(number + 1)
        if math.isfinite(temp_c) and self._kept(np.array([number])).all():
            self._row(device, role).temp_c[number % self._count] = temp_c

    def past(
        self,
        now: float,
        zone: ZoneInfo,
        stays: Iterable[Stay] = (),
        holidays: frozenset[int] = frozenset(),
    ) -> Past:
        """Return the past up to now, from the first slot of which anything is known.

        What lies ahead of `now` was measured before the clock was set back, and is forgotten.

        Args:
            now: UTC epoch seconds.
            zone: Where the home is.
            stays: Of cars at their chargers, in any order.
            holidays: Ordinals of days on which people live as on a Sunday.
        """
        until = math.floor(now / self.step_s)
        if self._end is None or until - self._end >= self._count:
            return self._past(0, until, zone, (), holidays)
        self._move(until + 1)
        every = np.arange(until + 1 - self._count, until) % self._count
        known = np.zeros(len(every), dtype=bool)
        for row in self._rows.values():
            known |= np.isfinite(row.power_w[every])
        count = len(every) - int(known.argmax()) if known.any() else 0
        return self._past(count, until, zone, list(stays), holidays)

    def _past(
        self,
        count: int,
        until: int,
        zone: ZoneInfo,
        stays: Sequence[Stay],
        holidays: frozenset[int],
    ) -> Past:
        slots = Slots((until - count) * self.step_s, self.step_s, count)
        places = np.arange(until - count, until) % self._count
        day = max(round(_DAY_S / self.step_s), 1)
        by_role: dict[Role, dict[str, Floats]] = {role: {} for role in Role}
        sun_w, could_w = np.zeros(count), np.zeros(count)
        for device, row in self._rows.items():
            power_w = row.power_w[places]
            if row.role is Role.SUN:
                made_w = _panel(power_w, day)
                sun_w += made_w
                could_w += could_have(made_w, row.held[places], day)
            else:
                by_role[row.role][device] = power_w
        net_w = np.full(count, np.nan)
        for meter_w in by_role.pop(Role.METER).values():
            net_w = np.where(np.isnan(net_w), meter_w, net_w)
        others = [settled(row, day) for rows in by_role.values() for row in rows.values()]
        return Past(
            slots,
            zone,
            base_load(net_w, [sun_w, *others]),
            could_w,
            cars={
                device: CarPast(power_w, plugged(slots, power_w, stays, device))
                for device, power_w in by_role[Role.CAR].items()
            },
            heats=by_role[Role.HEAT],
            heat_temps_c={
                device: self._rows[device].temp_c[places] for device in by_role[Role.HEAT]
            },
            holidays=holidays,
        )

    @property
    def _count(self) -> int:
        return math.ceil(self.span_s / self.step_s) + 1  # the slot that runs now is not over

    def _row(self, device: str, role: Role) -> _Row:
        row = self._rows.get(device)
        if row is None or row.role is not role:
            row = self._rows[device] = _Row.empty(role, self._count)
        return row

    def _kept(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        end = self._end or 0
        return (numbers >= end - self._count) & (numbers < end)

    def _reach(self, end: int) -> None:
        if self._end is None:
            self._end = end
        elif end > self._end:
            self._move(end)

    def _move(self, end: int) -> None:
        """Make `end` the end of what is kept; the slots that come to be kept are not known yet.

        Going back they have the very places of those that lie ahead now.
        """
        low, high = sorted((self._end or 0, end))
        places = np.arange(max(low, high - self._count), high) % self._count
        for row in self._rows.values():
            row.forget(places)
        self._end = end
        self._rows = {d: row for d, row in self._rows.items() if row.knows}


def _panel(power_w: Floats, day: int) -> Floats:
    """Return the power of one inverter: nothing while it slept or after it was removed.

    Before it was added NaN stays: there may have been panels that nobody measured.
    """
    made_w = woken(np.minimum(power_w, 0.0), day)
    first = int(np.isfinite(made_w).argmax())
    return np.concatenate([made_w[:first], settled(made_w[first:], _SUN_GONE_DAYS * day)])


def plugged(slots: Slots, power_w: Floats, stays: Iterable[Stay], device: str) -> Floats:
    """Return the share of each slot for which a car was plugged in.

    By the stays that were seen, and 1 wherever it drew power; NaN where neither a stay nor any
    measurement tells: the hub was off.

    Args:
        slots: The steps of time, up to now.
        power_w: What the charger gave, by slot.
        stays: Of all chargers; one that has not ended lasts up to now.
        device: Id of this one.
    """
    starts = slots.start + np.arange(slots.count) * slots.step_s
    share = np.zeros(slots.count)
    for stay in stays:
        if stay.device == device:
            left_at = slots.end if stay.left_at is None else stay.left_at
            within_s = np.minimum(starts + slots.step_s, left_at) - np.maximum(starts, stay.came_at)
            share += np.maximum(within_s, 0.0) / slots.step_s
    share = np.where(power_w > _DRAWS_W, 1.0, np.minimum(share, 1.0))
    return np.where(np.isnan(power_w) & (share == 0.0), np.nan, share)
