"""What the utility's server says of the bill: accounts, agreements, periods, readings (read only).

Amounts are exact: whole numbers times a power of ten, of a currency that ISO 4217 numbers.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, TypeVar

from hems.sep2 import resources as res
from hems.sep2.errors import MalformedError, NotFoundError, RejectedError
from hems.sep2.transport.http import Transport
from hems.sep2.transport.paging import ListOf

_log = logging.getLogger(__name__)

_SETS: Final = 13
"""So many of the latest reading sets are read of each series: a year by months, and this one."""
L = TypeVar("L", bound=ListOf)


@dataclass(frozen=True, slots=True)
class Period:
    """A billing period; times are UTC epoch seconds of the server's clock.

    Attributes:
        start: Its begin.
        end: Its end.
        cost: The bill so far; None if not told.
        last_cost: The bill of the period before; None if not told.
        at: When the bill so far stood; None if not told.
    """

    start: int
    end: int
    cost: Decimal | None
    last_cost: Decimal | None
    at: int | None


@dataclass(frozen=True, slots=True)
class BilledReading:
    """A quantity and what it costs.

    Attributes:
        start: Begin of what it covers, UTC epoch seconds; None if not told.
        duration_s: Its length.
        value: In the series' unit; None if not told.
        charges: Amounts by what they are for; empty if none are told.
    """

    start: int | None
    duration_s: int | None
    value: float | None
    charges: Sequence[tuple[str, Decimal]] = ()


@dataclass(frozen=True, slots=True)
class BilledSeries:
    """Readings of one kind, newest set first.

    Attributes:
        name: The server's words for it.
        uom: Unit, code of `UomType` (72 is Wh); None if not told.
        readings: At most those of the latest sets.
    """

    name: str
    uom: int | None
    readings: Sequence[BilledReading]


@dataclass(frozen=True, slots=True)
class Agreement:
    """One service that is billed.

    Attributes:
        mrid: Its mRID.
        name: The server's words for it.
        place: Where the service is given.
        currency: ISO 4217 number (36 is AUD, 840 USD, 978 EUR); 0 if not told.
        periods: Billing periods, oldest first.
        history: What was used.
        projection: What is expected.
    """

    mrid: str
    name: str
    place: str
    currency: int
    periods: Sequence[Period] = ()
    history: Sequence[BilledSeries] = ()
    projection: Sequence[BilledSeries] = ()

    def current(self, now: float) -> Period | None:
        """Return the period that a time of the server's clock falls in; None if none does."""
        return next((p for p in self.periods if p.start <= now < p.end), None)


@dataclass(slots=True)
class Billing:
    """The bills as last read, by the account list that they came from."""

    on_change: Callable[[], None] = lambda: None
    _by_list: dict[str, Mapping[str, Sequence[Agreement]]] = field(default_factory=dict)

    def take(self, href: str, accounts: Mapping[str, Sequence[Agreement]]) -> None:
        """Take in what an account list led to: agreements by account."""
        if self._by_list.get(href) != accounts:
            self._by_list[href] = accounts
            self.on_change()

    @property
    def agreements(self) -> Sequence[Agreement]:
        """All of them."""
        accounts = (a for listed in self._by_list.values() for a in listed.values())
        return [agreement for agreements in accounts for agreement in agreements]


async def read_account(transport: Transport, account: res.CustomerAccount) -> Sequence[Agreement]:
    """Read an account's agreements with all that is billed under them.

    Raises:
        Sep2Error: The server cannot be reached now. What it merely does not have is left out.
    """
    link = account.customer_agreement_list_link
    if link is None:
        return []
    listed = await _listed(transport, link, res.CustomerAgreementList)
    found = listed.customer_agreement if listed is not None else ()
    return [await _agreement(transport, account, agreement) for agreement in found]


async def _agreement(
    transport: Transport, account: res.CustomerAccount, agreement: res.CustomerAgreement
) -> Agreement:
    ten = account.price_power_of_ten_multiplier
    periods = await _listed(
        transport,
        agreement.billing_period_list_link or agreement.active_billing_period_list_link,
        res.BillingPeriodList,
    )
    history = await _listed(
        transport, agreement.historical_reading_list_link, res.HistoricalReadingList
    )
    projection = await _listed(
        transport,
        agreement.projection_reading_list_link or agreement.active_projection_reading_list_link,
        res.ProjectionReadingList,
    )
    return Agreement(
        mrid=agreement.mrid.upper(),
        name=agreement.description or account.description or "",
        place=agreement.service_location or "",
        currency=account.currency,
        periods=sorted(
            (_period(p, ten) for p in (periods.billing_period if periods else ())),
            key=lambda period: period.start,
        ),
        history=[
            await _series(transport, s, ten)
            for s in (history.historical_reading if history else ())
        ],
        projection=[
            await _series(transport, s, ten)
            for s in (projection.projection_reading if projection else ())
        ],
    )


def _period(period: res.BillingPeriod, ten: int) -> Period:
    start = period.interval.start
    return Period(
        start=start,
        end=start + period.interval.duration,
        cost=_money(period.bill_to_date, ten),
        last_cost=_money(period.bill_last_period, ten),
        at=period.status_time_stamp,
    )


async def _series(
    transport: Transport, series: res.BillingMeterReadingBase, ten: int
) -> BilledSeries:
    kind: res.ReadingType | None = None
    if series.reading_type_link is not None:
        try:
            kind = await transport.get(series.reading_type_link.href, res.ReadingType)
        except (MalformedError, NotFoundError, RejectedError) as error:
            _log.warning("%s", error)
    sets = await _listed(transport, series.billing_reading_set_list_link, res.BillingReadingSetList)
    latest = sorted(
        sets.billing_reading_set if sets else (), key=lambda s: s.time_period.start, reverse=True
    )
    scale = (kind.power_of_ten_multiplier if kind is not None else None) or 0
    readings: list[BilledReading] = []
    for each in latest[:_SETS]:
        listed = await _listed(transport, each.billing_reading_list_link, res.BillingReadingList)
        found = listed.billing_reading if listed else ()
        readings.extend(_reading(reading, each, scale, ten) for reading in found)
    return BilledSeries(series.description or "", kind.uom if kind else None, readings)


def _reading(
    reading: res.BillingReading, of: res.BillingReadingSet, scale: int, ten: int
) -> BilledReading:
    period = reading.time_period or of.time_period
    charges = [(c.description or "", Decimal(c.value).scaleb(ten)) for c in reading.charge]
    value = None if reading.value is None else float(Decimal(reading.value).scaleb(scale))
    return BilledReading(period.start, period.duration, value, charges)


async def _listed(transport: Transport, link: res.Link | None, expected: type[L]) -> L | None:
    """Return a list; None where there is none, which costs the rest of the bill nothing."""
    if link is None:
        return None
    try:
        return await transport.get_list(link.href, expected)
    except (MalformedError, NotFoundError, RejectedError) as error:
        _log.warning("a part of the bill is left out: %s", error)
        return None


def _money(value: int | None, ten: int) -> Decimal | None:
    return None if value is None else Decimal(value).scaleb(ten)
