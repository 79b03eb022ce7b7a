"""A month's bill under /api/bill, and its shape as JSON."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final

from pydantic import Field

from hems.access.rights import Right
from hems.cem.civil import day_of, month_before
from hems.clock import Clock
from hems.reports.bill import BillReport
from web.models import Answer, Input
from web.money_api import AccountAnswer
from web.operation import Operation

_MONTH: Final = r"^(19[7-9]\d|2\d\d\d)-(0[1-9]|1[0-2])$"


@dataclass(frozen=True, slots=True)
class Customer:
    """Who a bill is for.

    Attributes:
        home: What the home is called.
        meter: What its meter is called; empty where it has none.
        meter_id: The meter's device id.
        suppliers: What its utilities are called.
    """

    home: str
    meter: str = ""
    meter_id: str = ""
    suppliers: Sequence[str] = ()


class CustomerAnswer(Answer):
    """Who a bill is for; fields as in `Customer`."""

    home: str
    meter: str
    meter_id: str
    suppliers: Sequence[str]


class BandAnswer(Answer):
    """Energy whose price lay in a range; fields as in `hems.reports.bill.Band`."""

    low_per_kwh: float
    high_per_kwh: float
    energy_wh: float
    amount: float


class BillAccountAnswer(Answer):
    """What a month came to in one currency; fields as in `hems.reports.bill.Account`."""

    whole: AccountAnswer
    taken: Sequence[BandAnswer]
    given: Sequence[BandAnswer]
    days: Sequence[AccountAnswer]


class BillAnswer(Answer):
    """A month's bill.

    Attributes:
        month: In which it begins, such as "2026-06".
        first: Its first day.
        last: Its last day.
        newest: The newest month that there is one of.
        start: UTC epoch seconds.
        end: UTC epoch seconds.
        running: Whether it is not over.
        time_zone: IANA name of the home's zone, by whose clock it goes.
        customer: Who it is for.
        accounts: By currency; "kWh" is the currency of a home without a tariff.
    """

    month: str
    first: date
    last: date
    newest: str
    start: float
    end: float
    running: bool
    time_zone: str
    customer: CustomerAnswer
    accounts: Sequence[BillAccountAnswer]


class BillQuery(Input):
    """Which bill is asked for.

    Attributes:
        month: In which it begins, such as "2026-06"; the last one that is over if none is said.
    """

    month: Annotated[str, Field(pattern=_MONTH)] | None = None


class BillApi:
    """What can be asked of bills, under /api/bill.

    Args:
        report: What a month came to.
        customer: Returns who it is for.
        clock: Where "this month" comes from.
    """

    def __init__(self, report: BillReport, customer: Callable[[], Customer], clock: Clock) -> None:
        self._report = report
        self._customer = customer
        self._clock = clock

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        return [Operation("GET", "/api/bill", cls.bill, Right.HISTORY)]

    async def bill(self, query: BillQuery) -> BillAnswer:
        """Return what a billing month came to, by price and by day."""
        newest = self._report.month_of(self._clock.now())
        asked = month_before(newest) if query.month is None else _first(query.month)
        bill = await self._report.bill(asked)
        zone = self._report.zone
        return BillAnswer(
            month=f"{asked:%Y-%m}",
            first=day_of(bill.start, zone),
            last=day_of(bill.end - 1.0, zone),
            newest=f"{newest:%Y-%m}",
            start=bill.start,
            end=bill.end,
            running=bill.running,
            time_zone=zone.key,
            customer=CustomerAnswer.model_validate(self._customer()),
            accounts=[BillAccountAnswer.model_validate(each) for each in bill.accounts],
        )


def _first(month: str) -> date:
    return date.fromisoformat(f"{month}-01")
