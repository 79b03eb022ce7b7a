"""A month's accounts as a bill shows them: by price, by day, and what was not measured."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from der.sentence import say
from hems.cem import civil
from hems.cem.civil import Grain, Period
from hems.clock import Clock
from hems.money.statement import view
from hems.money.surface import MoneyView
from hems.store.accounts import Accounts, Priced
from hems.store.errors import StoreError
from hems.surface import SurfaceError

MOST_BANDS: Final = 6
"""Prices that change by the hour are shown in so many bands; fewer prices one by one."""


@dataclass(frozen=True, slots=True)
class Band:
    """Energy whose price lay in a range.

    Attributes:
        low_per_kwh: The lowest of its prices.
        high_per_kwh: The highest.
        energy_wh: How much.
        amount: What it came to.
    """

    low_per_kwh: float
    high_per_kwh: float
    energy_wh: float
    amount: float


@dataclass(frozen=True, slots=True)
class Account:
    """What a month came to in one currency.

    Attributes:
        whole: All of it.
        taken: Energy from the grid, cheapest first.
        given: Energy to the grid, cheapest first.
        days: Each day that has anything.
    """

    whole: MoneyView
    taken: Sequence[Band]
    given: Sequence[Band]
    days: Sequence[MoneyView]


@dataclass(frozen=True, slots=True)
class Bill:
    """A month.

    Attributes:
        start: UTC epoch seconds.
        end: UTC epoch seconds.
        running: Whether it is not over.
        accounts: By currency; more than one where that was changed.
    """

    start: float
    end: float
    running: bool
    accounts: Sequence[Account]


class BillReport:
    """Answers what a month came to.

    Args:
        accounts: Where it is kept.
        zone: Where the home is.
        clock: Where the time comes from.
        billing_day: Day of the month on which a billing month begins, 1 to 28.
    """

    def __init__(
        self, accounts: Accounts, zone: ZoneInfo, clock: Clock, billing_day: int = 1
    ) -> None:
        self._accounts = accounts
        self._zone = zone
        self._clock = clock
        self._billing_day = billing_day

    @property
    def zone(self) -> ZoneInfo:
        """Where the home is."""
        return self._zone

    def month_of(self, when: float) -> date:
        """Return the first day of the billing month that holds an instant, UTC epoch seconds."""
        day = civil.day_of(when, self._zone)
        first = day.replace(day=self._billing_day)
        return first if day >= first else civil.month_before(day).replace(day=self._billing_day)

    async def bill(self, month: date) -> Bill:
        """Return a billing month.

        Args:
            month: Any day of the calendar month in which it begins.

        Raises:
            SurfaceError: The accounts cannot be read.
        """
        first = month.replace(day=self._billing_day)
        after = civil.month_after(month).replace(day=self._billing_day)
        period = civil.day_start(first, self._zone), civil.day_start(after, self._zone)
        now = self._clock.now()
        try:
            accounts = await self._read(period, now)
        except StoreError as error:
            raise SurfaceError(say("The accounts cannot be read: {error}", error=error)) from error
        return Bill(*period, now < period[1], accounts)

    async def _read(self, period: Period, now: float) -> Sequence[Account]:
        whole = await self._accounts.sums([period])
        days = await self._accounts.sums(civil.periods(*period, Grain.DAY, self._zone))
        taken = await self._accounts.priced(*period, given=False)
        given = await self._accounts.priced(*period, given=True)
        return [
            Account(
                view(each, now),
                bands(p for p in taken if p.currency == each.currency),
                bands(p for p in given if p.currency == each.currency),
                [view(day, now) for day in days if day.currency == each.currency],
            )
            for each in whole
        ]


def bands(priced: Iterable[Priced], most: int = MOST_BANDS) -> Sequence[Band]:
    """Return energy by price; many prices in bands of equal width; pure.

    Args:
        priced: By price, cheapest first.
        most: Bands at most.
    """
    each = list(priced)
    if len(each) <= most:
        return [Band(p.per_kwh, p.per_kwh, p.energy_wh, p.amount) for p in each]
    low, high = each[0].per_kwh, each[-1].per_kwh
    width = (high - low) / most
    found: dict[int, Band] = {}
    for p in each:
        number = min(most - 1, int((p.per_kwh - low) / width))
        before = found.get(number, Band(p.per_kwh, p.per_kwh, 0.0, 0.0))
        found[number] = Band(
            before.low_per_kwh,
            p.per_kwh,
            before.energy_wh + p.energy_wh,
            before.amount + p.amount,
        )
    return list(found.values())
