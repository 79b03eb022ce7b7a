"""What the page and the command line may see of the accounts. Plain frozen records out."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hems.surface import SurfaceError


class Step(StrEnum):
    """What accounts are added up by."""

    INTERVAL = "interval"
    """Quarter-hours of UTC."""
    DAY = "day"
    """Days by the home's clock, 23 to 25 hours long."""
    MONTH = "month"
    """Months by the home's clock."""


class TooManyPeriodsError(SurfaceError):
    """More periods are asked for than one answer carries."""


@dataclass(frozen=True, slots=True)
class MoneyView:
    """The accounts of one period; energies in Wh, money in its currency.

    Attributes:
        start: UTC epoch seconds.
        end: UTC epoch seconds.
        currency: ISO 4217 letters; "kWh" where there is no tariff, and each kWh taken counts one.
        import_wh: Taken from the grid.
        export_wh: Given to the grid.
        sun_wh: What PV gave.
        used_wh: What the house used, as far as that was known.
        cost: Of the energy taken.
        revenue: Of the energy given.
        charges: Standing charge, and what the highest import cost.
        total: What it all came to.
        saved_no_control: What control saved; None where that cannot be told.
        saved_greedy: What it saved beside a greedy one; the same.
        carbon_kg: Of the energy taken; None where nobody knows.
        self_consumption: Share of the sun that did not go to the grid; None without sun.
        autarky: Share of what was used that did not come from the grid; None if nothing was.
        measured: Share of the period, as far as it has gone, that was metered.
    """

    start: float
    end: float
    currency: str
    import_wh: float
    export_wh: float
    sun_wh: float
    used_wh: float
    cost: float
    revenue: float
    charges: float
    total: float
    saved_no_control: float | None
    saved_greedy: float | None
    carbon_kg: float | None
    self_consumption: float | None
    autarky: float | None
    measured: float


class MoneySurface(Protocol):
    """What can be asked of the accounts."""

    async def money(self, start: float, end: float, step: Step) -> Sequence[MoneyView]:
        """Return the accounts of each period that overlaps [start, end), UTC epoch seconds.

        Raises:
            TooManyPeriodsError: There would be too many.
            SurfaceError: They cannot be read.
        """
        ...

    async def money_days(self, days: int) -> Sequence[MoneyView]:
        """Return the accounts of the last days, today being the last of them.

        Raises:
            SurfaceError: They cannot be read.
        """
        ...
