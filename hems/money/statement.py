"""The accounts added up by the home's days and months, for page and command line."""

from collections.abc import Sequence
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from der.sentence import say
from hems.cem import civil
from hems.cem.tariff import wall_clock
from hems.clock import Clock
from hems.money.surface import MoneyView, Step, TooManyPeriodsError
from hems.store.accounts import Accounts, Sums
from hems.store.errors import StoreError
from hems.surface import SurfaceError

MOST_PERIODS: Final = 3000
"""Most periods of one answer: a month by the quarter-hour fits, and eight years by the day."""

_STEPS: Final = {
    Step.INTERVAL: civil.Grain.QUARTER_HOUR,
    Step.DAY: civil.Grain.DAY,
    Step.MONTH: civil.Grain.MONTH,
}


class Statement:
    """Answers what the accounts hold; a `hems.money.surface.MoneySurface`.

    Args:
        accounts: Where they are kept.
        zone: Where the home is.
        clock: Where the time comes from.
    """

    def __init__(self, accounts: Accounts, zone: ZoneInfo, clock: Clock) -> None:
        self._accounts = accounts
        self._zone = zone
        self._clock = clock

    async def money(self, start: float, end: float, step: Step) -> Sequence[MoneyView]:
        """Return the accounts of each period that overlaps [start, end), UTC epoch seconds."""
        found = civil.periods(start, end, _STEPS[step], self._zone)
        asked = list(islice(found, MOST_PERIODS + 1))
        if len(asked) > MOST_PERIODS:
            raise TooManyPeriodsError(
                say(
                    "These are more than {most_periods} periods; ask for less or by a longer step.",
                    most_periods=MOST_PERIODS,
                )
            )
        try:
            sums = await self._accounts.sums(asked)
        except StoreError as error:
            raise SurfaceError(say("the accounts cannot be read: {error}", error=error)) from error
        now = self._clock.now()
        return [view(each, now) for each in sums]

    async def money_days(self, days: int) -> Sequence[MoneyView]:
        """Return the accounts of the last days, today being the last of them."""
        now = self._clock.now()
        start = wall_clock.day_start(now, self._zone)
        for _ in range(days - 1):
            start = wall_clock.day_start(start - 1.0, self._zone)
        return await self.money(start, now + 1.0, Step.DAY)


def view(sums: Sums, now: float) -> MoneyView:
    """Return sums as shown.

    Args:
        sums: Of one period.
        now: UTC epoch seconds: the period may not be over.
    """
    gone_s = max(1.0, min(now, sums.end) - sums.start)
    return MoneyView(
        start=sums.start,
        end=sums.end,
        currency=sums.currency,
        import_wh=sums.import_wh,
        export_wh=sums.export_wh,
        sun_wh=sums.sun_wh,
        used_wh=sums.used_wh,
        cost=sums.cost,
        revenue=sums.revenue,
        charges=sums.charges,
        total=sums.cost - sums.revenue + sums.charges,
        saved_no_control=sums.saved_no_control,
        saved_greedy=sums.saved_greedy,
        carbon_kg=sums.carbon_kg,
        self_consumption=_share(sums.self_wh, sums.sun_wh),
        autarky=_share(sums.own_wh, sums.used_wh),
        measured=min(1.0, sums.measured_s / gone_s),
    )


def _share(part: float, whole: float) -> float | None:
    return min(1.0, part / whole) if whole > 0.0 else None
