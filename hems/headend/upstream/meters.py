"""The last net power of each home, from the meter at its connection point."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import aliased

from hems.clock import Clock
from hems.headend.models import MeterRow, PointRow, ReadingRow
from hems.headend.upstream.sayings import Inquiries

_WATTS: Final = 38
_REVERSE: Final = 19
_PREMISES, _SUBMETER = 1 << 1, 1 << 6
_ALL_PHASES: Final = frozenset({None, 0})
_AVERAGE: Final = frozenset({None, 0, 2, 12})
"""Qualifiers of what is as good as the power itself: none told, average, normal."""
_CHUNK: Final = 500
_AGAIN_S: Final = 60.0
"""So often it is looked anew what meters measure, which may be told later than that they are."""


@dataclass(frozen=True, slots=True)
class Net:
    """A home's net power.

    Attributes:
        at: Since when it is known, epoch s: the end of its interval.
        power_w: W, import positive.
    """

    at: float
    power_w: float


@dataclass(frozen=True, slots=True)
class _Series:
    home: str
    reverse: bool


class Meters:
    """Reads them.

    Args:
        database: Where mirrored readings are.
        clock: Our own time; what a home says of the future is taken as of now.
    """

    def __init__(self, database: Inquiries, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._series: Mapping[int, _Series] = {}
        self._last = 0
        self._looked_at = -math.inf

    async def read(self) -> Mapping[str, Net]:
        """Return each home's net power as read last, by LFDI.

        Raises:
            BusyError: The database cannot serve.
        """
        now, last = self._clock.monotonic(), await self._database.inquire(_last)
        if last != self._last or now - self._looked_at >= _AGAIN_S:
            self._series = await self._database.inquire(_series)
            self._last, self._looked_at = last, now
        numbers = sorted(self._series)
        found: dict[int, Net] = {}
        for start in range(0, len(numbers), _CHUNK):
            found |= await self._database.inquire(_latest_of(numbers[start : start + _CHUNK]))
        return self._by_home(found)

    def _by_home(self, found: Mapping[int, Net]) -> Mapping[str, Net]:
        """Join what is taken with what is given, where a home tells them apart."""
        now = self._clock.now()
        nets: dict[str, Net] = {}
        for number, net in sorted(found.items()):
            series = self._series[number]
            signed = -net.power_w if series.reverse else net.power_w
            before = nets.get(series.home)
            if before is not None:
                signed += before.power_w
            at = min(net.at, now) if before is None else min(net.at, now, before.at)
            nets[series.home] = Net(at, signed)
        return nets


def _last(connection: Connection) -> int:
    return connection.execute(select(func.max(MeterRow.id))).scalar_one() or 0


def _series(connection: Connection) -> dict[int, _Series]:
    """Return of each home the series of its whole net power: one each way at most.

    Of several that say the same the first is taken.
    """
    query = (
        select(MeterRow.id, MeterRow.flow, MeterRow.phase, MeterRow.qualifier)
        .add_columns(PointRow.lfdi, PointRow.role)
        .join(PointRow, PointRow.id == MeterRow.point)
        .where(MeterRow.uom == _WATTS)
        .order_by(MeterRow.id)
    )
    found: dict[_Series, int] = {}
    for row in connection.execute(query):
        whole = row.phase in _ALL_PHASES and row.qualifier in _AVERAGE
        if whole and _at_connection(row.role):
            found.setdefault(_Series(row.lfdi, row.flow == _REVERSE), row.id)
    return {number: series for series, number in found.items()}


def _at_connection(role: str) -> bool:
    """Whether a usage point's roleFlags, in hex, are those of the whole premises."""
    try:
        flags = int(role, 16)
    except ValueError:
        return False
    return bool(flags & _PREMISES) and not flags & _SUBMETER


def _latest_of(numbers: list[int]) -> Callable[[Connection], dict[int, Net]]:
    other = aliased(ReadingRow)
    last = (
        select(other.id)
        .where(other.meter == MeterRow.id)
        .order_by(other.start.desc(), other.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(ReadingRow.meter, ReadingRow.start, ReadingRow.duration_s, ReadingRow.value)
        .select_from(MeterRow)
        .join(ReadingRow, ReadingRow.id == last)
        .where(MeterRow.id.in_(numbers))
    )

    def work(connection: Connection) -> dict[int, Net]:
        rows = connection.execute(query)
        return {row.meter: Net(float(row.start + row.duration_s), row.value) for row in rows}

    return work
