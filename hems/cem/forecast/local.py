"""Time as the people of the home read it: the date and the hour of each slot, by their zone."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from hems.cem.forecast.past import Floats
from hems.cem.slots import Slots

Ints: TypeAlias = NDArray[np.int64]

DAY_S: Final = 86400
_EPOCH: Final = date(1970, 1, 1).toordinal()
_WORKDAYS: Final = 5


@dataclass(frozen=True, slots=True)
class Local:
    """When slots begin, by the clock on the wall.

    Attributes:
        days: Ordinals of the dates.
        seconds: Since midnight as the clock shows it: at 07:00 it is 25200 on every day of the
            year.
    """

    days: Ints
    seconds: Floats


def local(slots: Slots, zone: ZoneInfo) -> Local:
    """Return when slots begin in a zone.

    A zone's clock is asked once a day, and at every slot only on days on which it is set.
    """
    starts = slots.start + np.arange(slots.count) * slots.step_s
    edges = slots.start + np.arange(int(np.ceil(slots.count * slots.step_s / DAY_S)) + 1) * DAY_S
    offsets = np.array([_offset_s(edge, zone) for edge in edges])
    day = np.floor((starts - slots.start) / DAY_S).astype(np.int64)
    ahead = offsets[day]
    for changed in np.flatnonzero(np.diff(offsets)):
        for i in np.flatnonzero(day == changed):
            ahead[i] = _offset_s(starts[i], zone)
    days = np.floor((starts + ahead) / DAY_S)
    return Local(days.astype(np.int64) + _EPOCH, starts + ahead - days * DAY_S)


def is_free(days: Ints, holidays: frozenset[int]) -> NDArray[np.bool_]:
    """Return which days, given as ordinals, are no workdays: week-ends and holidays."""
    free: NDArray[np.bool_] = (days - 1) % 7 >= _WORKDAYS  # the day of ordinal 1 was a Monday
    return free | np.isin(days, np.array(sorted(holidays), dtype=np.int64))


def by_day(values: Floats, when: Local, step_s: float) -> tuple[Floats, int]:
    """Lay what was known by slot out by date and time of day.

    Args:
        values: By slot.
        when: Of the slots.
        step_s: Their length.

    Returns:
        One row a date, one column a step of the wall clock's day, NaN where nothing is known: the
        hour that a clock skips; of the hour that it goes through twice the second counts. And the
        ordinal of the first date.
    """
    columns = int(np.ceil(DAY_S / step_s))
    if not len(values):
        return np.empty((0, columns)), _EPOCH
    first = int(when.days.min())
    table = np.full((int(when.days.max()) - first + 1, columns), np.nan)
    table[when.days - first, steps(when, step_s)] = values
    return table, first


def steps(when: Local, step_s: float) -> Ints:
    """Return the steps of the wall clock's day in which slots begin."""
    numbers: Ints = np.floor(when.seconds / step_s).astype(np.int64)
    return numbers


def _offset_s(when: float, zone: ZoneInfo) -> float:
    offset = datetime.fromtimestamp(when, zone).utcoffset()
    return 0.0 if offset is None else offset.total_seconds()
