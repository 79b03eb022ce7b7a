"""Events for named homes, as they are settled: their own programme is each home's, kept nowhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Final

from sqlalchemy import Connection, select

from hems.headend.modes import ProgramKind
from hems.headend.own.models import OwnEventRow, OwnHomeRow
from hems.headend.own.records import OwnEvent
from hems.headend.own.table import own_event
from hems.headend.records import Event, Program
from hems.headend.settle.like_days import LOOK_BACK_DAYS, Calendar

_DAY_S: Final = 86_400
_LONGEST_S: Final = 8 * _DAY_S
_NAMES: Final = {
    ProgramKind.DER: "Homes' own limits",
    ProgramKind.DRLC: "Homes' own load",
}


@dataclass(frozen=True, slots=True)
class Named(Event):
    """An event for named homes.

    Attributes:
        homes: They, by LFDI.
        kind: In which of a home's own programmes it stands.
    """

    homes: frozenset[str] = frozenset()
    kind: ProgramKind = ProgramKind.DER

    @property
    def programme(self) -> Program:
        """All the homes' own programmes in which it stands, as if they were one."""
        return Program(0, _NAMES[self.kind], "", 0, self.kind)


def named(item: OwnEvent) -> Named:
    """Return an event for named homes as it is settled."""
    values = {field.name: getattr(item.event, field.name) for field in fields(Event)}
    return Named(**values, homes=item.homes, kind=item.kind)


def old_named(connection: Connection, mrid: str) -> Named | None:
    """Return an event for named homes that no worker remembers any more; None for none."""
    row = connection.execute(
        select(OwnEventRow.__table__).where(OwnEventRow.mrid == mrid.upper())
    ).one_or_none()
    if row is None:
        return None
    homes = connection.execute(select(OwnHomeRow.lfdi).where(OwnHomeRow.mrid == row.mrid))
    return named(own_event(row, frozenset(homes.scalars())))


def own_days(
    connection: Connection, event: Event, lfdis: Sequence[str], calendar: Calendar
) -> Mapping[str, frozenset[date]]:
    """Return by LFDI the days on which homes were asked something by name before an event.

    Args:
        connection: Where to look.
        event: Which.
        lfdis: Of the homes, some hundreds at most.
        calendar: What days are.
    """
    since = event.earliest_start - (LOOK_BACK_DAYS + 1) * _DAY_S - _LONGEST_S
    query = (
        select(OwnHomeRow.lfdi, OwnEventRow.start, OwnEventRow.duration_s, OwnEventRow.cancelled_at)
        .join(OwnEventRow, OwnEventRow.mrid == OwnHomeRow.mrid)
        .where(
            OwnHomeRow.lfdi.in_(lfdis),
            OwnEventRow.start > since,
            OwnEventRow.start < event.start,
            OwnEventRow.mrid != event.mrid,
        )
    )
    found: dict[str, frozenset[date]] = {}
    for row in connection.execute(query):
        end = float(row.start + row.duration_s)
        if row.cancelled_at is not None:
            end = min(end, row.cancelled_at)
        if end > row.start:
            days = calendar.dates(row.start, end)
            found[row.lfdi] = found.get(row.lfdi, frozenset()) | days
    return found
