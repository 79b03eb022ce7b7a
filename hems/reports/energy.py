"""What each device took and gave, by the home's hours, days and months."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from der.model import DeviceKind
from der.sentence import say
from hems.cem import civil, local_time
from hems.cem.civil import Before, Grain, Period
from hems.clock import Clock
from hems.reports.surface import DeviceRow, Energetic, EnergyTable, TooMuchError, Totals
from hems.store.errors import StoreError
from hems.store.quarters import Energy, Quarters, joined
from hems.surface import SurfaceError

MOST_PERIODS: Final = 3200
"""Most periods of one answer: a month by the quarter-hour, or four of them by the hour."""
_FIRST: Final = datetime(1970, 1, 3)  # noqa: DTZ001 - by whatever clock the home has
_LAST: Final = datetime(2999, 12, 30)  # noqa: DTZ001 - the same


@dataclass(frozen=True, slots=True)
class Known:
    """A device that the home has now.

    Attributes:
        name: As people know it.
        kind: See `der.model.DeviceKind`.
    """

    name: str
    kind: str


class EnergyReport:
    """Answers what the devices took and gave.

    Args:
        quarters: Where it is kept.
        devices: Returns the home's devices by id.
        zone: Where the home is.
        clock: Where the time comes from.
    """

    def __init__(
        self,
        quarters: Quarters,
        devices: Callable[[], Mapping[str, Known]],
        zone: ZoneInfo,
        clock: Clock,
    ) -> None:
        self._quarters = quarters
        self._devices = devices
        self._zone = zone
        self._clock = clock

    @property
    def zone(self) -> ZoneInfo:
        """Where the home is."""
        return self._zone

    async def energy(self, asked: Period, step: Grain) -> EnergyTable:
        """Return what was taken and given in the periods that overlap a time.

        Args:
            asked: Start and end, UTC epoch seconds; see `span`.
            step: Length of a period.

        Raises:
            TooMuchError: There would be too many periods.
            SurfaceError: The history cannot be read.
        """
        periods = list(islice(civil.periods(*asked, step, self._zone), MOST_PERIODS + 1))
        if len(periods) > MOST_PERIODS:
            raise TooMuchError(
                say("These are more than {most} periods; ask for less.", most=MOST_PERIODS)
            )
        try:
            found = await self._quarters.energy(periods, by_minute=step is Grain.MINUTE)
        except StoreError as error:
            raise SurfaceError(say("The history cannot be read: {error}", error=error)) from error
        known, now = self._devices(), self._clock.now()
        rows = [_row(each.device, known, each.periods, periods, now) for each in found]
        whole = [_row(each.device, known, [_together(each.periods)], [], now) for each in found]
        totals = [_totals(rows, number) for number in range(len(periods))]
        return EnergyTable(periods, rows, totals, _totals(whole, 0))


def span(start: datetime, end: datetime, zone: ZoneInfo) -> Period:
    """Return a time that was asked for, as UTC epoch seconds.

    Args:
        start: With an offset of its own, or as the home's clock shows it: of a time that it shows
            twice, the first.
        end: The same.
        zone: Where the home is.

    Raises:
        TooMuchError: The end does not come after the start, or no clock has shown them yet.
    """
    for each in (start, end):
        if not _FIRST <= each.replace(tzinfo=None) <= _LAST:
            raise TooMuchError(say("Ask for times between the years 1970 and 2999."))
    found = _instant(start, zone), _instant(end, zone)
    if found[0] >= found[1]:
        raise TooMuchError(say("The end must come after the start."))
    return found


def compared(asked: Period, by: Before, zone: ZoneInfo) -> Period:
    """Return the time that one is compared with, UTC epoch seconds.

    Args:
        asked: Start and end, UTC epoch seconds; whole days are compared with whole days.
        by: Which is meant.
        zone: Where the home is.
    """
    start, end = asked
    days = civil.day_of(start, zone), civil.day_of(end, zone)
    if asked == (civil.day_start(days[0], zone), civil.day_start(days[1], zone)):
        first, after = civil.shift(*days, by)
        return civil.day_start(first, zone), civil.day_start(after, zone)
    if by is Before.BEFORE:
        return start - (end - start), start
    local = datetime.fromtimestamp(start, zone)
    day, _ = civil.shift(local.date(), local.date(), by)
    begun = local_time.instant(day, local.time(), zone)
    return begun, begun + (end - start)


def _instant(when: datetime, zone: ZoneInfo) -> float:
    if when.tzinfo is not None:
        return when.timestamp()
    return local_time.instant(when.date(), when.time(), zone)


def _row(
    device: str,
    known: Mapping[str, Known],
    energies: Sequence[Energetic | None],
    periods: Iterable[Period],
    now: float,
) -> DeviceRow:
    of = known.get(device, Known(device, ""))
    measured = [
        0.0 if each is None else min(1.0, each.measured_s / max(60.0, min(end, now) - start))
        for each, (start, end) in zip(energies, periods, strict=False)
    ]
    return DeviceRow(device, of.name, of.kind, energies, measured)


def _together(periods: Iterable[Energy | None]) -> Energy | None:
    known = [each for each in periods if each is not None]
    return reduce(joined, known) if known else None


def _totals(rows: Iterable[DeviceRow], number: int) -> Totals:
    """Return the home's energies; what misses a part is not told."""
    by_kind: dict[str, list[Energetic | None]] = {}
    for row in rows:
        by_kind.setdefault(row.kind, []).append(row.energies[number])
    meter = next(iter(by_kind.get(DeviceKind.METER, [])), None)
    suns = by_kind.get(DeviceKind.PV, [])
    batteries = by_kind.get(DeviceKind.BATTERY, [])
    known_suns = [each for each in suns if each is not None]
    sun_wh = sum(each.given_wh for each in known_suns) if known_suns else None
    if meter is None:
        return Totals(sun_wh=sun_wh)
    taken_wh, given_wh = meter.taken_wh, meter.given_wh
    own_wh = None if sun_wh is None else max(0.0, sun_wh - given_wh)
    cells = [each for each in batteries if each is not None]
    if len(cells) < len(batteries) or len(known_suns) < len(suns):
        return Totals(taken_wh, given_wh, sun_wh, own_wh)
    stored_wh = sum(each.taken_wh - each.given_wh for each in cells)
    used_wh = max(0.0, taken_wh - given_wh + (sun_wh or 0.0) - stored_wh)
    return Totals(taken_wh, given_wh, sun_wh, own_wh, used_wh)
