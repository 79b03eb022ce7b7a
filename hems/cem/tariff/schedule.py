"""Prices by the home's clock: a flat one, or windows of day, week and season; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from hems.cem.tariff import wall_clock

DAY_MINUTES: Final = 24 * 60
ALL_DAYS: Final = frozenset(range(7))
WEEKDAYS: Final = frozenset(range(5))
WEEKEND: Final = frozenset({5, 6})
_SUNDAY: Final = 6
_DAY_NAMES: Final = (
    "Mondays",
    "Tuesdays",
    "Wednesdays",
    "Thursdays",
    "Fridays",
    "Saturdays",
    "Sundays",
)


class TariffError(ValueError):
    """A tariff that contradicts itself; `str()` is one sentence that names where."""


@dataclass(frozen=True, slots=True)
class Season:
    """Days of the year, both ends included; one that ends before it begins passes the new year.

    Attributes:
        first: Month and day.
        last: Month and day.
    """

    first: tuple[int, int] = (1, 1)
    last: tuple[int, int] = (12, 31)

    def holds(self, day: date) -> bool:
        """Whether a day is in it."""
        at = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= at <= self.last
        return at >= self.first or at <= self.last


@dataclass(frozen=True, slots=True)
class Window:
    """A price for certain times of certain days.

    Attributes:
        per_kwh: The price.
        days: Days of the week, 0 for Monday.
        begins: Minute of the day, 0 to 1439.
        ends: Minute of the day, not included, up to 1440. Where it is not after `begins`, the
            window is the rest: each of its days before `ends`, and from `begins` on.
        season: Days of the year.
    """

    per_kwh: float
    days: frozenset[int] = ALL_DAYS
    begins: int = 0
    ends: int = DAY_MINUTES
    season: Season = Season()

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Its minutes of a day: pairs of first and last, not included."""
        if self.begins < self.ends:
            return ((self.begins, self.ends),)
        return tuple(
            span for span in ((0, self.ends), (self.begins, DAY_MINUTES)) if span[0] < span[1]
        )

    def holds(self, day: date, weekday: int, minute: int) -> bool:
        """Whether it is in force.

        Args:
            day: The local day.
            weekday: What that counts as: a holiday is a Sunday.
            minute: Minute of that day by the wall clock.
        """
        return (
            weekday in self.days
            and any(begins <= minute < ends for begins, ends in self.spans)
            and self.season.holds(day)
        )


@dataclass(frozen=True, slots=True)
class Schedule:
    """Prices for all times.

    Attributes:
        rest: The price where no window holds; None where windows cover everything.
        windows: They don't overlap; see `check`.
        holidays: Days that count as Sundays, ordinals (`date.toordinal`).
    """

    rest: float | None
    windows: tuple[Window, ...] = ()
    holidays: frozenset[int] = frozenset()

    def at(self, when: float, zone: ZoneInfo) -> float:
        """Return the price at an instant, UTC epoch seconds.

        Raises:
            TariffError: There is none; `check` finds that beforehand.
        """
        if self.windows:
            local = datetime.fromtimestamp(when, zone)
            day, minute = local.date(), local.hour * 60 + local.minute
            weekday = _SUNDAY if day.toordinal() in self.holidays else day.weekday()
            for window in self.windows:
                if window.holds(day, weekday, minute):
                    return window.per_kwh
        if self.rest is None:
            raise TariffError(f"no window holds at {when:.0f}")
        return self.rest

    def edges(self, start: float, end: float, zone: ZoneInfo) -> Iterator[float]:
        """Yield the instants in (start, end) at which the price may change, in order."""
        if self.windows:
            minutes = {m for window in self.windows for m in (window.begins, window.ends)}
            yield from wall_clock.edges(start, end, zone, minutes)


def check(schedule: Schedule) -> None:
    """Make sure that there is exactly one price at any time of any year.

    Raises:
        TariffError: Two windows overlap, or there is a time without a price.
    """
    seen: set[tuple[int, ...]] = set()
    for day in _days_of_a_leap_year():
        # Windows that hold on the same days of the year are looked at once.
        holding = tuple(i for i, w in enumerate(schedule.windows) if w.season.holds(day))
        if holding not in seen:
            seen.add(holding)
            for weekday in range(7):
                _check_day(schedule, holding, day, weekday)


def _check_day(schedule: Schedule, holding: Sequence[int], day: date, weekday: int) -> None:
    spans = sorted(
        (begins, ends, index)
        for index in holding
        if weekday in schedule.windows[index].days
        for begins, ends in schedule.windows[index].spans
    )
    on = f"on {_DAY_NAMES[weekday]}"
    season = f" (such as in the week of {day.day} {day:%B})"
    until, before = 0, 0
    for begins, ends, index in spans:
        if begins < until:
            raise TariffError(
                f"windows {min(before, index) + 1} and {max(before, index) + 1} both hold "
                f"{on} at {clock(begins)}{season}"
            )
        if begins > until and schedule.rest is None:
            break
        until, before = ends, index
    if until < DAY_MINUTES and schedule.rest is None:
        raise TariffError(
            f"no window holds {on} at {clock(until)}{season}, and there is no price for the rest"
        )


def clock(minute: int) -> str:
    """Return a minute of the day as on a clock."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _days_of_a_leap_year() -> Iterator[date]:
    first = date(2024, 1, 1)
    return (first + timedelta(days=i) for i in range(366))
