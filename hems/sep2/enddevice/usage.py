"""What the utility's server itself has metered of the home: usage points and their readings.

Values are exact: whole numbers times a power of ten, in the unit that the series names
(IEEE 2030.5, function set Metering; codes are those of the schema's ReadingType).
"""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, TypeVar

from hems.sep2 import resources as res
from hems.sep2.errors import MalformedError, NotFoundError, RejectedError
from hems.sep2.transport.http import Transport
from hems.sep2.transport.paging import ListOf

_log = logging.getLogger(__name__)

MOST_POINTS: Final = 32
"""Of one list; a home has its meter, and what it mirrors itself."""
_MOST_SERIES: Final = 64
"""Of one usage point; a meter of three phases with tariffs has some thirty."""
L = TypeVar("L", bound=ListOf)


@dataclass(frozen=True, slots=True)
class Metered:
    """One value; times are UTC epoch seconds of the server's clock.

    Attributes:
        value: In the series' unit.
        start: Begin of what it covers; None if not told.
        duration_s: Its length; 0 for a moment.
        tier: Time-of-use tier that it counts for; 0 for all.
        block: Consumption block that it counts for; 0 for all.
        quality: Bits of `qualityFlags`: 0 valid, 4 questionable, 6 projected.
    """

    value: Decimal
    start: int | None
    duration_s: int = 0
    tier: int = 0
    block: int = 0
    quality: int = 0

    @property
    def end(self) -> int | None:
        """End of what it covers; None if not told."""
        return None if self.start is None else self.start + self.duration_s


@dataclass(frozen=True, slots=True)
class UsageSeries:
    """The latest readings of one kind.

    Attributes:
        mrid: The series'.
        uom: Unit: 38 W, 63 var, 29 V, 33 Hz, 72 Wh; None if not told.
        commodity: 1 and 2 are electricity; None if not told.
        flow_direction: 1 forward (delivered to the customer), 19 reverse; None if not told.
        phase: 128 / 64 / 32 for A / B / C, 129 / 65 / 33 to neutral; None or 0 for all together.
        accumulation: 4 delta, 9 summation (a register), 12 instantaneous; None if not told.
        qualifier: 2 average, 8 maximum, 9 minimum, 12 normal; None if not told.
        interval_s: Length of its intervals; None if not told.
        latest: The last reading, or the last of each tier and block.
    """

    mrid: str
    uom: int | None
    commodity: int | None = None
    flow_direction: int | None = None
    phase: int | None = None
    accumulation: int | None = None
    qualifier: int | None = None
    interval_s: int | None = None
    latest: Sequence[Metered] = ()


@dataclass(frozen=True, slots=True)
class UsagePoint:
    """A place where energy is metered.

    Attributes:
        mrid: Its mRID.
        name: The server's words for it.
        roles: Bits of RoleFlagsType: 0 mirror, 1 premises aggregation point, 3 DER, 6 sub-meter.
        service: Kind of service; 0 is electricity.
        on: Whether it is in service.
        lfdi: LFDI of the device that it is of; empty if not told.
        series: What is metered there.
    """

    mrid: str
    name: str
    roles: int
    service: int
    on: bool
    lfdi: str
    series: Sequence[UsageSeries] = ()


@dataclass(slots=True)
class Usage:
    """What the server has metered, as last read, by the list that it came from.

    Attributes:
        on_read: Told whenever a list was read, with the usage points of all lists; must not block.
    """

    on_read: Callable[[Sequence[UsagePoint]], None] = lambda _points: None
    _by_list: dict[str, Sequence[UsagePoint]] = field(default_factory=dict)

    def take(self, href: str, points: Sequence[UsagePoint]) -> None:
        """Take in what a usage point list led to."""
        self._by_list[href] = points
        self.on_read(self.points)

    def keep(self, hrefs: Collection[str]) -> None:
        """Forget the lists that are offered no more: what they told would stand for ever."""
        self._by_list = {href: self._by_list[href] for href in self._by_list if href in hrefs}

    @property
    def points(self) -> Sequence[UsagePoint]:
        """All of them."""
        return [point for listed in self._by_list.values() for point in listed]


async def read_usage_point(transport: Transport, point: res.UsagePoint) -> UsagePoint:
    """Read the latest readings of a usage point.

    Raises:
        Sep2Error: The server cannot be reached now. What it merely does not have is left out.
    """
    listed = await _listed(transport, point.meter_reading_list_link, res.MeterReadingList)
    found = listed.meter_reading if listed is not None else ()
    if len(found) > _MOST_SERIES:
        _log.warning(
            "usage point %s has %d series; only %d are read", point.mrid, len(found), _MOST_SERIES
        )
    series = [await _series(transport, each) for each in found[:_MOST_SERIES]]
    return UsagePoint(
        mrid=point.mrid.upper(),
        name=point.description or "",
        roles=point.role_flags,
        service=point.service_category_kind,
        on=point.status == 1,
        lfdi=point.device_lfdi or "",
        series=[each for each in series if each is not None],
    )


async def _series(transport: Transport, series: res.MeterReading) -> UsageSeries | None:
    try:
        kind = await transport.get(series.reading_type_link.href, res.ReadingType)
    except (MalformedError, NotFoundError, RejectedError) as error:
        _log.warning("a series of readings is left out: %s", error)
        return None
    ten = kind.power_of_ten_multiplier or 0
    latest = [_metered(r, span, ten) for r, span in await _latest(transport, series)]
    return UsageSeries(
        mrid=series.mrid.upper(),
        uom=kind.uom,
        commodity=kind.commodity,
        flow_direction=kind.flow_direction,
        phase=kind.phase,
        accumulation=kind.accumulation_behaviour,
        qualifier=kind.data_qualifier,
        interval_s=kind.interval_length,
        latest=[each for each in latest if each is not None],
    )


async def _latest(
    transport: Transport, series: res.MeterReading
) -> Sequence[tuple[res.Reading, res.DateTimeInterval | None]]:
    """Return the last readings with the periods of their sets; a single reading has none."""
    if series.reading_link is not None:
        try:
            return [(await transport.get(series.reading_link.href, res.Reading), None)]
        except (MalformedError, NotFoundError, RejectedError) as error:
            _log.info("no single reading: %s", error)
    sets = await _listed(transport, series.reading_set_list_link, res.ReadingSetList)
    if sets is None or not sets.reading_set:
        return ()
    last = max(sets.reading_set, key=lambda each: each.time_period.start)
    listed = await _listed(transport, last.reading_list_link, res.ReadingList)
    newest: dict[tuple[int, int], tuple[res.Reading, res.DateTimeInterval | None]] = {}
    for reading in sorted(listed.reading if listed is not None else (), key=_start):
        newest[reading.tou_tier or 0, reading.consumption_block or 0] = reading, last.time_period
    return [*newest.values()]


def _start(reading: res.Reading) -> tuple[int, int]:
    start = reading.time_period.start if reading.time_period is not None else 0
    return start, reading.local_id or 0


def _metered(reading: res.Reading, period: res.DateTimeInterval | None, ten: int) -> Metered | None:
    span = reading.time_period or period
    if reading.value is None:
        return None
    return Metered(
        value=Decimal(reading.value).scaleb(ten),
        start=None if span is None else span.start,
        duration_s=0 if span is None else span.duration,
        tier=reading.tou_tier or 0,
        block=reading.consumption_block or 0,
        quality=reading.quality_flags or 0,
    )


async def _listed(transport: Transport, link: res.Link | None, expected: type[L]) -> L | None:
    """Return a list; None where there is none, which costs the rest nothing."""
    if link is None:
        return None
    try:
        return await transport.get_list(link.href, expected)
    except (MalformedError, NotFoundError, RejectedError) as error:
        _log.warning("a part of what the utility metered is left out: %s", error)
        return None
