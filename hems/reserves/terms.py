"""What the owner consents to: how much, when, and at what price; and which times those are. Pure.

A window is a time of each day by the home's clock, which may go past midnight. On days of 23 or 25
hours it begins and ends when the clock on the wall says so, and is as much shorter or longer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from hems.cem import local_time
from programs.commitment import Product

LEAST_W: Final = 100.0
"""Less than this is offered to nobody."""
DAY_AHEAD_FROM: Final = time(6)
"""From then on what is promised for the next day is offered, by the home's clock."""
LEAD_S: Final = 7200.0
"""Spinning reserve is offered at most so long before its window begins."""


@dataclass(frozen=True, slots=True)
class Hours:
    """A time of each day, by the home's clock; the whole day where both are the same."""

    begins: time
    ends: time


@dataclass(frozen=True, slots=True)
class Terms:
    """What the owner consents to.

    Attributes:
        utility: Name of the utility that it is offered to.
        programs: Names of its programmes whose events call the reserve.
        zone: The home's time zone.
        products: The kinds of reserve that are offered.
        hours: When; each day.
        share: Share of what the batteries hold above the owner's reserve that may be promised.
        call_s: For how long what is promised can be given.
        least_price: What is asked for a kWh held ready for an hour, in the tariff's currency; 0
            for whatever the agreement pays.
        binding: Whether a commitment binds, so that the owner cannot leave its call.
        reserve_soc: The owner's own reserve, which is never promised.
    """

    utility: str
    programs: frozenset[str]
    zone: ZoneInfo
    products: frozenset[Product] = frozenset(Product)
    hours: tuple[Hours, ...] = (Hours(time(0), time(0)),)
    share: float = 0.5
    call_s: float = 3600.0
    least_price: float = 0.0
    binding: bool = False
    reserve_soc: float = 0.1


@dataclass(frozen=True, slots=True)
class Window:
    """A time for which reserve may be offered; UTC epoch seconds."""

    starts_at: float
    ends_at: float

    @property
    def long_s(self) -> float:
        """How long it is, s."""
        return self.ends_at - self.starts_at


def windows(hours: Sequence[Hours], zone: ZoneInfo, now: float) -> tuple[Window, ...]:
    """Return the windows that are not over: those of yesterday, today and tomorrow, by start.

    Args:
        hours: Times of each day.
        zone: The home's.
        now: UTC epoch seconds.
    """
    found = {w for each in hours for w in _around(each, zone, now) if w.ends_at > now}
    return tuple(sorted(found, key=lambda w: (w.starts_at, w.ends_at)))


def _around(hours: Hours, zone: ZoneInfo, now: float) -> Iterator[Window]:
    today = datetime.fromtimestamp(now, zone).date()
    for number in (-1, 0, 1):
        day = today + timedelta(days=number)
        last = day if hours.begins < hours.ends else day + timedelta(days=1)
        starts_at = local_time.instant(day, hours.begins, zone)
        ends_at = local_time.instant(last, hours.ends, zone)
        if starts_at < ends_at:  # one that falls into the hour that is skipped is none
            yield Window(starts_at, ends_at)


def due(product: Product, window: Window, zone: ZoneInfo, now: float) -> bool:
    """Return whether it is time to offer a kind of reserve for a window.

    Day-ahead reserve is offered on the day before; spinning reserve shortly before its window and
    while it lasts.
    """
    if product is Product.SPINNING:
        return window.starts_at - LEAD_S <= now < window.ends_at
    day_before = datetime.fromtimestamp(window.starts_at, zone).date() - timedelta(days=1)
    return (
        local_time.instant(day_before, DAY_AHEAD_FROM, zone)
        <= now
        < local_time.instant(day_before + timedelta(days=1), time(0), zone)
    )
